// Takes 8 s.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { natsBus } from '../../examples/natsBus.js';
import type { Bus } from '../../src/cluster/Bus.js';
import { MemoryBus } from '../../src/cluster/MemoryBus.js';
import { sealedBus } from '../../src/cluster/sealedBus.js';
import { noNats, noRedis, startNats, startRedis, type Server } from '../support/redis.js';
import { busOf, clientNames, Mailbox, settled } from './busesSetup.js';

interface Kind {
	name: string;
	skip?: string | false;
	start?: () => Promise<Server>;
	/** The buses of two servers of a cluster. */
	connect: (t: TestContext, server?: Server) => Promise<[Bus, Bus]>;
	/** Whether it outlasts a listener that throws, copies what it is given, and rejects when it is closed. */
}

const memoryBuses = (): [MemoryBus, MemoryBus] => {
	const bus = new MemoryBus();
	return [bus, new MemoryBus(bus)];
};

const kinds: Kind[] = [
	{ name: 'MemoryBus', connect: () => Promise.resolve(memoryBuses()) },
	{
		name: 'sealedBus over MemoryBus',
		connect: () => {
			const [one, other] = memoryBuses();
			return Promise.resolve([sealedBus(one, 'secret'), sealedBus(other, 'secret')]);
		},
	},
	...clientNames.flatMap((client): Kind[] => {
		const connect: Kind['connect'] = async (t, server) => {
			const { port } = server!;
			return [await busOf(t, { client, port }), await busOf(t, { client, port })];
		};
		const kind = { skip: noRedis, start: startRedis };
		return [
			{ name: `redisBus with ${client}`, ...kind, connect },
			{
				name: `sealedBus over redisBus with ${client}`,
				...kind,
				connect: async (t, server) => {
					const [one, other] = await connect(t, server);
					return [sealedBus(one, 'secret'), sealedBus(other, 'secret')];
				},
			},
		];
	}),
	{
		name: 'redisBus with ioredis and with node-redis',
		...{ skip: noRedis, start: startRedis },
		connect: (t, server) =>
			Promise.all([
				busOf(t, { client: 'ioredis', port: server!.port }),
				busOf(t, { client: 'node-redis', port: server!.port }),
			]),
	},
	{
		name: 'natsBus',
		...{ skip: noNats, start: startNats },
		connect: async (t, server) => {
			const one = await natsBus({ port: server!.port });
			const other = await natsBus({ port: server!.port });
			t.after(() => Promise.all([one.close(), other.close()]));
			return [one, other];
		},
	},
];

