import type { Place } from '../firstFrame/System.js';
import { timeColumns } from '../firstFrame/timeColumns.js';
import { summarize } from '../negotiation/statistics.js';
import type { Row } from '../report.js';
import type { Offerer, Taken, Warmth } from './play.js';

const pulls: Record<Warmth, string> = {
	cold: 'the first between the servers',
	way: 'the first of a track, after others',
	track: 'a later one of a track',
};

const places: Record<Place, string> = { same: 'the same', other: 'another' };

/** The rows of each kind of pull, that of the same server first: it is the baseline. */
export function rowsOf(taken: readonly Taken[]): Row[] {
	const timesOf = (offerer: Offerer, warmth: Warmth, place: Place) =>
		taken
			.filter((one) => one.offerer === offerer && one.warmth === warmth && one.place === place)
			.map(({ decoded }) => decoded);
	const cases = (['client', 'server'] as const).flatMap((offerer) =>
		(['cold', 'way', 'track'] as const).map((warmth) => ({ offerer, warmth })),
	);
	return cases.flatMap(({ offerer, warmth }) => {
		const { median } = summarize(timesOf(offerer, warmth, 'same'));
		return (['same', 'other'] as const).map((place) => {
			return {
				'who offers': `the ${offerer}`,
				pull: pulls[warmth],
				'from server': places[place],
				...timeColumns(timesOf(offerer, warmth, place), { name: 'same', median }),
			};
		});
	});
}
