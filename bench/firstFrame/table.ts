import { summarize } from '../negotiation/statistics.js';
import type { Row } from '../report.js';
import type { Taken } from './play.js';
import type { Place, SystemName } from './System.js';

const systems: Record<SystemName, string> = {
	bare: 'bare mediasoup',
	client: 'sfu-rooms, the client offers',
	server: 'sfu-rooms, the server offers',
};

/** Who takes longer than this, in ms, has missed the keyframe that was asked for first. */
const late = 400;

const places: Record<Place, string> = { same: '', other: ', to another worker' };

const isOf = (system: SystemName, place: Place, isCold: boolean) => (one: Taken) =>
	one.system === system && one.place === place && one.isCold === isCold;

/** The rows of each place, cold and warm, each beginning with its baseline. */
export function rowsOf(taken: readonly Taken[]): Row[] {
	return (['same', 'other'] as const).flatMap((place) =>
		[true, false].flatMap((isCold) => {
			const timesOf = (system: SystemName) => taken.filter(isOf(system, place, isCold)).map(({ decoded }) => decoded);
			const withTransport = taken
				.filter(isOf('bare', place, isCold))
				.map(({ decoded, prepared }) => decoded - prepared);
			const bare = summarize(timesOf('bare')).median;
			const row = (name: string, times: number[]): Row => {
				const { median, p10, p95 } = summarize(times);
				return {
					system: name + places[place],
					pull: isCold ? 'cold' : 'warm',
					'median ms': Math.round(median),
					p10: Math.round(p10),
					p95: Math.round(p95),
					[`over ${late} ms`]: `${times.filter((time) => time > late).length} of ${times.length}`,
					'× bare': (median / bare).toFixed(2),
				};
			};
			return [
				row(systems.bare, timesOf('bare')),
				row(`${systems.bare} with its transport`, withTransport),
				row(systems.client, timesOf('client')),
				row(systems.server, timesOf('server')),
			];
		}),
	);
}