for (const { name, skip = false, start, connect } of kinds) {
	describe(name, { skip, timeout: 60_000 }, () => {
		let server: Server | undefined;
		before(async () => (server = await start?.()));
		after(() => server?.end());

		it('carries bytes to the subscribers of all servers, its own among them', async (t) => {
			const [one, other] = await connect(t, server);
			const [own, far] = [new Mailbox(), new Mailbox()];
			await one.subscribe('room.a', own.listener);
			await other.subscribe('room.a', far.listener);
			const messages = [
				Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
				Buffer.alloc(0),
				Buffer.alloc(200_000, 'x'),
				Uint8Array.of(0, 1, 2, 3).subarray(1, 3),
			];
			for (const message of messages) await one.publish('room.a', message);
			const expected = messages.map((message) => Buffer.from(message));
			assert.deepEqual(await own.take(messages.length), expected);
			assert.deepEqual(await far.take(messages.length), expected);
		});

		it('carries a message to its subject only', async (t) => {
			const [one, other] = await connect(t, server);
			const longest = `${'Room_1-a.'.repeat(22)}xy`;
			assert.equal(longest.length, 200);
			const subjects = ['room', 'room.a', 'rooms', 'Room', longest];
			const mailboxes = subjects.map(() => new Mailbox());
			for (const [index, subject] of subjects.entries()) await other.subscribe(subject, mailboxes[index]!.listener);
			for (const subject of [...subjects, 'nobody', 'room.a.b']) await one.publish(subject, Buffer.from(subject));
			await settled(one, other);
			assert.deepEqual(
				mailboxes.map(({ messages }) => messages.map(String)),
				subjects.map((subject) => [subject]),
			);
		});

		it('keeps the order of one server', async (t) => {
			const [one, other] = await connect(t, server);
			const mailbox = new Mailbox();
			await other.subscribe('one', mailbox.listener);
			await other.subscribe('two', mailbox.listener);
			const texts = Array.from({ length: 1000 }, (_, index) => String(index));
			await Promise.all(texts.map((text, index) => one.publish(index % 2 ? 'one' : 'two', Buffer.from(text))));
			assert.deepEqual(await mailbox.takeTexts(1000), texts);
		});

		it('calls each listener of a subject, until its own subscription ends', async (t) => {
			const [one, other] = await connect(t, server);
			const mailbox = new Mailbox();
			// The same function twice, as well.
			const ends = await Promise.all([1, 2, 3].map(() => other.subscribe('room', mailbox.listener)));
			for (const [ended, expected] of [3, 2, 1, 0].entries()) {
				await one.publish('room', Buffer.from('message'));
				await settled(one, other);
				assert.equal(mailbox.messages.splice(0).length, expected);
				ends[ended]?.();
				// Twice is as good as once.
				ends[ended]?.();
			}
			await other.subscribe('room', mailbox.listener);
			await one.publish('room', Buffer.from('again'));
			assert.deepEqual(await mailbox.takeTexts(1), ['again']);
		});

		it('subscribes at once after the last subscription has ended', async (t) => {
			const [one, other] = await connect(t, server);
			const mailbox = new Mailbox();
			for (let times = 0; times < 50; times++) {
				const end = await other.subscribe('room', () => undefined);
				end();
				const [endAgain] = await Promise.all([other.subscribe('room', mailbox.listener)]);
				await one.publish('room', Buffer.from(String(times)));
				assert.deepEqual(await mailbox.takeTexts(1), [String(times)]);
				endAgain();
			}
		});

		it('takes many subscriptions and messages at a time', async (t) => {
			const [one, other] = await connect(t, server);
			const subjects = Array.from({ length: 300 }, (_, index) => `room.${index}`);
			const mailbox = new Mailbox();
			await Promise.all(subjects.map((subject) => other.subscribe(subject, mailbox.listener)));
			await Promise.all(subjects.map((subject) => one.publish(subject, Buffer.from(subject))));
			assert.deepEqual(await mailbox.takeTexts(300), subjects);
		});

		it('says that it is connected, once', async (t) => {
			const [one] = await connect(t, server);
			const changes: boolean[] = [];
			const end = one.onConnected((connected) => changes.push(connected));
			assert.equal(one.connected, true);
			await settled(one, one);
			end();
			end();
			assert.deepEqual(changes, []);
		});

		it('ends its own subscriptions by close(), and no others', async (t) => {
			const [one, other] = await connect(t, server);
			const [own, far] = [new Mailbox(), new Mailbox()];
			const end = await one.subscribe('room', own.listener);
			await other.subscribe('room', far.listener);
			await one.close();
			await one.close();
			await other.publish('room', Buffer.from('message'));
			assert.deepEqual(await far.takeTexts(1), ['message']);
			await settled(other, other);
			assert.deepEqual(own.messages, []);
			end();
		});

		it('carries what was published, whatever becomes of its buffer meanwhile', async (t) => {
			const [one, other] = await connect(t, server);
			const mailbox = new Mailbox();
			await other.subscribe('room', mailbox.listener);
			const buffer = Buffer.from('before');
			const published = one.publish('room', buffer);
			buffer.fill('x');
			await published;
			assert.deepEqual(await mailbox.takeTexts(1), ['before']);
		});

		it('rejects when it is closed', async (t) => {
			const [one] = await connect(t, server);
			const changes: boolean[] = [];
			one.onConnected((connected) => changes.push(connected));
			await one.close();
			assert.equal(one.connected, false);
			await assert.rejects(one.publish('room', Buffer.from('message')), { name: 'SfuError', code: 'closed' });
			await assert.rejects(
				one.subscribe('room', () => undefined),
				{ name: 'SfuError', code: 'closed' },
			);
			assert.deepEqual(changes, []);
		});

		it('outlasts a listener that throws', async (t) => {
			t.mock.method(console, 'error', () => undefined);
			const [one, other] = await connect(t, server);
			const mailbox = new Mailbox();
			await other.subscribe('room', () => {
				throw new Error('thrown');
			});
			await other.subscribe('room', mailbox.listener);
			for (const text of ['one', 'two']) await one.publish('room', Buffer.from(text));
			assert.deepEqual(await mailbox.takeTexts(2), ['one', 'two']);
			assert.equal(other.connected, true);
		});
	});
}
