import type { Logger } from '../Logger.js';
import { Downlink } from './Downlink.js';
import { EstimateController } from './EstimateController.js';
import type { LayeredPuller } from './LayerPolicy.js';
import { layerRatesReader } from './LayerRates.js';
import { LossBasedController } from './LossBasedController.js';

/** The time between two looks at a link without an estimate in ms: two looks for each report of a receiver. */
const interval = 500;

/**
 * Chooses the layers of all pullers of a room, where mediasoup's worker does not, or too slowly. One timer looks at all links
 * without a bandwidth estimate, while there are any.
 */
export class LayerController {
	readonly #lossBased = new Map<string, Downlink>();
	readonly #estimated = new Map<string, Downlink>();
	readonly #initialBitrate: number;
	readonly #logger: Logger;
	#timer: NodeJS.Timeout | undefined;
	#isLooking = false;

	/** @param initialBitrate - the bandwidth to assume at first on a link without an estimate, in bit/s */
	constructor(initialBitrate: number, logger: Logger) {
		this.#initialBitrate = initialBitrate;
		this.#logger = logger;
	}

	/**
	 * Adds a puller.
	 *
	 * @param estimate - resolves to mediasoup's bandwidth estimate in bit/s; `undefined` if mediasoup does not estimate
	 * @returns a function that removes the puller
	 */
	add(puller: LayeredPuller, estimate?: () => Promise<number | undefined>): () => void {
		const links = estimate ? this.#estimated : this.#lossBased;
		const { connectionId } = puller;
		const policy = () => (estimate ? new EstimateController(estimate) : new LossBasedController(this.#initialBitrate));
		const link = links.get(connectionId) ?? new Downlink({ policy: policy(), logger: this.#logger });
		links.set(connectionId, link);
		link.add(puller);
		this.#startOrStop();
		return () => {
			link.delete(puller);
			if (link.isEmpty) links.delete(connectionId);
			this.#startOrStop();
		};
	}

	#startOrStop(): void {
		if (this.#lossBased.size > 0) {
			this.#timer ??= setInterval(() => void this.#look(), interval);
		} else {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	async #look(): Promise<void> {
		if (this.#isLooking) return;
		this.#isLooking = true;
		const readRates = layerRatesReader();
		await Promise.all([...this.#lossBased.values()].map((link) => link.look(readRates)));
		this.#isLooking = false;
	}
}
