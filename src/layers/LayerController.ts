import type { Logger } from '../Logger.js';
import { Downlink } from './Downlink.js';
import type { Link, VideoPuller } from './LayerPolicy.js';
import { layerRatesReader } from './LayerRates.js';
import { LinkController } from './LinkController.js';
import { SharedLink } from './SharedLink.js';

/** The time between two looks at a link without an estimate in ms: two looks for each report of a receiver. */
const interval = 500;

/** A link with an estimate is looked at each time of so many: mediasoup's worker adapts layers to its estimate as often. */
const estimatedEach = 2;

/** A link on which all has flowed in full for a while is looked at each time of so many. Its NACKs are heard at once. */
const quietEach = 3;

/**
 * Chooses what of the video of a room is sent over each link, where mediasoup's worker does not, or too slowly. One timer
 * looks at all links while there are any.
 */
export class LayerController {
	/** By the connection, or by the user for what all of its connections share. */
	readonly #downlinks = new Map<string, { downlink: Downlink; shared: SharedLink | undefined }>();
	readonly #initialBitrate: number;
	readonly #logger: Logger;
	#timer: NodeJS.Timeout | undefined;
	#isLooking = false;
	#looks = 0;

	/** @param initialBitrate - the bandwidth to assume at first on a link without an estimate, in bit/s */
	constructor(initialBitrate: number, logger: Logger) {
		this.#initialBitrate = initialBitrate;
		this.#logger = logger;
	}

	/**
	 * Adds a puller of video.
	 *
	 * @param link - the way to its client over its connection. All connections of a user are taken for one link, but for those
	 *   with an estimate or with a limit of their own
	 * @returns a function that removes the puller
	 */
	add(puller: VideoPuller, link: Link): () => void {
		const { connectionId, userId } = puller;
		const isAlone = link.isEstimated || link.limit > 0;
		const key = isAlone ? `connection ${connectionId}` : `user ${userId}`;
		const known = this.#downlinks.get(key) ?? this.#open(key, isAlone ? link : new SharedLink());
		const { downlink, shared } = known;
		shared?.add(puller, link);
		downlink.add(puller);
		this.#startOrStop();
		return () => {
			downlink.delete(puller);
			shared?.delete(puller);
			if (downlink.isEmpty) this.#downlinks.delete(key);
			this.#startOrStop();
		};
	}

	#open(key: string, link: Link) {
		const policy = new LinkController({ isEstimated: link.isEstimated, initialBitrate: this.#initialBitrate });
		const downlink = new Downlink({ link, policy, logger: this.#logger });
		const opened = { downlink, shared: link instanceof SharedLink ? link : undefined };
		this.#downlinks.set(key, opened);
		return opened;
	}

	#startOrStop(): void {
		if (this.#downlinks.size > 0) {
			this.#timer ??= setInterval(() => void this.#look(), interval);
		} else {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	async #look(): Promise<void> {
		if (this.#isLooking) return;
		this.#isLooking = true;
		const look = this.#looks++;
		const isDue = ({ isEstimated, isQuiet }: Downlink) =>
			look % ((isEstimated ? estimatedEach : 1) * (isQuiet ? quietEach : 1)) === 0;
		const readRates = layerRatesReader();
		const links = [...this.#downlinks.values()].map(({ downlink }) => downlink).filter(isDue);
		await Promise.all(links.map((link) => link.look(readRates)));
		this.#isLooking = false;
	}
}
