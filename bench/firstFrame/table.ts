import { summarize } from '../negotiation/statistics.js';
import type { Row } from '../report.js';
import type { Taken } from './play.js';
import type { Place, SystemName } from './System.js';
import { timeColumns } from './timeColumns.js';

const systems: Record<SystemName, string> = {
	bare: 'bare mediasoup',
	client: 'sfu-rooms, the client offers',
	server: 'sfu-rooms, the server offers',
};

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
				return {
					system: name + places[place],
					pull: isCold ? 'cold' : 'warm',
					...timeColumns(times, { name: 'bare', median: bare }),
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
