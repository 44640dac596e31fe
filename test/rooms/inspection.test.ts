import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { MemoryBus } from '../../src/cluster/MemoryBus.js';
import { anOffer, loadOffer } from '../support/offers.js';
import { startServers } from '../support/servers.js';
import { onTwoWorkers } from '../support/workers.js';
import { startCall, startRoom, startSfu, until } from './setup.js';

const ready = { ready: true, live: true, problems: [] };

describe('The health of an Sfu', () => {
	it('is ready, then draining, then closed', async (t) => {
		const { sfu } = await startSfu(t);
		assert.deepEqual(sfu.health, ready);
		await sfu.drain({ timeout: 0 });
		assert.deepEqual(sfu.health, { ready: false, live: true, problems: ['draining'] });
		sfu.close();
		assert.deepEqual(sfu.health, { ready: false, live: false, problems: ['closed'] });
	});

	it('misses a worker until another one has taken its place', async (t) => {
		const { sfu, worker } = await startSfu(t);
		const seen: unknown[] = [];
		sfu.once('workerDied', () => seen.push(sfu.health));
		sfu.once('workerReplaced', () => seen.push(sfu.health));
		process.kill(worker.pid, 'SIGKILL');
		await until(() => seen.length === 2, 'the worker is replaced', 20_000);
		assert.deepEqual(seen, [{ ready: false, live: true, problems: ['noWorker'] }, ready]);
	});

	it('tells that the bus of a cluster is gone', async (t) => {
		const bus = new MemoryBus();
		const sfu = await Sfu.create({
			workers: { count: 1 },
			cluster: { bus, secret: 'a secret of at least 32 characters', listen: { ip: '127.0.0.1' } },
		});
		t.after(() => {
			sfu.close();
		});
		assert.deepEqual(sfu.health, ready);
		await bus.close();
		assert.deepEqual(sfu.health.problems, ['busGone']);
		assert.deepEqual([sfu.health.ready, sfu.health.live], [false, true]);
	});
});

describe('The counts of an Sfu', () => {
	it('have everything that is there, and nothing that has gone', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		await alice.push(anOffer('chromium-sendonly-audio-video-data'), { data: [{ id: 1, label: 'chat' }] });
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		room.setLobby(true);
		room.join({ userId: 'carol' }).catch(() => undefined);
		await until(() => room.waiting.size === 1, 'carol waits');
		const { counts } = sfu;
		assert.deepEqual(
			[counts.rooms, counts.users, counts.waiting, counts.pushers],
			[1, 2, 1, { audio: 1, video: 1, data: 1 }],
		);
		assert.deepEqual(counts.pullers, { audio: 1, video: 1, data: 1 });
		assert.deepEqual(counts.connections, { new: 2, connected: 0, disconnected: 0 });
		offer.connection.close();
		alice.close();
		bob.close();
		room.close();
		const none = { audio: 0, video: 0, data: 0 };
		assert.deepEqual(sfu.counts, {
			rooms: 0,
			users: 0,
			waiting: 0,
			connections: { new: 0, connected: 0, disconnected: 0 },
			pushers: none,
			stalledPushers: 0,
			pullers: none,
			pipes: { workers: 0, servers: 0 },
		});
	});

	it('have what goes from one worker to another', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { workers: onTwoWorkers() });
		assert.equal(sfu.counts.pipes.workers, 0);
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		assert.deepEqual(sfu.counts.pipes, { workers: 2, servers: 0 });
		assert.deepEqual(
			sfu.workers.map(({ pipes }) => pipes),
			[2, 0],
		);
		const [pushing] = alice.connections;
		assert.deepEqual([pushing?.workerIndex, offer.connection.workerIndex], [0, 1]);
		offer.connection.close();
		await until(() => sfu.counts.pipes.workers === 0, 'the pipes have gone');
	});

	it('have what goes to other servers, and only the users of this one', async (t) => {
		const [one, two] = (await startServers(2)) as [Sfu, Sfu];
		t.after(() => {
			one.close();
			two.close();
		});
		const here = await one.getOrCreateRoom('room');
		const alice = await here.join({ userId: 'alice', metadata: 'of the app' });
		await alice.push(loadOffer('chromium-sendonly-audio'));
		const there = await two.getOrCreateRoom('room');
		const bob = await there.join({ userId: 'bob' });
		await bob.pull({ targetUserId: 'alice', specs: [...there.users.get('alice')!.pushers.values()] });
		await until(() => here.users.size === 2, 'bob is known');
		assert.equal(one.counts.pipes.servers, 1);
		assert.deepEqual([one.counts.users, two.counts.users], [1, 1]);
		assert.deepEqual([two.counts.pushers.audio, two.counts.pullers.audio], [0, 1]);
		const picture = two.inspect();
		assert.deepEqual(picture.cluster?.nodes.map(({ name }) => name).sort(), ['server 0', 'server 1']);
		const [room] = picture.rooms;
		assert.deepEqual(
			room?.users.map(({ userId, isRemote, pushers }) => [userId, isRemote, pushers.length]),
			[
				['alice', true, 1],
				['bob', false, 0],
			],
		);
		assert.deepEqual([room.serverPipes?.incoming, one.inspect().rooms[0]?.serverPipes?.outgoing], [1, 1]);
	});
});

