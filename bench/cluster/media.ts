import type { Row } from '../report.js';

/** The rooms of one size, and on how many servers each is. */
export interface Share {
	name: string;
	rooms: number;
	users: number;
	pushing: number;
	servers: number;
}

/** By the measurements with two servers: the processor time for 1 Mbit/s at each end, in cores. */
const coresPerMbit = 0.001;
/** Of the microphone and the camera of one user. */
const mbitPerUser = 1;

/** What the media between the servers costs, if everybody pulls everybody: computed, not measured. */
export function mediaRows(shares: readonly Share[], nodes: number): Row[] {
	const row = (name: string, pairs: number, mbit: number, servers: number): Row => ({
		rooms: name,
		'servers a room': +servers.toFixed(1),
		'pairs a room': Math.round(pairs),
		'Mbit/s between servers, a room': Math.round(mbit),
		'cores a room, both ends': +(2 * mbit * coresPerMbit).toFixed(3),
		'out of a server with one who pushes, Mbit/s': Math.round((servers - 1) * mbitPerUser),
	});
	const rows = shares.map(({ name, pushing, servers }) =>
		row(name, (servers * (servers - 1)) / 2, pushing * mbitPerUser * (servers - 1), servers),
	);
	const sum = (of: (share: Share) => number) => shares.reduce((all, share) => all + of(share) * share.rooms, 0);
	const mbit = sum(({ pushing, servers }) => pushing * mbitPerUser * (servers - 1));
	return [
		...rows,
		{
			rooms: `all, for each of ${nodes} servers`,
			'servers a room': '',
			'pairs a room': Math.round((2 * sum(({ servers }) => (servers * (servers - 1)) / 2)) / nodes),
			'Mbit/s between servers, a room': Math.round(mbit / nodes),
			'cores a room, both ends': +((2 * mbit * coresPerMbit) / nodes).toFixed(1),
			'out of a server with one who pushes, Mbit/s': '',
		},
	];
}
