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
	/** Those of one connection. */
	readonly #links = new Map<string, Downlink>();
	/** Those that all connections of a user share, by the id of the user. */
	readonly #shared = new Map<string, { downlink: Downlink; link: SharedLink }>();
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
		const remove = link.isEstimated || link.limit > 0 ? this.#addAlone(puller, link) : this.#addShared(puller, link);
		this.#startOrStop();
		return () => {
			remove();
			this.#startOrStop();
		};
	}

	#addAlone(puller: VideoPuller, link: Link): () => void {
		const { connectionId } = puller;
		const downlink = this.#links.get(connectionId) ?? this.#createDownlink(link);
		this.#links.set(connectionId, downlink);
		downlink.add(puller);
		return () => {
			downlink.delete(puller);
			if (downlink.isEmpty) this.#links.delete(connectionId);
		};
	}

	#addShared(puller: VideoPuller, link: Link): () => void {
		const { userId } = puller;
		let shared = this.#shared.get(userId);
		if (!shared) {
			const all = new SharedLink();
			shared = { link: all, downlink: this.#createDownlink(all) };
			this.#shared.set(userId, shared);
		}
		const { downlink, link: all } = shared;
		all.add(puller, link);
		downlink.add(puller);
		return () => {
			downlink.delete(puller);
			all.delete(puller);
			if (downlink.isEmpty) this.#shared.delete(userId);
		};
	}

	#createDownlink(link: Link): Downlink {
		const policy = new LinkController({ isEstimated: link.isEstimated, initialBitrate: this.#initialBitrate });
		return new Downlink({ link, policy, logger: this.#logger });
	}

	get #downlinks(): Downlink[] {
		return [...this.#links.values(), ...[...this.#shared.values()].map(({ downlink }) => downlink)];
	}

	#startOrStop(): void {
		if (this.#links.size + this.#shared.size > 0) {
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
		const links = this.#downlinks.filter(isDue);
		await Promise.all(links.map((link) => link.look(readRates)));
		this.#isLooking = false;
	}
}
