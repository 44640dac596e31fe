import type { Logger } from '../Logger.js';
import { EstimateControl } from './EstimateControl.js';
import { Downlink, type LayeredPuller } from './Downlink.js';
import { LayerRates } from './LayerRates.js';
import type { LayeredStream } from './LossBasedController.js';
import type { Overload } from './OverloadDetector.js';

/** How often it looks whether there is room for more, in ms: as often as mediasoup's worker goes by its estimate. */
const lookInterval = 1000;

/**
 * A link for which mediasoup has a bandwidth estimate, by which its worker chooses the layers. Once it was overloaded they
 * are held back, until they have come back step by step.
 */
export class EstimatedLink extends Downlink {
	readonly #control = new EstimateControl();
	readonly #estimate: () => Promise<number | undefined>;
	#timer: NodeJS.Timeout | undefined;
	/** A second ago, in bit/s: what it was for a moment alone does not count. */
	#estimateBefore = 0;

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

	/** When layers have been held back for long enough, it looks every second whether there is room for more. */
	#riseLater(): void {
		this.#estimateBefore = 0;
		this.#lookIn(this.#control.hold - lookInterval);
	}

	#lookIn(delay: number): void {
		clearTimeout(this.#timer);
		if (!this.isEmpty) this.#timer = setTimeout(() => void this.#look(), delay);
	}

	async #look(): Promise<void> {
		const timer = this.#timer;
		try {
			const [estimate = Infinity, measured] = await Promise.all([this.#estimate(), this.measure(new LayerRates())]);
			// It was overloaded meanwhile, or nothing is left.
			if (this.#timer !== timer || this.isEmpty) return;
			const available = Math.min(estimate, this.#estimateBefore);
			this.#estimateBefore = estimate;
			const streams = measured.map(({ stream }) => stream);
			const changes = this.#control.rise(performance.now(), available, streams);
			for (const { puller, stream } of measured) {
				const rung = changes.get(stream.id);
				if (rung === undefined) continue;
				puller.selection.rung = rung;
				await puller.selection.apply();
			}
			const heldBack = this.streams.filter(({ selection }) => selection.isHeldBack);
			// Should client or app want more later, they shall have it.
			for (const { selection } of this.streams) if (!selection.isHeldBack) selection.release();
			if (heldBack.length === 0) return;
			if (changes.size > 0) this.#riseLater();
			else this.#lookIn(lookInterval);
		} catch (error) {
			// What closes takes the estimate with it.
			if (!this.isEmpty) this.logger.error('layers are held back', error);
		}
	}
}
