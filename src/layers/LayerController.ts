import type { Logger } from '../Logger.js';
import { EstimatedLink } from './EstimatedLink.js';
import type { LayeredPuller } from './Downlink.js';
import { LayerRates } from './LayerRates.js';
import { ReportedLink } from './ReportedLink.js';

/** How often it looks, in ms: twice for each report of a receiver. */
const interval = 500;

/**
 * Chooses the layers of what is pulled, where mediasoup's worker does not, or not soon enough. One timer looks at all
 * links without a bandwidth estimate, and there is none while there are none.
 */
export class LayerController {
	readonly #reported = new Map<string, ReportedLink>();
	readonly #estimated = new Map<string, EstimatedLink>();
	readonly #initialBitrate: number;
	readonly #logger: Logger;
	#timer: NodeJS.Timeout | undefined;
	#looking = false;

	/** @param initialBitrate - what a link without an estimate is first taken to bear, in bit/s */
	constructor(initialBitrate: number, logger: Logger) {
		this.#initialBitrate = initialBitrate;
		this.#logger = logger;
	}

	/**
	 * @param estimate - what mediasoup takes the link to bear, in bit/s, when it learns what bandwidth there is
	 * @returns a function that takes it out again
	 */
	add(puller: LayeredPuller, estimate?: () => Promise<number | undefined>): () => void {
		const { connectionId } = puller;
		const links: Map<string, ReportedLink | EstimatedLink> = estimate ? this.#estimated : this.#reported;
		const link = links.get(connectionId) ?? this.#addLink(connectionId, estimate);
		link.add(puller);
		this.#run();
		return () => {
			link.delete(puller);
			if (link.isEmpty) links.delete(connectionId);
			this.#run();
		};
	}

	#addLink(connectionId: string, estimate?: () => Promise<number | undefined>): ReportedLink | EstimatedLink {
		if (estimate) {
			const link = new EstimatedLink(estimate, this.#logger);
			this.#estimated.set(connectionId, link);
			return link;
		}
		const link = new ReportedLink(this.#initialBitrate, this.#logger);
		this.#reported.set(connectionId, link);
		return link;
	}

	/** Looks from now on, or not any more. */
	#run(): void {
		if (this.#reported.size > 0) this.#timer ??= setInterval(() => void this.#look(), interval);
		else {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	async #look(): Promise<void> {
		if (this.#looking) return;
		this.#looking = true;
		try {
			const rates = new LayerRates();
			await Promise.all([...this.#reported.values()].map((link) => link.look(rates)));
		} catch (error) {
			this.#logger.error('layers could not be chosen', error);
		} finally {
			this.#looking = false;
		}
	}
}
