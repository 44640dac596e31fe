import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Gauge, register, Registry } from 'prom-client';
import { SfuError, type Sfu, type User } from 'sfu-rooms';
import { SfuMetrics } from 'sfu-rooms/metrics';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { startCall, startRoom, startSfu, until } from '../rooms/setup.js';
import { mediaAddress } from '../support/namespace.js';
import { anOffer, loadOffer } from '../support/offers.js';
import { ProtooClient } from '../support/protooClient.js';
import { startServers } from '../support/servers.js';
import { answerByWerift, pushByWerift } from '../support/weriftPeer.js';
import { noParser, parse, scrape } from './scrape.js';

describe('The metrics of an Sfu', { skip: noParser }, () => {
	it('are what Prometheus takes, with a call that flows', async (t) => {
		const { sfu, join } = await startRoom(t, { webRtc: { listen: [{ ip: mediaAddress }] } });
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		const [alice, bob] = [await join('alice'), await join('bob')];
		await assert.rejects(join('bob'));
		const { connection, send } = await pushByWerift(t, alice);
		await until(() => connection.state === 'connected', 'alice has connected', 20_000);
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		await answerByWerift(t, offer);
		await until(() => offer.connection.state === 'connected', 'bob has connected', 20_000);
		let seen = await scrape(registry);
		const at = (name: string) => seen.get(`sfu_rooms_${name}`);
		await until(
			async () => {
				send();
				seen = await scrape(registry);
				return (
					at('transfer_bytes_total{direction="sent"}')! > 2000 &&
					at('transfer_bytes_per_second{direction="received"}')! > 0 &&
					at('transfer_bytes_per_second{direction="sent"}')! > 0
				);
			},
			'media flows',
			30_000,
		);
		const values = {
			ready: 1,
			rooms: 1,
			users: 2,
			waiting_users: 0,
			'connections{state="connected"}': 2,
			'connections{state="new"}': 0,
			'pushers{kind="audio"}': 1,
			'pushers{kind="video"}': 0,
			'pullers{kind="audio"}': 1,
			'pullers{kind="data"}': 0,
			'pipes{target="server"}': 0,
			workers: 1,
			worker_deaths_total: 0,
			'worker_full{worker="0"}': 0,
			'operation_duration_seconds_count{operation="join"}': 2,
			'operation_duration_seconds_count{operation="push"}': 1,
			'operation_duration_seconds_count{operation="pull"}': 1,
			'operation_duration_seconds_count{operation="offer"}': 1,
			'operation_duration_seconds_count{operation="answer"}': 1,
			'operation_duration_seconds_count{operation="connect"}': 2,
			'operation_failures_total{code="conflict",operation="join"}': 1,
		};
		for (const [name, value] of Object.entries(values)) assert.equal(at(name), value, name);
		assert.ok(at('operation_duration_seconds_sum{operation="connect"}')! > 0);
		assert.ok(at('worker_cpu_seconds_total{worker="0"}')! > 0);
		assert.ok(at('worker_resident_memory_bytes{worker="0"}')! > 1_000_000);
		assert.ok(at('worker_tracks{worker="0"}')! >= 2);
		assert.equal(at('cluster_nodes'), undefined, 'there is no cluster');
	});

	it('are named as Prometheus wants it, and have no id of a room, a user or a connection', async (t) => {
		const { sfu, alice, pushed } = await startCall(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		await assert.rejects(alice.push('no SDP'));
		const text = await registry.metrics();
		for (const { name, type, help, samples } of parse(text)) {
			assert.match(name, /^sfu_rooms_[a-z0-9_]+$/);
			assert.match(help, /\.$/, name);
			assert.doesNotMatch(name, /_(?:ms|milliseconds|kb|bits?|percent)(?:_|$)/, name);
			if (type === 'counter') for (const [sample] of samples) assert.match(sample, /_total$/);
			else assert.doesNotMatch(name, /_total$/);
			for (const [, labels] of samples) assert.ok(Object.keys(labels).length <= 2, name);
		}
		for (const id of ['alice', 'bob', '"room"', pushed.connection.connectionId]) assert.ok(!text.includes(id), id);
	});

	it('count the deaths of workers, and are there while no worker is', async (t) => {
		const { sfu, worker } = await startSfu(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		const died = new Promise((resolve) => {
			sfu.once('workerDied', () => {
				resolve(scrape(registry));
			});
		});
		process.kill(worker.pid, 'SIGKILL');
		const seen = (await died) as ReadonlyMap<string, number>;
		assert.equal(seen.get('sfu_rooms_worker_deaths_total'), 1);
		await until(async () => (await scrape(registry)).get('sfu_rooms_workers') === 1, 'it is replaced', 20_000);
	});

	it('do not wait for a worker that hangs', async (t) => {
		const { sfu, worker } = await startCall(t, { workers: { count: 1, healthTimeout: 0 } });
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		process.kill(worker.pid, 'SIGSTOP');
		t.after(() => process.kill(worker.pid, 'SIGKILL'));
		const seen = await scrape(registry);
		assert.equal(seen.get('sfu_rooms_users'), 2);
		assert.equal(seen.get('sfu_rooms_worker_cpu_seconds_total{worker="0"}'), undefined);
	});

	it('leave out what is sent and received if the app wants so', async (t) => {
		const { sfu } = await startSfu(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry, transfer: false });
		const seen = await scrape(registry);
		assert.deepEqual(
			[...seen.keys()].filter((name) => name.includes('transfer')),
			[],
		);
	});

	it('count the messages that fail, by their code, whatever clients call them', async (t) => {
		const { sfu } = await startSfu(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		const adapter = new ProtooAdapter(sfu, {
			authorize: {
				join: ({ userId }) => {
					if (userId === 'mallory') return false;
					if (userId === 'eve') throw new SfuError('limit_exceeded', 'come back later');
					if (userId === 'trudy') throw new TypeError('a fault of the app');
					return { permissions: { push: false } };
				},
				push: true,
			},
			limits: { messageLength: 20_000, textLength: 10 },
		});
		t.after(() => {
			adapter.close();
		});
		const connect = () =>
			ProtooClient.overPair((socket) => {
				adapter.accept(socket);
			});
		for (const userId of ['mallory', 'eve', 'trudy']) await assert.rejects(connect().join('room', userId));
		const alice = connect();
		await alice.join('room', 'alice');
		const member = { roomId: 'room', userId: 'alice' };
		await assert.rejects(
			alice.request('push', { ...member, sdp: { type: 'offer', sdp: anOffer('chromium-sendonly-audio') } }),
		);
		await assert.rejects(alice.request('push', member));
		await assert.rejects(alice.request('textMessage', { ...member, message: 'more than ten characters' }));
		await assert.rejects(alice.request('unpull', { ...member, pullerIds: ['of-nobody'] }));
		for (const method of ['__proto__', 'x'.repeat(500), 'autoPull'])
			await assert.rejects(alice.request(method, member));
		await assert.rejects(alice.request('heartbeat', { ...member, more: 'x'.repeat(20_000) }));
		alice.send('no message');
		alice.send(
			JSON.stringify({ notification: true, method: 'textMessage', data: { ...member, userId: 'bob', message: 'x' } }),
		);
		await alice.request('heartbeat', member);
		const seen = await scrape(registry);
		const counted = [...seen].filter(([name]) => name.startsWith('sfu_rooms_message_failures_total'));
		assert.deepEqual(
			Object.fromEntries(
				counted.map(([name, value]) => [name.replace(/^.*code="(\w+)",method="(\w+)".*$/, '$2 $1'), value]),
			),
			{
				'join forbidden': 1,
				'join limit_exceeded': 1,
				'join internal': 1,
				'push forbidden': 1,
				'push invalid_argument': 1,
				'textMessage too_large': 1,
				'textMessage forbidden': 1,
				'unpull not_found': 1,
				'other not_found': 3,
				'other too_large': 1,
				'other invalid_argument': 1,
			},
		);
	});

	it('count the connections that close, by the reason', async (t) => {
		const { sfu, alice, bob, pushed, worker } = await startCall(t);
		const registry = new Registry();
		const metrics = new SfuMetrics(sfu, { registry });
		const closed = async () =>
			Object.fromEntries(
				[...(await scrape(registry))].flatMap(([name, value]) => {
					const [, reason] = /^sfu_rooms_connections_closed_total\{reason="(\w+)"/.exec(name) ?? [];
					return reason === undefined ? [] : [[reason, value]];
				}),
			);
		const push = (user: User) => user.push(anOffer('chromium-sendonly-audio'));
		pushed.connection.close();
		(await push(alice)).connection.close('of the app');
		(await push(alice)).connection.close('also of the app');
		await push(alice);
		alice.close();
		assert.deepEqual(await closed(), { closed: 1, other: 2, userLeft: 1 });
		await assert.rejects(bob.push(anOffer('chromium-sendonly-audio').replaceAll('opus', 'none')));
		await push(bob);
		const { length } = bob.connections;
		process.kill(worker.pid, 'SIGKILL');
		await until(() => bob.connections.length === 0, 'the worker has died', 20_000);
		const { negotiationFailed = 0, ...others } = await closed();
		assert.deepEqual(others, { closed: 1, other: 2, userLeft: 1, workerDied: length });
		assert.ok(negotiationFailed <= 1);
		metrics.close();
		assert.equal(registry.getMetricsAsArray().length, 0);
	});

	it('do not count a wait in the lobby as the duration of a join', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		await join('alice');
		room.setLobby(true);
		room.on('userWaiting', ({ waiting }) => {
			waiting.admit();
		});
		await join('bob');
		const seen = await scrape(registry);
		assert.equal(seen.get('sfu_rooms_operation_duration_seconds_count{operation="join"}'), 1);
	});

	it('tell how late the event loop was since the last scrape', async (t) => {
		const { sfu } = await startSfu(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		// The first look at the loop begins the measurement.
		await new Promise((resolve) => setTimeout(resolve, 100));
		const end = performance.now() + 500;
		while (performance.now() < end);
		await new Promise((resolve) => setTimeout(resolve, 100));
		const seen = await scrape(registry);
		assert.ok(seen.get('sfu_rooms_event_loop_delay_max_seconds')! >= 0.4);
		assert.ok(seen.get('sfu_rooms_event_loop_delay_p99_seconds')! >= 0);
	});

	it('have the servers of a cluster', async (t) => {
		const [one, two] = (await startServers(2)) as [Sfu, Sfu];
		t.after(() => {
			one.close();
			two.close();
		});
		const registry = new Registry();
		new SfuMetrics(one, { registry });
		const here = await one.getOrCreateRoom('room');
		const alice = await here.join({ userId: 'alice' });
		await alice.push(loadOffer('chromium-sendonly-audio'));
		const there = await two.getOrCreateRoom('room');
		const bob = await there.join({ userId: 'bob' });
		await bob.pull({ targetUserId: 'alice', specs: [...there.users.get('alice')!.pushers.values()] });
		const seen = await scrape(registry);
		const values = { users: 1, cluster_nodes: 2, cluster_bus_connected: 1, 'pipes{target="server"}': 1 };
		for (const [name, value] of Object.entries(values)) assert.equal(seen.get(`sfu_rooms_${name}`), value, name);
	});

	describe('in a registry', () => {
		it('are those of several Sfus with different names, each of which can go', async (t) => {
			const registry = new Registry();
			const [one, two] = [await startRoom(t), await startRoom(t)];
			const metrics = new SfuMetrics(one.sfu, { registry, name: 'one' });
			new SfuMetrics(two.sfu, { registry, name: 'two' });
			await one.join('alice');
			await assert.rejects(one.join('alice'));
			await two.join('bob');
			await two.join('carol');
			const before = await scrape(registry);
			assert.equal(before.get('sfu_rooms_users{sfu="one"}'), 1);
			assert.equal(before.get('sfu_rooms_users{sfu="two"}'), 2);
			assert.equal(before.get('sfu_rooms_operation_failures_total{code="conflict",operation="join",sfu="one"}'), 1);
			metrics.close();
			metrics.close();
			await one.join('dave');
			const after = await scrape(registry);
			assert.deepEqual(
				[...after.keys()].filter((name) => name.includes('sfu="one"')),
				[],
			);
			assert.equal(after.get('sfu_rooms_users{sfu="two"}'), 2);
			two.sfu.close();
			assert.equal(registry.getMetricsAsArray().length, 0, 'they go with the last Sfu');
		});

		it('cannot be there twice under one name', async (t) => {
			const registry = new Registry();
			const [{ sfu }, other] = [await startSfu(t), await startSfu(t)];
			const metrics = new SfuMetrics(sfu, { registry });
			assert.throws(() => new SfuMetrics(sfu, { registry }), { code: 'conflict' });
			assert.throws(() => new SfuMetrics(other.sfu, { registry }), {
				code: 'conflict',
				message: /give another `name`/,
			});
			assert.equal((await scrape(registry)).get('sfu_rooms_ready'), 1, 'the first ones are still there');
			metrics.close();
			new SfuMetrics(sfu, { registry });
			assert.equal((await scrape(registry)).get('sfu_rooms_ready'), 1);
		});

		it("stand beside the app's own, and refuse to take their names", async (t) => {
			const { sfu } = await startSfu(t);
			const registry = new Registry();
			new Gauge({ name: 'sfu_rooms_pushers', help: "The app's own.", registers: [registry] });
			assert.throws(() => new SfuMetrics(sfu, { registry }), { code: 'conflict' });
			assert.deepEqual(
				registry.getMetricsAsArray().map(({ name }) => name),
				['sfu_rooms_pushers'],
			);
		});

		it('come back into one that the app has cleared', async (t) => {
			const { sfu } = await startSfu(t);
			const registry = new Registry();
			const metrics = new SfuMetrics(sfu, { registry });
			registry.clear();
			new SfuMetrics(sfu, { registry });
			metrics.close();
			assert.equal((await scrape(registry)).get('sfu_rooms_ready'), 1);
		});

		it("are in prom-client's own by default", async (t) => {
			const { sfu } = await startSfu(t);
			const metrics = new SfuMetrics(sfu);
			assert.equal(metrics.registry, register);
			assert.ok(register.getSingleMetric('sfu_rooms_rooms'));
			metrics.close();
			assert.equal(register.getSingleMetric('sfu_rooms_rooms'), undefined);
		});
	});

	it('refuse wrong options, and an Sfu that has closed', async (t) => {
		const { sfu } = await startSfu(t);
		for (const options of [null, { registry: 1 }, { name: '' }, { transfer: 1 }, { other: 1 }]) {
			assert.throws(() => new SfuMetrics(sfu, options as never), { code: 'invalid_argument' });
		}
		sfu.close();
		assert.throws(() => new SfuMetrics(sfu, { registry: new Registry() }), { code: 'closed' });
	});

	it('do not keep a process alive', async () => {
		const code = `
			import { Sfu } from 'sfu-rooms';
			import { SfuMetrics } from 'sfu-rooms/metrics';
			const sfu = await Sfu.create({ workers: { count: 1 } });
			const metrics = new SfuMetrics(sfu);
			await metrics.registry.metrics();
			sfu.close();
			console.log('done');
		`;
		const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
		const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
		assert.equal(stdout, 'done\n');
	});

	it('survive offers that fail while they are scraped', async (t) => {
		const { sfu, join } = await startRoom(t);
		const registry = new Registry();
		new SfuMetrics(sfu, { registry });
		const alice = await join('alice');
		const scraping = Promise.all([scrape(registry), scrape(registry)]);
		await alice.push(anOffer('chromium-sendonly-audio'));
		alice.close();
		const [one, two] = await scraping;
		assert.equal(one.get('sfu_rooms_rooms'), 1);
		assert.equal(two.get('sfu_rooms_rooms'), 1);
	});
});
