import type { Consumer, Producer } from 'mediasoup/types';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchTrace } from '../media/watchTrace.js';

/** How long frames are counted, in ms. This is long enough to be right within about one frame. */
const sampleTime = 1500;

/** A packet in mediasoup's trace. */
interface TracedPacket {
	ssrc: number;
	timestamp: number;
}

/**
 * Counts the frames that a producer receives or a consumer sends. Nothing is decoded: all packets of one frame, and of no
 * other frame, have the same RTP timestamp (RFC 3550, section 5.1), and mediasoup can trace each packet.
 */
export class FrameRates {
	readonly #source: Producer | Consumer;
	#sampling: Promise<ReadonlyMap<number, number>> | undefined;

	constructor(source: Producer | Consumer) {
		this.#source = source;
	}

	/**
	 * Counts the frames per second of each stream, by its SSRC. A stream without frames is missing. This takes 1.5 seconds, or
	 * less if the source closes. Concurrent calls share one count.
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
		// Producers and consumers have the same observer, but TypeScript cannot call a method of the union.
		const { observer } = this.#source as Consumer;
		observer.once('close', abort);
		// While somebody else traces keyframes, the packets of keyframes come under that type only.
		const ends = (['rtp', 'keyframe'] as const).map((type) => watchTrace(this.#source, type, count));
		const started = performance.now();
		await sleep(sampleTime, undefined, { signal: closed.signal }).catch(() => undefined);
		const seconds = (performance.now() - started) / 1000;
		for (const end of ends) end();
		observer.off('close', abort);
		return new Map([...frames].map(([ssrc, timestamps]) => [ssrc, timestamps.size / seconds]));
	}
}