describe('The picture of an Sfu', () => {
	/** A room with simulcast, a data channel, a puller and somebody who waits. */
	async function startPicture(t: Parameters<typeof startCall>[0]) {
		const started = await startRoom(t);
		const { room, join } = started;
		const alice = await room.join({ userId: 'alice', userName: 'Alice', metadata: { account: 'of the app' } });
		const bob = await join('bob');
		const { connection } = await alice.push(anOffer('chromium-sendonly-video-simulcast'), {
			media: { '0': { source: 'camera', metadata: { title: 'of the client' } } },
		});
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		await offer.added[0]!.pause();
		room.setLobby(true);
		room.join({ userId: 'carol' }).catch(() => undefined);
		await until(() => room.waiting.size === 1, 'carol waits');
		return { ...started, alice, bob, connection, offer };
	}

	it('is plain JSON, and has workers, rooms, users, connections, pushers, pullers and layers', async (t) => {
		const { sfu, alice, connection, offer } = await startPicture(t);
		const picture = sfu.inspect();
		assert.deepEqual(JSON.parse(JSON.stringify(picture)), picture);
		const { version, health, counts, workers, rooms, truncated } = picture;
		assert.deepEqual([version, health, counts, truncated], [1, sfu.health, sfu.counts, false]);
		assert.deepEqual(Object.keys(workers[0]!).sort(), ['cpu', 'index', 'isFull', 'pid', 'pipes', 'rooms', 'tracks']);
		const [pusher] = alice.pushers.values();
		const [puller] = offer.added;
		assert.ok(pusher && puller);
		assert.deepEqual(
			rooms.map(({ users, ...room }) => room),
			[
				{
					roomId: 'room',
					locked: false,
					lobby: true,
					bans: 0,
					waiting: [{ userId: 'carol', userName: 'carol' }],
				},
			],
		);
		const [first, second] = rooms[0]!.users;
		assert.deepEqual(first, {
			userId: 'alice',
			userName: 'Alice',
			isRemote: false,
			hidden: false,
			connections: [
				{
					connectionId: connection.connectionId,
					offeredBy: 'client',
					state: 'new',
					worker: 0,
					maxIncomingBitrate: 0,
					maxOutgoingBitrate: 0,
				},
			],
			pushers: [
				{
					pusherId: pusher.pusherId,
					connectionId: connection.connectionId,
					kind: 'video',
					source: 'camera',
					pausedBy: [],
					stalled: false,
					codec: 'VP8',
					encodings: 3,
					wantedEncodings: first!.pushers[0]!.wantedEncodings,
				},
			],
			pullers: [],
		});
		assert.equal(first.pushers[0]!.wantedEncodings?.length, 3);
		assert.deepEqual(
			second!.pullers.map(({ layers: told, ...rest }) => ({ ...rest, preferred: told?.preferred.spatialLayer })),
			[
				{
					pullerId: puller.pullerId,
					pusherId: pusher.pusherId,
					targetUserId: 'alice',
					connectionId: offer.connection.connectionId,
					kind: 'video',
					pausedBy: ['app'],
					priority: 1,
					preferred: 2,
				},
			],
		);
	});

	it('has no secrets, and the metadata only if it is asked for', async (t) => {
		const { sfu, alice, connection, offer } = await startPicture(t);
		const offered = anOffer('chromium-sendonly-audio');
		const { answer } = await alice.push(offered);
		alice.tickets.set(['a token of a client'], false);
		const secrets = [offered, answer, offer.sdp].flatMap((sdp) =>
			[...sdp.matchAll(/a=(?:ice-pwd|ice-ufrag|fingerprint):(.*)/g)].map(([, secret]) => secret!.trim()),
		);
		assert.ok(secrets.length >= 9);
		const text = JSON.stringify(sfu.inspect());
		assert.ok(text.includes(connection.connectionId));
		for (const secret of [...secrets, 'v=0', 'token', 'of the app', 'of the client', ...alice.tickets.hashes]) {
			assert.ok(!text.includes(secret), secret);
		}
		const [user] = sfu.inspect({ metadata: true }).rooms[0]!.users;
		assert.deepEqual(user?.metadata, { account: 'of the app' });
		assert.deepEqual(user.pushers[0]?.metadata, { title: 'of the client' });
	});

	it("never has what is the app's alone", async (t) => {
		const { sfu, room } = await startRoom(t);
		await room.join({ userId: 'alice', appData: { note: 'for the app alone' }, metadata: { note: 'for all' } });
		const text = JSON.stringify(sfu.inspect({ metadata: true }));
		assert.deepEqual([text.includes('for all'), text.includes('for the app alone')], [true, false]);
	});

	it('ends at its limit, and says so', async (t) => {
		const { sfu, room } = await startRoom(t);
		for (let index = 0; index < 5; index++) await room.join({ userId: `user ${index}` });
		await sfu.getOrCreateRoom('another');
		const { rooms, truncated, counts } = sfu.inspect({ limit: 4 });
		assert.deepEqual(
			rooms.map(({ roomId, users }) => [roomId, users.length]),
			[['room', 3]],
		);
		assert.deepEqual([truncated, counts.rooms, counts.users], [true, 2, 5]);
		assert.equal(sfu.inspect({ limit: 7 }).truncated, false);
	});

	it('may be that of one room', async (t) => {
		const { sfu } = await startRoom(t);
		await sfu.getOrCreateRoom('another');
		const ids = (roomId: string) => sfu.inspect({ roomId }).rooms.map((room) => room.roomId);
		assert.deepEqual([ids('another'), ids('nowhere')], [['another'], []]);
	});

	it('refuses wrong options', async (t) => {
		const { sfu } = await startSfu(t);
		for (const options of [null, { limit: 0 }, { metadata: 1 }, { roomId: 1 }, { other: 1 }]) {
			assert.throws(() => sfu.inspect(options as never), { code: 'invalid_argument' });
		}
	});

	it('is there after the Sfu has closed', async (t) => {
		const { sfu } = await startRoom(t);
		sfu.close();
		const { rooms, workers, health } = sfu.inspect();
		assert.deepEqual([rooms, workers, health.live], [[], [], false]);
	});
});

