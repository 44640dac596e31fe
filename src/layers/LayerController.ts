import type { Logger } from '../Logger.js';
import { Downlink } from './Downlink.js';
import type { Link, VideoPuller } from './LayerPolicy.js';
import { layerRatesReader } from './LayerRates.js';
import { LinkController } from './LinkController.js';

/** The time between two looks at a link without an estimate in ms: two looks for each report of a receiver. */
const interval = 500;

/** A link with an estimate is looked at each time of so many: mediasoup's worker adapts layers to its estimate as often. */
const estimatedEach = 2;

/**
 * Chooses what of the video of a room is sent over each link, where mediasoup's worker does not, or too slowly. One timer
 * looks at all links while there are any.
 */
export class LayerController {
	readonly #links = new Map<string, Downlink>();
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
	 * @param link - the way to its client; all pullers of a connection share the first one
	 * @returns a function that removes the puller
	 */
	add(puller: VideoPuller, link: Link): () => void {
		const { connectionId } = puller;
		const { isEstimated } = link;
		const policy = () => new LinkController({ isEstimated, initialBitrate: this.#initialBitrate });
		const downlink = this.#links.get(connectionId) ?? new Downlink({ link, policy: policy(), logger: this.#logger });
		this.#links.set(connectionId, downlink);
		downlink.add(puller);
		this.#startOrStop();
		return () => {
			downlink.delete(puller);
			if (downlink.isEmpty) this.#links.delete(connectionId);
			this.#startOrStop();
		};
	}

	#startOrStop(): void {
		if (this.#links.size > 0) {
			this.#timer ??= setInterval(() => void this.#look(), interval);
		} else {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	async #look(): Promise<void> {
		if (this.#isLooking) return;
		this.#isLooking = true;
		const isTurn = this.#looks++ % estimatedEach === 0;
		const readRates = layerRatesReader();
		const links = [...this.#links.values()].filter(({ isEstimated }) => !isEstimated || isTurn);
		await Promise.all(links.map((link) => link.look(readRates)));
		this.#isLooking = false;
	}
}
