import type { Logger } from '../../Logger.js';
import { EstimateControl } from './EstimateControl.js';
import { LayeredLink, type LayeredPuller } from './LayeredLink.js';
import { LayerRates } from './LayerRates.js';
import type { LayeredStream } from './LinkControl.js';
import type { Overload } from './OverloadDetector.js';

/**
 * A link for which mediasoup has a bandwidth estimate, by which its worker chooses the layers. Once it was overloaded they
 * are held back, until they have come back step by step.
 */
export class EstimatedLink extends LayeredLink {
	readonly #control = new EstimateControl();
	readonly #estimate: () => Promise<number | undefined>;
	#timer: NodeJS.Timeout | undefined;

	/** @param estimate - what mediasoup takes the link to bear, in bit/s */
	constructor(estimate: () => Promise<number | undefined>, logger: Logger) {
		super(logger);
		this.#estimate = estimate;
	}

	override delete(stream: LayeredPuller): void {
		super.delete(stream);
		if (this.isEmpty) clearTimeout(this.#timer);
	}

	protected override overloaded(overload: Overload, streams: readonly LayeredStream[]): Map<string, number> {
		const changes = this.#control.overloaded(overload, streams);
		this.#riseLater();
		return changes;
	}

	#riseLater(): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#rise(), this.#control.hold);
	}

	async #rise(): Promise<void> {
		const timer = this.#timer;
		try {
			const [available = Infinity, measured] = await Promise.all([this.#estimate(), this.measure(new LayerRates())]);
			// It was overloaded meanwhile, or nothing is left.
			if (this.#timer !== timer || this.isEmpty) return;
			const streams = measured.map(({ stream }) => stream);
			const changes = this.#control.rise(performance.now(), available, streams);
			for (const { puller, stream } of measured) {
				const rung = changes.get(stream.id);
				if (rung === undefined) continue;
				puller.selection.rung = rung;
				await puller.selection.apply();
			}
			if (this.streams.some(({ selection }) => selection.isHeldBack)) this.#riseLater();
		} catch (error) {
			this.logger.error('layers are held back', error);
		}
	}
}
