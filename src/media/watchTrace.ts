import type { Consumer, Producer } from 'mediasoup/types';

/** A type of trace events of a producer or a consumer. */
type TraceType = 'rtp' | 'keyframe' | 'nack' | 'pli' | 'fir';

/** How many listeners there are for each type. */
const watchers = new WeakMap<Producer | Consumer, Map<TraceType, number>>();

/**
 * Listens to one type of trace events. `enableTraceEvent()` replaces the types of the last call, so this function counts the
 * listeners of each type, and several can listen at the same time.
 *
 * @param listener - gets the `info` of mediasoup's `trace` event
 * @returns a function that stops listening
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
	// Producers and consumers have the same methods, but TypeScript cannot call a method of the union.
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
	// If it closes meanwhile, no events are needed.
	target.enableTraceEvent(types).catch(() => undefined);
}
