import { noChanges, type StepChanges, type VideoStream } from './LayerPolicy.js';
import type { LinkHealth } from './LinkHealth.js';
import type { LinkReport } from './LinkReader.js';

/** A fall that has not helped after this time, in ms, although only `fallen` of the bitrate is left, was for nothing. */
const judgeTime = 2500;
const fallen = 0.75;
/** What is left of the loss after a fall that has helped. A fall with less loss than `lossyFall` was for a delay. */
const helped = 0.6;
export const lossyFall = 0.05;

/** The last report of a clear link tells what was sent before trouble for this long, in ms. */
const clearCounts = 6000;

type Sent = Pick<LinkReport, 'at' | 'bitrate' | 'streams'>;

/** The state before a link got into trouble. */
interface Episode {
	/** When the last fall was, in ms. */
	fellAt: number;
	bitrate: number;
	loss: number;
	steps: StepChanges;
}

/** The trouble of a link: what flowed before it, and whether the last fall has helped. */
export class Trouble {
	#episode: Episode | undefined;
	/** The last report of a clear link. */
	#clear: Pick<Episode, 'bitrate' | 'steps'> & { at: number } = { at: -Infinity, bitrate: 0, steps: noChanges };

	/** Notes what flows while the link is clear. */
	noteClear({ at, bitrate, streams }: Sent): void {
		this.#clear = { at, bitrate, steps: stepsOf(streams) };
	}

	/**
	 * Begins, or goes on, with a fall.
	 *
	 * @param sent - what has flowed until now
	 * @param loss - the share of packets that was lost lately, 0 to 1
	 */
	enter({ at, bitrate, streams }: Sent, loss: number): void {
		const isFresh = at - this.#clear.at < clearCounts && this.#clear.bitrate > bitrate;
		const before = isFresh ? this.#clear : { bitrate, steps: stepsOf(streams) };
		this.#episode ??= { fellAt: at, loss, bitrate: before.bitrate, steps: before.steps };
		this.#episode.fellAt = at;
		this.#episode.loss = Math.max(this.#episode.loss, loss);
	}

	/** Whether the last fall may still help. */
	mayEnd(at: number): boolean {
		return this.#episode !== undefined && at - this.#episode.fellAt < judgeTime;
	}

	/** Whether the last fall has not lowered the loss, although there was time for it. */
	isFallInVain({ at, bitrate }: Sent, { loss, ownLoss }: Pick<LinkHealth, 'loss' | 'ownLoss'>): boolean {
		const episode = this.#episode;
		if (!episode || this.mayEnd(at) || bitrate > episode.bitrate * fallen) return false;
		const before = episode.loss - ownLoss;
		return before >= lossyFall && loss - ownLoss >= before * helped;
	}

	/** Ends with the steps of before, unless streams are on higher ones already. */
	takeBack(streams: readonly VideoStream[]): StepChanges {
		const steps = this.#episode?.steps ?? noChanges;
		this.end();
		const changes = new Map<string, number>();
		for (const { id, limit, step, bitrates } of streams) {
			const next = Math.min(Math.max(steps.get(id) ?? step, step), bitrates.length - 1);
			if (next !== limit) changes.set(id, next);
		}
		return changes;
	}

	/** Ends: the link is clear again. */
	end(): void {
		this.#episode = undefined;
	}
}

const stepsOf = (streams: readonly VideoStream[]): StepChanges => new Map(streams.map(({ id, step }) => [id, step]));
