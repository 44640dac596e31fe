// Takes 60 s.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import * as werift from 'werift';
import { isRunning } from '../media/setup.js';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import { noRedis, startRedis, type Server } from '../support/redis.js';
import {
	eventually,
	killServerProcesses,
	startServerProcesses,
	type ServerProcess,
} from '../support/serverProcesses.js';
import { openRoom, untilSame } from './openRooms.js';

const rounds = Number(process.env.SFU_TEST_JOINS ?? 200);

const sendingOffer = () => anOffer('chromium-sendonly-audio-video');
const receivingOffer = () => anOffer('chromium-recvonly-video-audio');

/** One server pushes audio and video as the user that has its name, and the other one pulls both. */
async function pullAcross(roomId: string, from: ServerProcess, to: ServerProcess): Promise<void> {
	await from.call('push', roomId, from.name, sendingOffer());
	await eventually('the tracks are known', async () => {
		const { users } = await to.call('view', roomId);
		assert.equal(users.find(({ userId }) => userId === from.name)?.pushers.length, 2);
	});
	const { count } = await to.call('pull', roomId, to.name, from.name, receivingOffer());
	assert.equal(count, 2);
}

const receivedBy = async (server: ServerProcess, roomId: string): Promise<number | undefined> =>
	(await server.call('view', roomId)).users.find(({ userId }) => userId === server.name)?.receives;

const isConnected = async (server: ServerProcess): Promise<boolean> => (await server.call('about')).connected;

/** Whether a UDP port is free. */
async function isFree(port: number): Promise<boolean> {
	const socket = createSocket('udp4');
	socket.bind(port, mediaAddress);
	const free = await once(socket, 'listening').then(
		() => true,
		() => false,
	);
	if (free) socket.close();
	return free;
}

