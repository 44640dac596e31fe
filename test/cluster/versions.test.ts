import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Cluster } from '../../src/cluster/Cluster.js';
import { MemoryBus } from '../../src/cluster/MemoryBus.js';
import type { SharedRoomListener } from '../../src/cluster/SharedRoom.js';
import { nodesSubject, nodeSubject, roomSubject, wireVersion } from '../../src/cluster/wire.js';
import { until } from '../media/setup.js';

const roomId = 'a room';
const load = () => ({ draining: false, load: 0, rooms: 0, users: 0 });

/** A server, and what it knows and logs. */
async function startServer(t: TestContext, bus: MemoryBus) {
	const logged: string[] = [];
	const log = (message: string) => logged.push(message);
	const logger = { debug: log, info: log, warn: log, error: log };
	const listen = { ip: '127.0.0.1', port: 0 };
	const cluster = await Cluster.create({ bus, secret: 'secret', listen, load }, logger);
	t.after(() => cluster.close());
	const users = new Map<string, unknown>();
	const set = (userId: string, state: unknown) => void users.set(userId, state);
	const ignore = () => undefined;
	const listener: SharedRoomListener<unknown> = {
		joined: (userId, _, state) => {
			set(userId, state);
		},
		changed: set,
		left: (userId) => void users.delete(userId),
		replaced: ignore,
		settingChanged: ignore,
		factChanged: ignore,
		event: ignore,
	};
	return { cluster, users, logged, room: await cluster.openRoom(roomId, listener) };
}

/** Changes each message that a server sends, as a server of another version would write it. */
class OtherVersion extends MemoryBus {
	readonly #write: (message: { v: number; body: object }) => object;

	constructor(other: MemoryBus, write: (message: { v: number; body: object }) => object) {
		super(other);
		this.#write = write;
	}

	override publish(subject: string, message: Uint8Array): Promise<void> {
		const read = JSON.parse(Buffer.from(message).toString()) as { v: number; body: object };
		return super.publish(subject, Buffer.from(JSON.stringify(this.#write(read))));
	}
}

const withNewFields = (by: number) => (message: { v: number; body: object }) => ({
	...message,
	v: message.v + by,
	aNewField: { of: 'the envelope' },
	body: { ...message.body, aNewField: ['of the message'] },
});

describe('A server of the version before or after', () => {
	for (const [name, by] of [
		['before', -1],
		['after', 1],
	] as const) {
		it(`shares rooms: ${name}, with fields that are not known`, async (t) => {
			const bus = new MemoryBus();
			const here = await startServer(t, bus);
			const there = await startServer(t, new OtherVersion(bus, withNewFields(by)));
			here.room.set('alice', { name: 'Alice' });
			there.room.set('bob', { name: 'Bob' });
			await until(() => here.users.has('bob') && there.users.has('alice'), 'both are known');
			there.room.set('bob', { name: 'Bob II' });
			await until(() => JSON.stringify(here.users.get('bob')).includes('II'), 'a change arrives');
			there.room.delete('bob', 'left');
			await until(() => !here.users.has('bob'), 'he has left');
			assert.deepEqual(here.cluster.nodes.size, 2);
		});
	}

	it('may send messages and ask for things that are not known', async (t) => {
		const bus = new MemoryBus();
		const here = await startServer(t, bus);
		const there = await startServer(t, new MemoryBus(bus));
		here.room.set('alice', {});
		there.room.set('bob', {});
		await until(() => here.users.has('bob'), 'bob is known');
		const { nodeId: from } = there.cluster;
		const body = { kind: 'aNewKind', roomId };
		for (const subject of [nodesSubject, nodeSubject(here.cluster.nodeId), roomSubject(roomId)])
			await bus.publish(subject, Buffer.from(JSON.stringify({ v: wireVersion + 1, from, body })));
		await until(() => here.logged.filter((one) => one.includes('another version')).length === 2, 'it is logged');
		await assert.rejects(there.cluster.request(here.cluster.nodeId, 'aNewRequest', {}), { code: 'unsupported' });
		assert.deepEqual([...here.users.keys()], ['bob'], 'nothing has changed');
	});

	it('is understood, and one that is two versions away is not: that is logged', async (t) => {
		const bus = new MemoryBus();
		const here = await startServer(t, bus);
		const there = await startServer(t, new OtherVersion(bus, withNewFields(2)));
		there.room.set('bob', {});
		await until(() => here.logged.some((one) => one.includes('too far')), 'it is logged');
		assert.deepEqual([here.cluster.nodes.size, here.users.size], [1, 0]);
	});
});