describe('The usage of workers', () => {
	it('has processor time that only grows, and the memory', async (t) => {
		const { sfu, worker } = await startSfu(t);
		const [before] = await sfu.measureWorkers();
		const [after] = await sfu.measureWorkers();
		assert.ok(before && after);
		assert.deepEqual([before.index, before.pid], [0, worker.pid]);
		assert.ok(before.cpuTime > 0 && after.cpuTime >= before.cpuTime);
		const { memory = 0, peakMemory } = before;
		assert.ok(memory > 1_000_000 && memory < 1_000_000_000, String(memory));
		assert.ok(peakMemory > 1_000_000 && peakMemory < 1_000_000_000, String(peakMemory));
	});

	it('misses a worker that dies meanwhile', async (t) => {
		const { sfu, worker } = await startSfu(t);
		process.kill(worker.pid, 'SIGSTOP');
		const measuring = sfu.measureWorkers();
		process.kill(worker.pid, 'SIGKILL');
		assert.deepEqual(await measuring, []);
	});
});

describe('The stats of a transport', () => {
	it('are there before the client has connected, and not after it has closed', async (t) => {
		const { pushed } = await startCall(t);
		const { connection } = pushed;
		const stats = await connection.getTransportStats();
		assert.deepEqual([stats.connectionId, stats.iceState, stats.bytesReceived], [connection.connectionId, 'new', 0]);
		assert.ok(!('pushers' in stats));
		connection.close();
		await assert.rejects(connection.getTransportStats(), { code: 'closed' });
	});
});
