// Takes 60 s in test:long, and nothing otherwise.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { until } from '../media/setup.js';
import { Host, noHosts, testAddress, type Cut } from '../support/hosts.js';
import { ReceivingPeer, SendingPeer } from '../support/mediaPeers.js';
import { noRedis, Server } from '../support/redis.js';
import { runsAll } from '../support/seed.js';
import {
	eventually,
	killServerProcesses,
	startServerProcesses,
	type ServerProcess,
} from '../support/serverProcesses.js';
import { openRoom, untilSame } from './openRooms.js';

const names = ['one', 'two', 'three'] as const;
const skip = noRedis || noHosts || (!runsAll && 'takes a minute: npm run test:long faults');

/**
 * Redis runs on the host of server one, with a replica on that of server two. Sentinel is where the test is. A partition parts
 * server one and its Redis from all others.
 */
describe('A Redis that fails over', { skip, timeout: 400_000 }, () => {
	const hosts: Host[] = [];
	const running: Server[] = [];
	let servers: ServerProcess[];
	let old: Server;
	let replica: Server;
	let sentinel: Server;

	const startOn = async (host: Host | undefined, ...options: string[]) => {
		const address = host?.address ?? testAddress;
		const memoryOnly = [
			'--save',
			'',
			'--appendonly',
			'no',
			'--protected-mode',
			'no',
			'--repl-diskless-sync-delay',
			'0',
		];
		const server = await Server.start((port) => {
			const command = ['redis-server', '--port', `${port}`, '--bind', address, ...memoryOnly, ...options];
			return (host?.command(...command) ?? command) as [string, ...string[]];
		}, address);
		running.push(server);
		return server;
	};

	before(async () => {
		for (const index of names.keys()) hosts.push(await Host.start(index + 1));
		old = await startOn(hosts[0]);
		replica = await startOn(hosts[1], '--replicaof', hosts[0]!.address, `${old.port}`);
		sentinel = await Server.start((port) => {
			const lines = [
				`port ${port}`,
				`bind ${testAddress}`,
				'protected-mode no',
				`sentinel monitor sfu ${hosts[0]!.address} ${old.port} 1`,
				'sentinel down-after-milliseconds sfu 1500',
				'sentinel failover-timeout sfu 6000',
			];
			return ['sh', '-c', `echo '${lines.join('\n')}' > sentinel.conf; exec redis-server sentinel.conf --sentinel`];
		}, testAddress);
		running.push(sentinel);
		const asking = new Redis(sentinel.port, testAddress);
		await eventually(
			'Sentinel knows the replica',
			async () => {
				const replicas = (await asking.call('SENTINEL', 'REPLICAS', 'sfu')) as unknown[];
				assert.equal(replicas.length, 1);
				assert.ok(String(replicas[0]).includes('master-link-status,ok'), String(replicas[0]));
			},
			30_000,
		);
		asking.disconnect();
		const places = hosts.map((host) => ({ host, redisHost: testAddress, sentinelPort: sentinel.port }));
		servers = await startServerProcesses(0, names, places);
	});
	after(async () => {
		await killServerProcesses();
		for (const server of running) await server.end();
		for (const host of hosts) await host.close();
	});

	it('leaves one owner of an id that both sides had, and nobody who has left', async (t) => {
		const [one, two, three] = servers as [ServerProcess, ServerProcess, ServerProcess];
		const roomId = t.name;
		await openRoom(t, roomId, ...servers);
		await one.call('join', roomId, { userId: 'leaves' });
		const owners = { one: 'one', two: 'two', three: 'three' };
		await untilSame(roomId, servers, { ...owners, leaves: 'one' });
		const sender = await SendingPeer.connect(two, roomId, 'two', testAddress);
		await three.untilTold(roomId, 'two has video');
		const receiver = await ReceivingPeer.connect(three, roomId, 'three', 'two', testAddress);
		t.after(() => Promise.all([sender.close(), receiver.close()]));
		await until(() => receiver.pictures.length > 5 && receiver.sounds.length > 5, 'it is received', 20_000);

		const began = Date.now();
		const [first, ...others] = hosts as [Host, Host, Host];
		const cuts: Cut[] = [];
		for (const host of others) {
			cuts.push(host.drop({ from: first.address }));
			cuts.push(first.drop({ from: host.address }));
		}
		for (const tcpPort of [old.port, sentinel.port]) cuts.push(first.drop({ from: testAddress, tcpPort }));
		t.after(() => {
			for (const cut of cuts) cut.stop();
		});
		for (const userId of ['two', 'three']) await one.untilTold(roomId, `${userId} left: nodeLost`, 15_000);
		for (const server of [two, three]) await server.untilTold(roomId, 'one left: nodeLost', 15_000);
		// The replica is promoted. It lacks what the old one was told meanwhile.
		const cli = (host: Host, { port }: Server, ...args: string[]) =>
			host.run('redis-cli', '-h', host.address, '-p', `${port}`, ...args).trim();
		assert.equal(cli(first, old, 'set', 'claim', 'one'), 'OK');
		await eventually(
			'the replica is promoted',
			() => {
				assert.match(cli(others[0], replica, 'role'), /^master/);
				return Promise.resolve();
			},
			30_000,
		);
		assert.equal(cli(others[0], replica, 'exists', 'claim'), '0');
		await eventually(
			'each side has a bus',
			async () => {
				for (const server of servers) assert.equal((await server.call('about')).connected, true, server.name);
			},
			20_000,
		);
		// Both sides take the same user for theirs.
		await one.call('join', roomId, { userId: 'both' });
		await two.call('join', roomId, { userId: 'both' });
		await one.call('user', roomId, 'leaves', 'close', 'bye');
		await untilSame(roomId, [one], { one: 'one', both: 'one' });
		await untilSame(roomId, [two, three], { two: 'two', three: 'three', both: 'two' });
		// With its bus there, server one does not ask Sentinel.
		for (const cut of cuts.slice(0, -1)) assert.ok(cut.dropped > 0, 'packets were dropped');

		for (const cut of cuts) cut.stop();
		const returned = Date.now();
		// Sentinel waits about 10 s before it makes the old one a replica. That is when Redis is back for all.
		await until(() => one.story('', returned).includes('two joined'), 'server one is back', 60_000);
		const back = Date.now();
		let owner = '';
		const took = await eventually('all agree', async () => {
			const views = await Promise.all(servers.map((server) => server.call('owners', roomId)));
			owner = views[0]!.both ?? 'nobody';
			for (const view of views)
				assert.deepEqual(Object.entries(view).sort(), Object.entries({ ...owners, both: owner }).sort());
		});
		t.diagnostic(`Redis is one ${back - returned} ms after the return, and all agree ${Math.round(took)} ms later`);
		assert.ok(['one', 'two'].includes(owner), owner);
		await sleep(4000);
		// One of them was replaced, and only one.
		const replaced = servers.flatMap((server) =>
			server.story(roomId).filter((text) => text.startsWith('both closed here')),
		);
		assert.deepEqual(replaced, ['both closed here: replaced']);
		for (const server of servers) {
			for (const userId of [...Object.keys(owners), 'both', 'leaves']) {
				const turns = server.story(roomId).flatMap((text) => {
					const turn = new RegExp(`^${userId} (joined|left)`).exec(text)?.[1];
					return turn === undefined ? [] : [turn];
				});
				// Who was there when the server opened the room is told of only when it leaves.
				const expected = turns.map((turn, index) =>
					index === 0 ? turn : turns[index - 1] === 'left' ? 'joined' : 'left',
				);
				assert.deepEqual(turns, expected, `${server.name} tells of ${userId} in turns`);
				assert.notEqual(turns.at(-1), userId === 'leaves' ? 'joined' : 'left', `${server.name}: ${userId}`);
			}
		}
		const gaps = (['pictures', 'sounds'] as const).map((of) => receiver.longestGap(of, began));
		t.diagnostic(`the call went on: never ${gaps.join(' and ')} ms without pictures and sounds`);
		assert.ok(Math.max(...gaps) < 3000, gaps.join());
	});
});
