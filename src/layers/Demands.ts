import { bitrateOn, type StepChanges, type VideoStream } from './LayerPolicy.js';
import { heldStep } from './LayerSelection.js';

/** Less than this of a video is not worth showing, in bit/s. */
const leastDemand = 100_000;

/** The share of the throughput of a full link that its video is asked for. */
const usable = 0.85;

/**
 * A stream that sends at least this share of what it is asked for may be asked for `growth` times as much, every `period` ms.
 * Near the bitrate at which the link was full, it is `carefulGrowth`: senders take seconds to follow.
 */
const used = 0.8;
const growth = 1.25;
const carefulGrowth = 1.1;
const period = 1500;
/** The same on a link on which packets wait a little, as they do when it is nearly full. */
const busyPeriod = 6000;
const near = 0.35;

/** A stream on a full link is asked for no more than this share of what it sends. */
const eased = 0.6;

/** A stream is asked for less, in place of being held, if what is left of it is at least this share. */
const enough = 0.35;
/** If its sender has not followed after this time, it is held, in ms. */
const patience = 5000;
/** What a bound leaves varies with what else is sent. It has been widened if it is so many times as wide. */
const widened = 1.2;

/** A sender that sends no more than so many times what it is asked for has come down to it. */
const followed = 1.1;

/**
 * What a link can take of each stream without layers. Nobody can lower such a stream but its sender, who is asked to when
 * nobody else takes more.
 */
export class Demands {
	readonly #demands = new Map<string, number>();
	/** The highest bitrate of each stream while it was asked for all. */
	readonly #peaks = new Map<string, number>();
	/** The bound of the app or the client that streams were asked for less by, and what they were asked for before. */
	#bound: { limit: number; before: ReadonlyMap<string, number> } | undefined;
	/** The bitrate of all video at which the link was full last. */
	#full = 0;
	#loweredAt = -Infinity;
	#raisedAt = -Infinity;

	/** @returns in bit/s; `Infinity` for all of it, `undefined` for a stream that is not known */
	get(id: string): number | undefined {
		return this.#demands.get(id);
	}

	/** Begins with what others take of the stream at most. A link that takes more will be asked for more. */
	begin(id: string, demanded: number): void {
		if (!this.#demands.has(id)) this.#demands.set(id, demanded);
	}

	/** Forgets a stream that has gone. */
	forget(id: string): void {
		this.#demands.delete(id);
		this.#peaks.delete(id);
	}

	/** Notes what the streams send. */
	follow(streams: readonly VideoStream[]): void {
		for (const { id, bitrates, demanded } of streams) {
			const sent = bitrates[1] ?? 0;
			if (demanded === Infinity) this.#peaks.set(id, Math.max(sent, this.#peaks.get(id) ?? 0));
		}
	}

	/**
	 * Divides what a full link bears among its streams.
	 *
	 * @param throughput - of all video, in bit/s
	 * @param changes - the steps that the streams fall to
	 * @returns the streams that need not be held, because their senders will soon send less
	 */
	lower(at: number, throughput: number, streams: readonly VideoStream[], changes: StepChanges): string[] {
		const single = streams.filter(({ isLayered }) => !isLayered);
		if (single.length === 0) return [];
		const layered = streams.filter(({ isLayered }) => isLayered);
		const taken = layered.reduce((sum, one) => sum + bitrateOn(one, changes.get(one.id) ?? one.step), 0);
		const share = Math.max((throughput * usable - taken) / single.length, leastDemand);
		const isPatient = at - this.#loweredAt > patience;
		this.#loweredAt = at;
		this.#full = throughput;
		this.#bound = undefined;
		const kept: string[] = [];
		for (const stream of single) {
			const sent = stream.bitrates[1] ?? 0;
			// What sends nothing although nobody asks it to cannot send less.
			const canEase = sent > 0 || stream.demanded < Infinity;
			const before = this.get(stream.id) ?? Infinity;
			const hasFollowed = sent <= before * followed && before < Infinity;
			const asked = Math.min(before, share, Math.max(sent * eased, leastDemand));
			this.#demands.set(stream.id, asked);
			if (changes.get(stream.id) === heldStep && (isPatient || hasFollowed) && canEase && asked >= sent * enough)
				kept.push(stream.id);
		}
		return kept;
	}

	/**
	 * Divides what a bound leaves, which says nothing of the link.
	 *
	 * @param limit - the bound of all video, in bit/s
	 * @returns as {@link Demands.lower} does
	 */
	bind(at: number, limit: number, streams: readonly VideoStream[], changes: StepChanges): string[] {
		const full = this.#full;
		const before = this.#bound?.before ?? new Map(this.#demands);
		const kept = this.lower(at, limit, streams, changes);
		this.#full = full;
		// What a bound leaves beside all else may be nothing, or less, for a moment.
		this.#bound = { limit: Math.max(limit, leastDemand), before };
		return kept;
	}

	/** Asks for more at once when a bound leaves more: for as much more, and for no more than before the bound. */
	widen(limit: number): void {
		if (!this.#bound || limit < this.#bound.limit * widened) return;
		const { before } = this.#bound;
		const growth = limit / this.#bound.limit;
		for (const [id, demand] of this.#demands) {
			this.#demands.set(id, Math.min(demand * growth, before.get(id) ?? Infinity));
		}
		this.#bound = limit === Infinity ? undefined : { limit, before };
	}

	/**
	 * Asks for more of the streams that flow, where there is room.
	 *
	 * @param link - the time in ms, and whether packets hardly wait
	 * @returns whether it has
	 */
	raise(
		{ at, isCalm }: { at: number; isCalm: boolean },
		total: number,
		room: number,
		streams: readonly VideoStream[],
	): boolean {
		if (at - this.#raisedAt < (isCalm ? period : busyPeriod)) return false;
		let isRaised = false;
		for (const { id, bitrates, step, isLayered } of streams) {
			const demand = this.get(id) ?? Infinity;
			const sent = bitrates[1] ?? 0;
			if (isLayered || demand === Infinity || step === heldStep || sent < demand * used) continue;
			const isNear = Math.abs(total - this.#full) < this.#full * near;
			const next = demand * (isNear ? carefulGrowth : growth);
			if (total - sent + next > room) continue;
			const isAll = next > 1.3 * (this.#peaks.get(id) ?? Infinity);
			this.#demands.set(id, isAll ? Infinity : next);
			isRaised = true;
		}
		if (isRaised) this.#raisedAt = at;
		return isRaised;
	}

	/** Whether senders have been asked for less lately, and have not come down to it yet. They take seconds. */
	isFollowed(at: number, streams: readonly VideoStream[]): boolean {
		if (at - this.#loweredAt > patience) return false;
		return streams.some(({ id, bitrates, step, isLayered }) => {
			if (isLayered || step === heldStep) return false;
			return (bitrates[1] ?? 0) > (this.get(id) ?? Infinity) * followed;
		});
	}

	/** Asks for all again. */
	restore(): void {
		for (const id of this.#demands.keys()) this.#demands.set(id, Infinity);
	}
}
