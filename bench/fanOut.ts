/**
 * What it costs that the users of a room are told of each other: how long many take to join at once, one more to join and to
 * leave, and how much memory one takes. The baseline of each row is what no server can do without: to serialise the same
 * messages once, and to hand the texts to as many sockets.
 *
 *     node --expose-gc --import tsx bench/fanOut.ts [--json FILE]
 */
import type * as Core from 'sfu-rooms';
import type * as Protoo from 'sfu-rooms/protoo';
import type { Socket } from 'sfu-rooms/protoo';
import { loadBundle } from './loadBundle.js';
import { report } from './report.js';

const { Sfu, ProtooAdapter } = (await loadBundle('index.ts', 'protoo/index.ts')) as typeof Core & typeof Protoo;

const unlimited = 1_000_000_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: console.error };

/** A client that joins, and counts what it is told. */
class Client implements Socket {
	static messages = 0;
	static characters = 0;
	readonly bufferedAmount = 0;
	#receive: ((text: string) => void) | undefined;
	#closed: ((code: number) => void) | undefined;
	#joined: (() => void) | undefined;

	send(text: string): void {
		Client.messages++;
		Client.characters += text.length;
		if (text.startsWith('{"response":true')) this.#joined?.();
	}

	close(): void {
		this.#closed?.(1000);
	}

	listen({ message, closed }: Parameters<Socket['listen']>[0]): void {
		this.#receive = message;
		this.#closed = closed;
	}

	join(roomId: string, userId: string): Promise<void> {
		const joined = new Promise<void>((resolve) => (this.#joined = resolve));
		const data = { roomId, userId, userName: `User ${userId}` };
		this.#receive!(JSON.stringify({ request: true, id: 1, method: 'join', data }));
		return joined;
	}

	leave(): void {
		this.#closed?.(1000);
	}
}

async function timed(act: () => unknown): Promise<number> {
	const begin = performance.now();
	await act();
	return performance.now() - begin;
}

const memory = () => {
	globalThis.gc?.();
	return process.memoryUsage().heapUsed;
};

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** What it takes at least to tell `receivers` clients of one message. */
const sink = new Client();
function baseline(data: unknown, receivers: number): number {
	const begin = performance.now();
	const text = JSON.stringify({ notification: true, method: 'newUser', data });
	for (let index = 0; index < receivers; index++) sink.send(text);
	return performance.now() - begin;
}

async function play(users: number, rooms: number, hidden: boolean) {
	const limits = { rooms: unlimited, usersPerRoom: unlimited };
	const sfu = await Sfu.create({ workers: { count: 1 }, logger: quiet, limits });
	// Of those who are hidden, nobody is told.
	const permissions = ({ userId }: { userId: string }) => ({ hidden: hidden && !userId.startsWith('speaker') });
	const authorize = (action: { action: string; data: { userId: string } }) =>
		action.action === 'join' ? { permissions: permissions(action.data) } : true;
	const adapter = new ProtooAdapter(sfu, {
		authorize: authorize as never,
		limits: { messagesPerSecond: unlimited, messageBurst: unlimited },
	});
	const connect = () => {
		const client = new Client();
		adapter.accept(client);
		return client;
	};
	const room = (index: number) => `room ${index % rooms}`;
	for (let index = 0; index < rooms; index++) await sfu.getOrCreateRoom(room(index));
	const speakers = hidden ? 5 : 0;
	await Promise.all(Array.from({ length: speakers }, (_, index) => connect().join(room(0), `speaker ${index}`)));
	const clients = Array.from({ length: users }, connect);
	const before = memory();
	Client.messages = Client.characters = 0;
	const all = await timed(() => Promise.all(clients.map((client, index) => client.join(room(index), `user ${index}`))));
	const { messages, characters } = Client;
	const perUser = (memory() - before) / users;
	const joins: number[] = [];
	const leaves: number[] = [];
	for (let index = 0; index < 30; index++) {
		const client = connect();
		joins.push(await timed(() => client.join(room(0), 'one more')));
		leaves.push(
			await timed(() => {
				client.leave();
			}),
		);
	}
	const inRoom = Math.ceil(users / rooms);
	const one = [{ userId: 'one more', userName: 'User one more', pushers: [] }];
	const others = Array.from({ length: hidden ? speakers : inRoom }, () => one[0]);
	const least = median(Array.from({ length: 30 }, () => baseline(one, hidden ? 0 : inRoom) + baseline(others, 1)));
	adapter.close();
	sfu.close();
	return {
		users,
		rooms,
		hidden: hidden ? 'yes' : 'no',
		'all join, ms': Math.round(all),
		'messages each': +(messages / users).toFixed(1),
		'characters each': Math.round(characters / users),
		'one more joins, ms': +median(joins).toFixed(2),
		'leaves, ms': +median(leaves).toFixed(2),
		'least for a join, ms': +least.toFixed(3),
		'kB of heap each': +(perUser / 1000).toFixed(1),
	};
}

const table = [];
// Warm up.
await play(100, 1, false);
for (const users of [10, 100, 500, 1000]) table.push(await play(users, 1, false));
for (const users of [10, 100, 1000, 5000]) table.push(await play(users, 1, true));
for (const rooms of [1, 100, 5000]) table.push(await play(5000, rooms, rooms === 1));
const file = process.argv.indexOf('--json');
report(
	{
		name: 'fan-out',
		rows: table,
		plots: [{ title: 'A join takes, by the users of its room', x: 'users', y: 'one more joins, ms', series: 'hidden' }],
	},
	file > 0 ? process.argv[file + 1] : undefined,
);
process.exit(0);