describe('Servers in processes of their own', { skip: noRedis, timeout: 400_000 }, () => {
	let redis: Server;
	let one: ServerProcess;
	let two: ServerProcess;
	let three: ServerProcess;
	let four: ServerProcess;

	before(async () => {
		// It keeps what it has on disk. The servers store nothing there.
		redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
		const names = ['one', 'two', 'three', 'four'];
		[one, two, three, four] = (await startServerProcesses(redis.port, names)) as [
			ServerProcess,
			ServerProcess,
			ServerProcess,
			ServerProcess,
		];
	});
	after(async () => {
		await killServerProcesses();
		await redis.end();
	});

	describe('do what another one asks of a user', () => {
		let roomId: string;
		let all: ServerProcess[];

		async function begin(t: TestContext) {
			roomId = t.name;
			all = [one, two, three];
			await openRoom(t, roomId, ...all);
		}

		/** Waits until all have told this, and checks that none tells it twice. */
		async function untilAllTell(text: string) {
			for (const server of all) await server.untilTold(roomId, text);
			for (const server of all) assert.equal(server.story(roomId).filter((told) => told === text).length, 1, text);
		}

		it('kick', async (t) => {
			await begin(t);
			await two.call('user', roomId, 'one', 'kick');
			await untilAllTell('one left: kicked');
			await three.call('user', roomId, 'two', 'kick', 'bye');
			await untilAllTell('two left: bye');
			await untilSame(roomId, all, { three: 'three' });
			await one.call('join', roomId, { userId: 'one' });
		});

		it('ban', async (t) => {
			await begin(t);
			await two.call('user', roomId, 'one', 'kick', { ban: true });
			await untilAllTell('one left: kicked');
			await three.call('room', roomId, 'ban', 'mallory');
			for (const server of all) {
				await eventually('the bans are known', async () => {
					assert.deepEqual((await server.call('view', roomId)).bans.sort(), ['mallory', 'one']);
				});
				for (const userId of ['one', 'mallory'])
					await assert.rejects(server.call('join', roomId, { userId }), { code: 'forbidden' });
			}
			// A server that opens the room later knows them, too.
			await four.call('open', roomId);
			await assert.rejects(four.call('join', roomId, { userId: 'mallory' }), { code: 'forbidden' });
			assert.equal(await one.call('room', roomId, 'unban', 'mallory'), true);
			await eventually('the ban is known to have ended', async () => {
				await four.call('join', roomId, { userId: 'mallory' });
			});
		});

		it('rename and setPermissions', async (t) => {
			await begin(t);
			await two.call('user', roomId, 'one', 'rename', 'The One');
			await untilAllTell('one is The One');
			await one.call('push', roomId, 'one', sendingOffer());
			await untilAllTell('one has video');
			await three.call('user', roomId, 'one', 'setPermissions', { push: { kinds: ['audio'] } });
			await untilAllTell('one may push: {"kinds":["audio"]}');
			await one.untilTold(roomId, 'one video closed: notPermitted');
			for (const server of all) {
				await eventually('the video has gone', async () => {
					const { users } = await server.call('view', roomId);
					const user = users.find(({ userId }) => userId === 'one')!;
					assert.deepEqual([user.userName, user.pushers.map(({ kind }) => kind)], ['The One', ['audio']]);
				});
			}
		});

		it('pause, resume, update, getStats and close of what it sends', async (t) => {
			await begin(t);
			await pullAcross(roomId, one, two);
			await untilAllTell('one has audio');
			await two.call('pusher', roomId, 'one', 'audio', 'pause');
			await untilAllTell('one audio paused by app');
			await three.call('pusher', roomId, 'one', 'audio', 'resume');
			await untilAllTell('one audio resumed by app');
			for (const server of all) {
				const { users } = await server.call('view', roomId);
				const { pushers } = users.find(({ userId }) => userId === 'one')!;
				assert.deepEqual(pushers.map(({ pausedBy }) => pausedBy).flat(), []);
			}
			await two.call('pusher', roomId, 'one', 'video', 'update', { source: 'screen', metadata: { page: 1 } });
			await untilAllTell('one video is screen {"page":1}');
			const here = (await one.call('pusher', roomId, 'one', 'video', 'getStats')) as Record<string, unknown>;
			const there = (await two.call('pusher', roomId, 'one', 'video', 'getStats')) as Record<string, unknown>;
			// What is not known does not cross.
			const known = Object.entries(here).flatMap(([key, value]) => (value === undefined ? [] : [key]));
			assert.deepEqual(Object.keys(there).sort(), known.sort());
			assert.equal(there.pusherId, here.pusherId);
			await three.call('pusher', roomId, 'one', 'video', 'close');
			await untilAllTell('one video closed: closed');
			await two.untilTold(roomId, 'two receives video of one no more: pusherClosed');
			assert.equal(await receivedBy(two, roomId), 1);
		});

		it('lock, texts and close of the room', async (t) => {
			await begin(t);
			await two.call('room', roomId, 'lock');
			for (const server of all) {
				await eventually('it is locked', async () => {
					assert.equal((await server.call('view', roomId)).locked, true);
				});
				await assert.rejects(server.call('join', roomId, { userId: 'late' }), { code: 'forbidden' });
			}
			await three.call('room', roomId, 'unlock');
			await eventually('it is unlocked', () => one.call('join', roomId, { userId: 'late' }));
			await three.call('room', roomId, 'relayText', { userId: 'three', userName: 'Three', message: 'hello' });
			await untilAllTell('three: hello');
			await two.call('room', roomId, 'close', 'over');
			await untilAllTell('closed: over');
			for (const server of all) {
				await assert.rejects(server.call('view', roomId), /has no room/);
				assert.equal(server.story(roomId).filter((text) => text.startsWith('late left')).length, 1);
			}
		});

		it('messages to data channels, and pulls of them', async (t) => {
			await begin(t);
			const client = new werift.RTCPeerConnection({ iceServers: [] });
			const receiver = new werift.RTCPeerConnection({ iceServers: [] });
			t.after(() => Promise.all([client.close(), receiver.close()]));
			const received: string[] = [];
			const channel = client.createDataChannel('chat');
			channel.onMessage.subscribe((data) => received.push(`at one: ${String(data)}`));
			receiver.onDataChannel.subscribe(({ label, onMessage }) => {
				received.push(`at two: ${label}`);
				onMessage.subscribe((data) => received.push(`at two: ${String(data)}`));
			});
			await client.setLocalDescription(await client.createOffer());
			const answer = await one.call('push', roomId, 'one', client.localDescription!.sdp);
			await client.setRemoteDescription({ type: 'answer', sdp: answer });
			await untilAllTell('one has chat');

			assert.equal(await two.call('room', roomId, 'sendData', 'to all'), 1);
			assert.equal(await three.call('room', roomId, 'sendData', 'to one', { userIds: ['one'], label: 'chat' }), 1);
			assert.equal(await three.call('room', roomId, 'sendData', 'to nobody', { label: 'other' }), 0);
			await eventually('both come', () => {
				assert.deepEqual(received, ['at one: to all', 'at one: to one']);
				return Promise.resolve();
			});
			received.length = 0;

			receiver.createDataChannel('mine');
			await receiver.setLocalDescription(await receiver.createOffer());
			const pulled = await two.call('pull', roomId, 'two', 'one', receiver.localDescription!.sdp);
			assert.equal(pulled.count, 1);
			await receiver.setRemoteDescription({ type: 'answer', sdp: pulled.answer });
			await eventually('it is open', () => {
				assert.deepEqual(received, ['at two: chat']);
				return Promise.resolve();
			});
			channel.send('across');
			await eventually('it comes', () => {
				assert.deepEqual(received, ['at two: chat', 'at two: across']);
				return Promise.resolve();
			});
		});
	});

	it('agree on one user when the same id joins on two of them at the same moment', async (t) => {
		const roomId = t.name;
		const all = [one, two, three];
		await openRoom(t, roomId, ...all);
		const outcomes = new Map<string, number>();
		for (let round = 0; round < rounds; round++) {
			const userId = `user ${round}`;
			const takeOver = round % 2 === 0;
			const at = Date.now() + 6;
			const joins = await Promise.allSettled(
				[one, two].map((server) => server.call('join', roomId, { userId, takeOver }, at)),
			);
			const joined = [one, two].filter((_, index) => joins[index]!.status === 'fulfilled');
			for (const join of joins) {
				if (join.status === 'rejected') assert.equal((join.reason as { code?: string }).code, 'conflict');
			}
			assert.ok(joined.length > 0, 'one of them joins');
			let owner: string | undefined;
			const check = async () => {
				const owners = await Promise.all(
					all.map(async (server) => (await server.call('owners', roomId))[userId] ?? 'nowhere'),
				);
				assert.deepEqual(owners, [owners[0], owners[0], owners[0]]);
				owner = owners[0];
			};
			await eventually('all agree', check, 5000, 2);
			const winner = joined.find(({ name }) => name === owner);
			assert.ok(winner, `${owner} has joined`);
			for (const loser of joined) {
				if (loser !== winner) assert.deepEqual(closings(loser, roomId, userId), ['replaced']);
			}
			assert.deepEqual(closings(winner, roomId, userId), []);
			const outcome = joined.length === 1 ? 'only one joined' : 'both joined';
			outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
			await winner.call('user', roomId, userId, 'close');
		}
		await untilSame(roomId, all, { one: 'one', two: 'two', three: 'three' });
		for (const server of all) {
			// Each who has joined has left, in turns.
			const told = server.story(roomId);
			for (let round = 0; round < rounds; round++) {
				const story = told.filter((text) => text.startsWith(`user ${round} `));
				const turns = story
					.filter((text) => !text.includes('closed here'))
					.map((text) => / (joined|left)/.exec(text)?.[1]);
				assert.deepEqual(
					turns,
					turns.map((_, index) => (index % 2 === 0 ? 'joined' : 'left')),
				);
				assert.equal(turns.at(-1), 'left');
			}
		}
		t.diagnostic(JSON.stringify(Object.fromEntries(outcomes)));
		assert.ok(outcomes.get('both joined')! > 0, 'some joins were really at the same moment');
	});

	it('close what is pulled when a worker of another server dies', async (t) => {
		const roomId = t.name;
		await openRoom(t, roomId, one, two);
		await pullAcross(roomId, one, two);
		const [pid] = (await one.call('about')).workerPids;
		const replacements = one.story().filter((text) => text === 'worker replaced').length;
		const killed = Date.now();
		process.kill(pid!, 'SIGKILL');
		const took: number[] = [];
		for (const kind of ['audio', 'video'])
			took.push((await two.untilTold(roomId, `two receives ${kind} of one no more: workerDied`)) - killed);
		t.diagnostic(`within ${took.join(' and ')} ms`);
		assert.ok(Math.max(...took) < 1000, `${took.join(' and ')} ms`);
		await untilSame(roomId, [one, two], { one: 'one', two: 'two' });
		for (const server of [one, two]) {
			assert.deepEqual(
				server.story(roomId).filter((text) => text.includes(' left: ')),
				[],
			);
		}
		// It goes on with another worker.
		await eventually('the worker is replaced', () => {
			const now = one.story().filter((text) => text === 'worker replaced').length;
			assert.equal(now, replacements + 1);
			return Promise.resolve();
		});
		await pullAcross(roomId, one, two);
		assert.equal(await receivedBy(two, roomId), 2);
	});

	it('go on when a worker dies to which tracks of another server come', async (t) => {
		const roomId = t.name;
		await openRoom(t, roomId, one, two);
		await pullAcross(roomId, one, two);
		const pulled = await one.call('held');
		const [pid] = (await two.call('about')).workerPids;
		process.kill(pid!, 'SIGKILL');
		await two.untilTold(roomId, 'two receives video of one no more: workerDied');
		assert.equal((await two.call('view', roomId)).users.find(({ userId }) => userId === 'one')!.pushers.length, 2);
		await eventually('it is pulled again', async () => {
			const { count } = await two.call('pull', roomId, 'two', 'one', receivingOffer());
			assert.equal(count, 2);
		});
		await eventually('nothing is left of the first pull', async () => {
			assert.equal(await one.call('held'), pulled);
		});
	});

	it('keep nothing of what they sent to a server that has closed its part of the room', async (t) => {
		const roomId = t.name;
		await openRoom(t, roomId, one, two);
		await one.call('push', roomId, 'one', sendingOffer());
		const before = await one.call('held');
		for (let time = 0; time < 3; time++) {
			if (time > 0) await two.call('join', roomId, { userId: 'two' });
			await eventually('the tracks are known', async () => {
				const { users } = await two.call('view', roomId);
				assert.equal(users.find(({ userId }) => userId === 'one')?.pushers.length, 2);
			});
			await two.call('pull', roomId, 'two', 'one', receivingOffer());
			assert.ok((await one.call('held')) > before, 'something is sent');
			await two.call('room', roomId, 'close', 'empty');
			await eventually('nothing is left', async () => {
				assert.equal(await one.call('held'), before);
			});
			await untilSame(roomId, [one], { one: 'one' });
		}
	});

	describe('lose nobody while Redis', () => {
		const resume = () => {
			redis.resume();
			return Promise.resolve();
		};
		const failures: [name: string, fail: () => Promise<void>, recover: () => Promise<void>][] = [
			[
				'is stopped for 5 s',
				async () => {
					redis.stop();
					await sleep(5000);
				},
				resume,
			],
			[
				'is stopped for 20 s',
				async () => {
					redis.stop();
					await sleep(20_000);
				},
				resume,
			],
			...(process.env.SFU_TEST_LONG === '1'
				? ([
						[
							'is stopped for 60 s',
							async () => {
								redis.stop();
								await sleep(60_000);
							},
							resume,
						],
						[
							'is killed, and starts again with its data',
							async () => {
								const inspector = new Redis(redis.port, '127.0.0.1');
								await inspector.set('a key', 'of another app');
								assert.deepEqual(await inspector.keys('*'), ['a key'], 'the servers store nothing');
								inspector.disconnect();
								await redis.kill();
								await sleep(3000);
							},
							async () => {
								await redis.start();
								const inspector = new Redis(redis.port, '127.0.0.1');
								assert.deepEqual(await inspector.keys('*'), ['a key'], 'its data is there');
								inspector.disconnect();
							},
						],
					] satisfies [string, () => Promise<void>, () => Promise<void>][])
				: []),
			[
				'is killed, and starts again with nothing',
				async () => {
					await redis.kill();
					await redis.forget();
					await sleep(3000);
				},
				() => redis.start(),
			],
		];
		for (const [name, fail, recover] of failures) {
			it(name, async (t) => {
				const all = [one, two, three];
				const roomId = t.name;
				const elsewhere = `${roomId}, elsewhere`;
				await openRoom(t, roomId, ...all);
				for (const server of all) await server.call('join', roomId, { userId: `${server.name} leaves` });
				await untilSame(roomId, all, {
					...Object.fromEntries(all.map(({ name }) => [name, name])),
					...Object.fromEntries(all.map(({ name }) => [`${name} leaves`, name])),
				});
				await pullAcross(roomId, one, two);
				await one.call('join', roomId, { userId: 'caster' });
				await two.call('join', roomId, { userId: 'viewer' });
				await one.call('push', roomId, 'caster', anOffer('chromium-sendonly-video-simulcast'));
				await two.untilTold(roomId, 'caster has video');
				const held = await one.call('held');
				await two.call('pull', roomId, 'viewer', 'caster', anOffer('chromium-recvonly-videos'));
				await three.untilTold(roomId, 'viewer joined');
				// This server has no room in common with the others, and so no other way to them.
				await openRoom(t, elsewhere, four);
				const began = Date.now();
				const failing = fail();
				await eventually(
					'all have noticed',
					async () => {
						for (const server of [...all, four]) assert.equal(await isConnected(server), false);
					},
					10_000,
				);
				for (const server of all) {
					await server.call('join', roomId, { userId: `${server.name} joins` });
					await server.call('user', roomId, `${server.name} leaves`, 'close', 'bye');
				}
				// With the viewer, all layers but the lowest one are wanted no more.
				await two.call('user', roomId, 'viewer', 'close', 'bye');
				// What is there goes on, and what is new needs the bus.
				assert.equal(await receivedBy(two, roomId), 2);
				await assert.rejects(three.call('pull', roomId, 'three', 'one', receivingOffer()), { code: 'unavailable' });
				await failing;
				const back = performance.now();
				await recover();
				await untilSame(roomId, all, {
					...Object.fromEntries(all.map(({ name }) => [name, name])),
					...Object.fromEntries(all.map(({ name }) => [`${name} joins`, name])),
					caster: 'one',
				});
				const took = performance.now() - back;
				t.diagnostic(`all is known ${Math.round(took)} ms after the return`);
				assert.ok(took < 5000, `${took} ms`);
				await eventually('the bus is back everywhere', async () => {
					for (const server of [...all, four]) assert.equal(await isConnected(server), true);
				});
				await one.untilTold(roomId, 'caster video wanted: 1 0 0');
				await eventually('what the viewer received is sent no more', async () => {
					assert.equal(await one.call('held'), held);
				});
				// Those who take others for dead do so within this time.
				await sleep(3000);
				for (const server of all) {
					const expected = all.flatMap(({ name }) => [
						`${name} joins joined`,
						...(name === server.name ? [`${name} leaves closed here: bye`] : []),
						`${name} leaves left: ${name === server.name ? 'bye' : 'left'}`,
					]);
					expected.push(`viewer left: ${server === two ? 'bye' : 'left'}`);
					const told = server
						.story(roomId, began)
						.filter((text) => !/^(viewer closed|viewer receives|caster)/.test(text));
					assert.deepEqual(told.sort(), expected.sort(), server.name);
				}
				for (const server of [...all, four]) assert.deepEqual(server.story('', began), [], server.name);
				assert.equal((await three.call('pull', roomId, 'three', 'one', receivingOffer())).count, 2);
			});
		}
	});

	it('notice within 3 s that one of them is killed, and end what came from it', async (t) => {
		const rooms = ['a', 'b', 'c'].map((letter) => `${t.name} ${letter}`) as [string, string, string];
		const others = new Map([
			[rooms[0], [one, two]],
			[rooms[1], [one]],
			[rooms[2], [two]],
		]);
		for (const [roomId, servers] of others) {
			await openRoom(t, roomId, three, ...servers);
			await three.call('join', roomId, { userId: 'second' });
			await servers[0]!.untilTold(roomId, 'second joined');
			await pullAcross(roomId, three, servers[0]!);
		}
		const held = await three.call('about');
		const killed = Date.now();
		await three.kill();
		let latest = 0;
		for (const [roomId, servers] of others) {
			for (const server of servers) {
				for (const userId of ['three', 'second'])
					latest = Math.max(latest, await server.untilTold(roomId, `${userId} left: nodeLost`));
			}
			for (const kind of ['audio', 'video']) {
				const text = `${servers[0]!.name} receives ${kind} of three no more: pusherClosed`;
				latest = Math.max(latest, await servers[0]!.untilTold(roomId, text));
			}
		}
		t.diagnostic(`within ${latest - killed} ms`);
		// 3 s, and what a busy machine adds.
		assert.ok(latest - killed < 3500, `${latest - killed} ms`);
		await eventually('its workers have ended', () => {
			assert.deepEqual(held.workerPids.filter(isRunning), []);
			return Promise.resolve();
		});
		await sleep(1000);
		for (const [roomId, servers] of others) {
			for (const server of servers) {
				const left = server.story(roomId, killed).filter((text) => text.includes(' left: '));
				assert.deepEqual(left.sort(), ['second left: nodeLost', 'three left: nodeLost']);
				assert.deepEqual(Object.keys(await server.call('owners', roomId)).sort(), servers.map((s) => s.name).sort());
			}
		}
		for (const server of [one, two, four])
			assert.deepEqual(server.story('', killed), ['three is lost: nodeLost'], server.name);
	});

	it('take over from one that is drained', async (t) => {
		const roomId = t.name;
		await openRoom(t, roomId, four, one);
		await four.call('join', roomId, { userId: 'guest' });
		await untilSame(roomId, [one, four], { one: 'one', four: 'four', guest: 'four' });
		await pullAcross(roomId, four, one);
		const outcomes: boolean[] = [];
		const draining = four.call('drain').then((result) => outcomes.push(result));
		await four.untilTold(roomId, 'draining');
		await assert.rejects(four.call('join', roomId, { userId: 'late' }), { code: 'unavailable' });
		await assert.rejects(four.call('open', `${roomId}, another`), { code: 'unavailable' });
		const told = await eventually('the others know', async () => {
			for (const server of [one, two]) assert.equal((await server.call('about')).nodes.four, true);
		});
		for (let time = 0; time < 20; time++) {
			for (const server of [one, two]) {
				assert.notEqual(await server.call('suggest', roomId), 'four');
				assert.notEqual(await server.call('suggest', 'a room that nobody has'), 'four');
			}
		}
		assert.deepEqual(outcomes, []);
		for (const userId of ['four', 'guest']) await one.call('join', roomId, { userId, takeOver: true });
		await untilSame(roomId, [one, four], { one: 'one', four: 'one', guest: 'one' });
		for (const userId of ['four', 'guest']) assert.deepEqual(closings(four, roomId, userId), ['replaced']);
		await Promise.race([draining, sleep(3000)]);
		t.diagnostic(`told within ${Math.round(told)} ms`);
		assert.deepEqual(outcomes, [true], 'it is drained when its own users have gone');
		for (const server of [one, four]) {
			const joins = server.story(roomId).filter((text) => text === 'guest joined');
			assert.equal(joins.length, 2, server.name);
		}
	});

	it('leave no process, no port and no connection when they close', async (t) => {
		const roomId = t.name;
		await openRoom(t, roomId, one, two);
		await pullAcross(roomId, one, two);
		await pullAcross(roomId, two, one);
		const inspector = new Redis(redis.port, '127.0.0.1');
		t.after(() => {
			inspector.disconnect();
		});
		const connections = async () =>
			String(await inspector.client('LIST'))
				.trim()
				.split('\n').length;
		const abouts = await Promise.all([one, two, four].map((server) => server.call('about')));

		await four.call('close');
		await one.call('close');
		await two.untilTold('', 'one is lost: nodeStopped');
		await two.untilTold(roomId, 'one left: nodeStopped');
		// Without its bus it ends, too.
		redis.stop();
		await eventually('the bus is gone', async () => {
			assert.equal(await isConnected(two), false);
		});
		await two.call('close');
		const ended = performance.now();
		assert.deepEqual(await Promise.all([one, two, four].map(({ exited }) => exited)), [0, 0, 0]);
		t.diagnostic(`ended within ${Math.round(performance.now() - ended)} ms`);
		redis.resume();
		await eventually('no connection is left', async () => {
			assert.equal(await connections(), 1);
		});
		for (const { workerPids, udpPort } of abouts) {
			assert.deepEqual(workerPids.filter(isRunning), []);
			assert.equal(await isFree(udpPort), true);
		}
	});
});

/** Why users of this server have left a room, those with a certain id. */
const closings = (server: ServerProcess, roomId: string, userId: string): string[] =>
	server.story(roomId).flatMap((text) => {
		const begin = `${userId} closed here: `;
		return text.startsWith(begin) ? [text.slice(begin.length)] : [];
	});
