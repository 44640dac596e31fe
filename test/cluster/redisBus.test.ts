// Takes 47 s.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { after, before, beforeEach, describe, it, mock, type TestContext } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { createClient, RESP_TYPES } from 'redis';
import type { Bus } from '../../src/cluster/Bus.js';
import { redisBus } from '../../src/cluster/redisBus.js';
import type { RedisClient } from '../../src/cluster/redisClients.js';
import { SfuError } from '../../src/SfuError.js';
import { freePort, noRedis, startRedis, type Server } from '../support/redis.js';
import { busOf, clientNames, clients, isConnected, Mailbox, settled } from './busesSetup.js';

const unavailable = { name: 'SfuError', code: 'unavailable' };

/** Collects the changes of `connected`. */
function changesOf(bus: Bus): boolean[] {
	const changes: boolean[] = [];
	bus.onConnected((connected) => changes.push(connected));
	return changes;
}

/** Publishes something that has to fail. @returns how long that took, in ms */
async function failToPublish(bus: Bus, text: string): Promise<number> {
	const started = performance.now();
	await assert.rejects(bus.publish('room', Buffer.from(text)), (error) => {
		assert.ok(error instanceof SfuError);
		assert.equal(error.code, 'unavailable');
		assert.ok(error.cause instanceof Error);
		return true;
	});
	return performance.now() - started;
}

const unconnected = {
	ioredis: (port: number) => new Redis(port, '127.0.0.1', { lazyConnect: true }),
	'node-redis': (port: number) => createClient({ socket: { host: '127.0.0.1', port } }),
};

/** Looks at Redis from outside. */
function inspector(t: TestContext, port: number): Redis {
	const redis = new Redis(port, '127.0.0.1');
	redis.on('error', () => undefined);
	t.after(() => {
		redis.disconnect();
	});
	return redis;
}

