import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** For how long frames are counted, in ms: long enough to be right within one frame or so. */
const sampleTime = 1500;

/** A Producer or a Consumer. */
interface Source {
	readonly closed: boolean;
	readonly observer: EventEmitter;
	enableTraceEvent(types: 'rtp'[]): Promise<void>;
}

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
	readonly #source: Source;
	#sampling: Promise<ReadonlyMap<number, number>> | undefined;

	constructor(source: Source) {
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
		const { observer } = this.#source;
		const frames = new Map<number, Set<number>>();
		const count = ({ type, info }: { type: string; info: unknown }) => {
			if (type !== 'rtp') return;
			const { ssrc, timestamp } = (info as { rtpPacket: TracedPacket }).rtpPacket;
			frames.set(ssrc, (frames.get(ssrc) ?? new Set()).add(timestamp));
		};
		const closed = new AbortController();
		const abort = () => {
			closed.abort();
		};
		observer.on('trace', count);
		observer.once('close', abort);
		try {
			await this.#source.enableTraceEvent(['rtp']);
			frames.clear();
			const started = performance.now();
			await sleep(sampleTime, undefined, { signal: closed.signal }).catch(() => undefined);
			const seconds = (performance.now() - started) / 1000;
			return new Map([...frames].map(([ssrc, timestamps]) => [ssrc, timestamps.size / seconds]));
		} finally {
			observer.off('trace', count);
			observer.off('close', abort);
			// When it fails, the source is gone, and all with it.
			if (!this.#source.closed) await this.#source.enableTraceEvent([]).catch(() => undefined);
		}
	}
}
