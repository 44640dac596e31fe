import type { Consumer, Producer } from 'mediasoup/types';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchTrace } from '../media/watchTrace.js';

/** For how long frames are counted, in ms: long enough to be right within one frame or so. */
const sampleTime = 1500;

/** What mediasoup tells of a packet. */
interface TracedPacket {
	ssrc: number;
	timestamp: number;
}

/**
 * Counts the frames of what a producer receives or a consumer sends. Nothing is decoded here; but all packets of one frame,
 * and of no other, have the same RTP timestamp (RFC 3550, section 5.1), and mediasoup tells of each packet while it is asked
 * to.
 */
export class FrameRates {
	readonly #source: Producer | Consumer;
	#sampling: Promise<ReadonlyMap<number, number>> | undefined;

	constructor(source: Producer | Consumer) {
		this.#source = source;
	}

	/**
	 * Frames per second of each stream, by its SSRC; of those alone that have had a frame. It takes 1.5 seconds, or less when
	 * the source closes. All who ask meanwhile get the same.
	 */
	measure(): Promise<ReadonlyMap<number, number>> {
		this.#sampling ??= this.#sample().finally(() => (this.#sampling = undefined));
		return this.#sampling;
	}

	async #sample(): Promise<ReadonlyMap<number, number>> {
		const frames = new Map<number, Set<number>>();
		const count = (info: Record<string, unknown>) => {
			const { ssrc, timestamp } = info.rtpPacket as TracedPacket;
			frames.set(ssrc, (frames.get(ssrc) ?? new Set()).add(timestamp));
		};
		const closed = new AbortController();
		const abort = () => {
			closed.abort();
		};
		// Producers and consumers are the same in this, but TypeScript cannot call what either of two types has.
		const { observer } = this.#source as Consumer;
		observer.once('close', abort);
		// When somebody else watches keyframes, their packets come as those alone.
		const ends = (['rtp', 'keyframe'] as const).map((type) => watchTrace(this.#source, type, count));
		const started = performance.now();
		await sleep(sampleTime, undefined, { signal: closed.signal }).catch(() => undefined);
		const seconds = (performance.now() - started) / 1000;
		for (const end of ends) end();
		observer.off('close', abort);
		return new Map([...frames].map(([ssrc, timestamps]) => [ssrc, timestamps.size / seconds]));
	}
}
