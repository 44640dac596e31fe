import type { Consumer, Producer } from 'mediasoup/types';

/** What the worker can tell of a producer and of a consumer, packet by packet. */
type TraceType = 'rtp' | 'keyframe' | 'nack' | 'pli' | 'fir';

/** Who listens, by what is listened to. */
const watchers = new WeakMap<Producer | Consumer, Map<TraceType, number>>();

/**
 * Has the worker tell of one type of trace events, which it does for all that are asked for by the last call of
 * `enableTraceEvent()` alone: so that several can listen, each to its own.
 *
 * @param listener - gets what mediasoup's `trace` event has as `info`
 * @returns a function that ends it
 */
export function watchTrace(
	target: Producer | Consumer,
	type: TraceType,
	listener: (info: Record<string, unknown>) => void,
): () => void {
	const counts = watchers.get(target) ?? new Map<TraceType, number>();
	watchers.set(target, counts);
	const change = (by: number) => {
		const before = counts.get(type) ?? 0;
		counts.set(type, before + by);
		if (before === 0 || before + by === 0) enable(target, counts);
	};
	const hear = (event: { type: string; info: object }) => {
		if (event.type === type) listener(event.info as Record<string, unknown>);
	};
	// Producers and consumers are the same in this, but TypeScript cannot call what either of two types has.
	const emitter = target as Consumer;
	emitter.on('trace', hear);
	change(1);
	let ended = false;
	return () => {
		if (ended) return;
		ended = true;
		emitter.off('trace', hear);
		change(-1);
	};
}

function enable(target: Producer | Consumer, counts: ReadonlyMap<TraceType, number>): void {
	if (target.closed) return;
	const types = [...counts].flatMap(([type, count]) => (count > 0 ? [type] : []));
	// What closes meanwhile needs no events.
	target.enableTraceEvent(types).catch(() => undefined);
}
