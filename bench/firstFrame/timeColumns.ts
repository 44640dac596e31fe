import { summarize } from '../negotiation/statistics.js';
import type { Row } from '../report.js';

/** Who takes longer than this, in ms, has missed the keyframe that was asked for first. */
const late = 400;

/**
 * What a table tells of the times of a kind of pull, in ms.
 *
 * @param baseline - the name of what the times are compared with, and its median
 */
export function timeColumns(times: readonly number[], baseline: { name: string; median: number }): Row {
	const { median, p10, p95 } = summarize(times);
	return {
		'median ms': Math.round(median),
		p10: Math.round(p10),
		p95: Math.round(p95),
		[`over ${late} ms`]: `${times.filter((time) => time > late).length} of ${times.length}`,
		[`× ${baseline.name}`]: (median / baseline.median).toFixed(2),
	};
}