async function callsOf(redis: Redis, command: string): Promise<number> {
	const stats = await redis.info('commandstats');
	return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

async function connectionsOf(redis: Redis): Promise<number> {
	return ((await redis.client('LIST')) as string).trim().split('\n').length;
}

describe('redisBus', { skip: noRedis, timeout: 180_000 }, () => {
	const rejections: unknown[] = [];
	const rejected = (reason: unknown) => rejections.push(reason);
	let server: Server;

	before(() => {
		mock.method(console, 'warn', () => undefined);
		mock.method(console, 'error', () => undefined);
		process.on('unhandledRejection', rejected);
	});
	beforeEach(async (context) => {
		server = await startRedis();
		(context as TestContext).after(() => server.end());
	});
	after(() => {
		process.off('unhandledRejection', rejected);
		mock.restoreAll();
		assert.deepEqual(rejections, []);
	});

	for (const client of clientNames) {
		describe(`with ${client}`, () => {
			it('rejects while Redis is stopped, and sends nothing of that later', async (t) => {
				const one = await busOf(t, { client, port: server.port });
				const other = await busOf(t, { client, port: server.port });
				const mailbox = new Mailbox();
				await other.subscribe('room', mailbox.listener);
				// A subscriber that has no guards, and keeps its connection.
				const witness = inspector(t, server.port);
				const seen: string[] = [];
				witness.on('message', (_channel, message) => seen.push(message));
				await witness.subscribe('sfu-rooms:room');
				const changes = [changesOf(one), changesOf(other)];
				await one.publish('room', Buffer.from('before'));
				await mailbox.take(1);
				const connections = await connectionsOf(witness);

				server.stop();
				const stopped = performance.now();
				const failures: Promise<number>[] = [];
				while (performance.now() - stopped < 3000) {
					failures.push(failToPublish(one, `stale ${failures.length}`));
					await sleep(50);
				}
				assert.equal(one.connected, false);
				assert.equal(other.connected, false);
				const subscribing = performance.now();
				await assert.rejects(
					one.subscribe('other', () => undefined),
					unavailable,
				);
				const subscribed = performance.now() - subscribing;
				const took = await Promise.all(failures);
				server.resume();

				assert.ok(Math.max(...took, subscribed) < 2000, `${Math.max(...took, subscribed)} ms`);
				await Promise.all([isConnected(one), isConnected(other)]);
				// Whatever is late has come by then.
				await sleep(1500);
				await one.publish('room', Buffer.from('after'));
				await settled(one, other);
				assert.deepEqual(mailbox.messages.map(String), ['after']);
				assert.deepEqual(seen, ['before', 'after']);
				assert.equal(await connectionsOf(witness), connections);
				assert.deepEqual(changes, [
					[false, true],
					[false, true],
				]);
			});

			it('comes back with 1,000 subscriptions when Redis is killed and started again', async (t) => {
				const one = await busOf(t, { client, port: server.port });
				const other = await busOf(t, { client, port: server.port });
				const subjects = Array.from({ length: 1000 }, (_, index) => `room.${index}`);
				const mailbox = new Mailbox();
				await Promise.all(subjects.map((subject) => other.subscribe(subject, mailbox.listener)));
				const changes = [changesOf(one), changesOf(other)];

				await server.kill();
				await Promise.all([isConnected(one, false), isConnected(other, false)]);
				const failures = Array.from({ length: 10 }, (_, index) => failToPublish(one, `stale ${index}`));
				assert.ok(Math.max(...(await Promise.all(failures))) < 1000);
				// Several attempts to connect fail.
				await sleep(3000);
				assert.ok((await failToPublish(one, 'stale')) < 1000);
				await server.start();
				await Promise.all([isConnected(one), isConnected(other)]);

				// What waits for too long in a queue expires, so they do not go all at once.
				for (let first = 0; first < subjects.length; first += 50) {
					const some = subjects.slice(first, first + 50);
					await Promise.all(some.map((subject) => one.publish(subject, Buffer.from(subject))));
				}
				assert.deepEqual(await mailbox.takeTexts(1000), subjects);
				await settled(one, other);
				assert.deepEqual(mailbox.messages, []);
				assert.equal(await callsOf(inspector(t, server.port), 'subscribe'), 2);
				assert.deepEqual(changes, [
					[false, true],
					[false, true],
				]);
			});

			it('comes back when only its own connections are cut', async (t) => {
				const bus = await busOf(t, { client, port: server.port });
				const mailbox = new Mailbox();
				await bus.subscribe('room', mailbox.listener);
				const changes = changesOf(bus);
				const redis = inspector(t, server.port);
				for (const type of ['pubsub', 'normal']) {
					const cut = isConnected(bus, false);
					await redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
					await cut;
					await isConnected(bus);
					await bus.publish('room', Buffer.from(type));
					assert.deepEqual(await mailbox.takeTexts(1), [type]);
				}
				assert.deepEqual(changes, [false, true, false, true]);
			});

			it('waits for Redis when it is not there yet', async (t) => {
				await server.kill();
				// The app's client need not be connected.
				const bus = redisBus(unconnected[client](server.port));
				t.after(() => bus.close());
				const changes = changesOf(bus);
				assert.equal(bus.connected, false);
				assert.ok((await failToPublish(bus, 'stale')) < 2000);
				await server.start();
				await isConnected(bus);
				const mailbox = new Mailbox();
				await bus.subscribe('room', mailbox.listener);
				await bus.publish('room', Buffer.from('message'));
				assert.deepEqual(await mailbox.takeTexts(1), ['message']);
				assert.deepEqual(changes, [true]);
			});

			it('gives up connections on which Redis never answers', async (t) => {
				const silent = createServer();
				const sockets = new Set<Socket>();
				let accepted = 0;
				silent.on('connection', (socket) => {
					accepted++;
					sockets.add(socket);
					socket.on('error', () => undefined);
					socket.on('close', () => sockets.delete(socket));
					socket.resume();
				});
				silent.listen(0, '127.0.0.1');
				await once(silent, 'listening');
				t.after(() => silent.close());
				const bus = redisBus(unconnected[client]((silent.address() as AddressInfo).port), { timeout: 200 });
				assert.ok((await failToPublish(bus, 'stale')) < 2000);
				// An attempt may take a second here.
				while (accepted < 6) await sleep(100);
				assert.equal(bus.connected, false);
				await bus.close();
				while (sockets.size > 0) await sleep(100);
				await sleep(1500);
				assert.equal(sockets.size, 0);
			});

			it('can be used at once, and be closed at once', async (t) => {
				const redis = inspector(t, server.port);
				const app = await clients[client](t, server.port);
				await redis.ping();
				const connections = await connectionsOf(redis);
				const bus = redisBus(app);
				const mailbox = new Mailbox();
				await bus.subscribe('room', mailbox.listener);
				await bus.publish('room', Buffer.from('message'));
				await mailbox.take(1);
				assert.equal(await connectionsOf(redis), connections + 2);
				await bus.close();

				const short = redisBus(app);
				const changes = changesOf(short);
				const outcomes = [short.publish('room', Buffer.from('message')), short.subscribe('room', () => undefined)];
				const closed = short.close();
				for (const outcome of outcomes) await assert.rejects(outcome, { name: 'SfuError', code: 'closed' });
				await closed;
				await sleep(1500);
				assert.equal(await connectionsOf(redis), connections);
				assert.deepEqual(changes, []);
			});

			it('subscribes once to a subject, however many listen', async (t) => {
				const bus = await busOf(t, { client, port: server.port, prefix: 'app' });
				const redis = inspector(t, server.port);
				const mailbox = new Mailbox();
				const ends = await Promise.all([1, 2, 3].map(() => bus.subscribe('room', mailbox.listener)));
				assert.equal(await callsOf(redis, 'subscribe'), 1);
				for (const end of ends) {
					await settled(bus, bus);
					assert.deepEqual(await redis.pubsub('NUMSUB', 'app:room'), ['app:room', 1]);
					end();
				}
				await settled(bus, bus);
				assert.deepEqual(await redis.pubsub('NUMSUB', 'app:room'), ['app:room', 0]);
			});

			it('does not take a pause of its own process for one of Redis', async (t) => {
				const bus = await busOf(t, { client, port: server.port });
				const mailbox = new Mailbox();
				await bus.subscribe('room', mailbox.listener);
				const changes = changesOf(bus);
				// Redis answers while this process is busy, and not before.
				server.stop();
				const published = bus.publish('room', Buffer.from('message'));
				for (let turns = 0; turns < 10; turns++) await immediate();
				server.resume();
				for (const started = performance.now(); performance.now() - started < 2000;);
				await published;
				assert.deepEqual(await mailbox.takeTexts(1), ['message']);
				// The next check of the connections.
				await sleep(1000);
				assert.deepEqual(changes, []);
			});

			it('passes on that Redis refuses', async (t) => {
				const bus = await busOf(t, { client, port: server.port });
				const changes = changesOf(bus);
				const redis = inspector(t, server.port);
				await redis.call('ACL', 'SETUSER', 'default', '-eval', 'resetchannels', '&sfu-rooms:room');
				await assert.rejects(bus.publish('room', Buffer.from('message')), (error) => {
					assert.match(String((error as SfuError).cause), /NOPERM/);
					return true;
				});
				await assert.rejects(
					bus.subscribe('other', () => undefined),
					unavailable,
				);
				await bus.subscribe('room', () => undefined);
				// To change the channels of a user ends the connections that have subscribed to others, and no more.
				await redis.call('ACL', 'SETUSER', 'default', '+eval', 'allchannels');
				const mailbox = new Mailbox();
				await bus.subscribe('other', mailbox.listener);
				await bus.publish('other', Buffer.from('message'));
				assert.deepEqual(await mailbox.takeTexts(1), ['message']);
				assert.deepEqual(changes, []);
			});

			it('outlasts what listeners throw and reject', async (t) => {
				const bus = await busOf(t, { client, port: server.port });
				const reject: () => unknown = () => Promise.reject(new Error('rejected'));
				const mailbox = new Mailbox();
				await bus.subscribe('room', reject);
				await bus.subscribe('room', mailbox.listener);
				bus.onConnected(reject);
				bus.onConnected(() => {
					throw new Error('thrown');
				});
				const changes = changesOf(bus);
				await server.kill();
				await isConnected(bus, false);
				await server.start();
				await isConnected(bus);
				await bus.publish('room', Buffer.from('message'));
				assert.deepEqual(await mailbox.takeTexts(1), ['message']);
				assert.deepEqual(changes, [false, true]);
			});
		});
	}

	it('leaves an ioredis client of the app alone', async (t) => {
		const app = await clients.ioredis(t, server.port);
		await app.ping();
		const [options, events] = [{ ...app.options }, app.eventNames()];
		const popped = app.blpop('list', 0);
		const bus = redisBus(app);
		const mailbox = new Mailbox();
		await bus.subscribe('room', mailbox.listener);
		await bus.publish('room', Buffer.from('message'));
		await mailbox.take(1);
		await bus.close();
		assert.deepEqual({ ...app.options }, options);
		assert.deepEqual(app.eventNames(), events);
		assert.equal(app.status, 'ready');
		await inspector(t, server.port).rpush('list', 'value');
		assert.deepEqual(await popped, ['list', 'value']);
	});

	it('leaves a node-redis client of the app alone', async (t) => {
		const app = await clients['node-redis'](t, server.port);
		const [options, socket, events] = [{ ...app.options }, { ...app.options.socket }, app.eventNames()];
		const [own, mailbox] = [new Mailbox(), new Mailbox()];
		await app.subscribe('sfu-rooms:room', own.listener, true);
		const bus = redisBus(app);
		await bus.subscribe('room', mailbox.listener);
		await bus.publish('room', Buffer.from('one'));
		await mailbox.take(1);
		await bus.close();
		assert.deepEqual({ ...app.options }, options);
		assert.deepEqual({ ...app.options.socket }, socket);
		assert.deepEqual(app.eventNames(), events);
		await inspector(t, server.port).publish('sfu-rooms:room', 'two');
		assert.deepEqual(await own.takeTexts(2), ['one', 'two']);
	});

	it('connects as the app does, and publishes what the app has options against', async (t) => {
		const { port } = server;
		await inspector(t, port).config('SET', 'requirepass', 'password');
		const ioredis = (options: object) =>
			new Redis(port, '127.0.0.1', { password: 'password', lazyConnect: true, ...options });
		const socket = { host: '127.0.0.1', port };
		const textsAsBuffers = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
		const apps: RedisClient[] = [
			ioredis({ keyPrefix: 'app:', db: 3, commandTimeout: 1, socketTimeout: 1000, enableAutoPipelining: true }),
			ioredis({ protocol: 2, retryStrategy: null, maxRetriesPerRequest: null, autoResubscribe: false }),
			ioredis({ replyMapping: 'resp3', stringNumbers: true }),
			createClient({ socket, password: 'password', keyPrefix: 'app:', database: 3, commandsQueueMaxLength: 1 }),
			createClient({ url: `redis://:password@127.0.0.1:${port}`, RESP: 2, pingInterval: 100 }),
			createClient({ socket, password: 'password', commandOptions: textsAsBuffers, emitInvalidate: true }),
		];
		const buses = apps.map((app) => redisBus(app));
		t.after(() => Promise.all(buses.map((bus) => bus.close())));
		const changes = buses.map(changesOf);
		const mailboxes = buses.map(() => new Mailbox());
		const texts = buses.map((_, index) => `from ${index}`);
		for (let times = 0; times < 2; times++) {
			const ends = await Promise.all(buses.map((bus, index) => bus.subscribe('room', mailboxes[index]!.listener)));
			for (const [index, bus] of buses.entries()) await bus.publish('room', Buffer.from(texts[index]!));
			for (const mailbox of mailboxes) assert.deepEqual(await mailbox.takeTexts(buses.length), texts);
			for (const end of ends) end();
			// Some checks of the connections, without a subscription.
			await sleep(1500);
		}
		assert.deepEqual(
			changes,
			buses.map(() => [true]),
		);
	});

	it('works in a Redis Cluster, between different nodes', async (t) => {
		const clusterPorts = [await freePort(), await freePort()];
		const options = (index: number) => ['--cluster-enabled', 'yes', '--cluster-port', `${clusterPorts[index]}`];
		const nodes = [await startRedis(...options(0)), await startRedis(...options(1))];
		t.after(() => Promise.all(nodes.map((node) => node.end())));
		const [one, two] = nodes.map(({ port }) => inspector(t, port));
		await one!.call('CLUSTER', 'ADDSLOTSRANGE', 0, 8191);
		await two!.call('CLUSTER', 'ADDSLOTSRANGE', 8192, 16383);
		await one!.call('CLUSTER', 'MEET', '127.0.0.1', nodes[1]!.port, clusterPorts[1]!);
		while (
			!(await Promise.all([one!.cluster('INFO'), two!.cluster('INFO')])).every((info) => info.includes('state:ok'))
		) {
			await sleep(100);
		}

		const app = new Cluster([{ host: '127.0.0.1', port: nodes[0]!.port }]);
		t.after(() => {
			app.disconnect();
		});
		await once(app, 'ready');
		const bus = redisBus(app);
		const others = nodes.map(({ port }) => redisBus(new Redis({ host: '127.0.0.1', port, lazyConnect: true })));
		const buses = [bus, ...others];
		t.after(() => Promise.all(buses.map((each) => each.close())));
		const mailboxes = buses.map(() => new Mailbox());
		for (const [index, each] of buses.entries()) await each.subscribe('room', mailboxes[index]!.listener);
		for (const [index, each] of buses.entries()) await each.publish('room', Buffer.from(String(index)));
		for (const mailbox of mailboxes) assert.deepEqual((await mailbox.takeTexts(3)).sort(), ['0', '1', '2']);

		const back = isConnected(bus, false).then(() => isConnected(bus));
		for (const redis of [one!, two!]) await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
		await back;
		await Promise.all(others.map((each) => isConnected(each)));
		await others[1]!.publish('room', Buffer.from('again'));
		for (const mailbox of mailboxes) assert.deepEqual(await mailbox.takeTexts(1), ['again']);
	});

	it('takes no other clients, and no timeout that is none', () => {
		const invalid = { name: 'SfuError', code: 'invalid_argument' };
		assert.throws(() => redisBus({} as unknown as RedisClient), invalid);
		const client = new Redis({ lazyConnect: true });
		for (const timeout of [0, -1, Number.NaN]) assert.throws(() => redisBus(client, { timeout }), invalid);
	});
});
