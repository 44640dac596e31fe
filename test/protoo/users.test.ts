import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JoinSuccess } from 'sfu-rooms/protoo';
import { serve } from './setup.js';
import { anOffer } from '../support/offers.js';

const alice = { roomId: 'room', userId: 'alice' };
const metadata = { color: 'red', list: [1, null] };

describe('The name and the metadata of a user', () => {
	it('are told to all who see it, in join, newUser and userChanged', async (t) => {
		const { connect, join } = await serve(t);
		const bob = await join('bob');
		const client = connect();
		const { userName, metadata: own } = await client.request('join', { ...alice, userName: 'Alice', metadata });
		assert.deepEqual([userName, own], [undefined, undefined], 'it knows what it has said');
		assert.deepEqual((await bob.next('newUser'))[0], { userId: 'alice', userName: 'Alice', metadata, pushers: [] });
		const success = await client.request('updateUser', { ...alice, metadata: 7 });
		assert.deepEqual(success, { code: 0, message: 'updateUser success' });
		assert.deepEqual(await bob.next('userChanged'), { ...alice, userName: 'Alice', metadata: 7 });
		await client.request('updateUser', { ...alice, userName: 'A.', metadata: null });
		assert.deepEqual(await bob.next('userChanged'), { ...alice, userName: 'A.' });
		assert.deepEqual(await bob.next('userRenamed'), { ...alice, userName: 'A.' });
		await client.request('updateUser', { ...alice, metadata });
		const carol = connect();
		const { users } = await carol.join('room', 'carol');
		assert.deepEqual(
			users.find(({ userId }) => userId === 'alice'),
			{ userId: 'alice', userName: 'A.', metadata, pushers: [] },
		);
		assert.deepEqual(
			(await client.told()).map(({ method }) => method),
			['newUser'],
			'a client knows what it has changed itself',
		);
		await client.push(anOffer('chromium-sendonly-audio-video'));
		assert.ok(!('metadata' in (await bob.next('newPusher'))));
	});

	it('are told to its own client, too, when the app changes them', async (t) => {
		const { sfu, join } = await serve(t);
		const [client, bob] = [await join('alice'), await join('bob')];
		sfu.rooms.get('room')!.users.get('alice')!.update({ userName: 'Alice', metadata });
		for (const told of [client, bob]) {
			assert.deepEqual(await told.next('userChanged'), { ...alice, userName: 'Alice', metadata });
		}
	});

	it('are told to nobody else while it is hidden', async (t) => {
		const { sfu, connect, join } = await serve(t);
		const bob = await join('bob');
		const client = connect();
		await client.request('join', { ...alice, userName: 'Alice', metadata, audience: true });
		await client.request('updateUser', { ...alice, metadata: 1 });
		sfu.rooms.get('room')!.users.get('alice')!.update({ metadata: 2 });
		assert.deepEqual(await client.next('userChanged'), { ...alice, userName: 'Alice', metadata: 2 });
		assert.deepEqual(await bob.told(), []);
		sfu.rooms.get('room')!.users.get('alice')!.setPermissions({ hidden: false });
		assert.equal((await bob.next('newUser'))[0]!.metadata, 2);
	});

	it('are those that authorize says, which the client is told', async (t) => {
		const { connect } = await serve(t, {
			authorize: (action) => action.action !== 'join' || { userName: 'Dr. A.', metadata: { from: action.metadata } },
		});
		const joined = await connect().request('join', { ...alice, userName: 'Alice', metadata: 1 });
		assert.deepEqual([joined.userName, joined.metadata], ['Dr. A.', { from: 1 }]);
		const without = { authorize: () => ({ metadata: null }) };
		const other = await serve(t, without);
		const { metadata: none } = await other.connect().request('join', { ...alice, userName: 'Alice', metadata: 1 });
		assert.equal(none, null);
	});

	it('are kept when the client comes back, though client and app say what they said before', async (t) => {
		const { sfu, connect, join } = await serve(t, {
			authorize: (action) => action.action !== 'join' || { userName: 'Dr. A.' },
		});
		const bob = await join('bob');
		const client = connect();
		const said = { ...alice, userName: 'Alice', metadata: 1 };
		const first = (await client.request('join', said)) as JoinSuccess;
		await client.request('updateUser', { ...alice, userName: 'A.', metadata: 2 });
		client.lose();
		const again = connect();
		const back = await again.request('join', { ...said, resumeToken: first.resumeToken });
		assert.deepEqual([back.resumed, back.userName, back.metadata], [true, 'A.', 2]);
		again.lose();
		await bob.told();
		const third = connect();
		const changed = await third.request('join', { ...said, metadata: 3, resumeToken: back.resumeToken });
		assert.deepEqual([changed.resumed, changed.userName, changed.metadata], [true, 'A.', undefined]);
		assert.deepEqual(await bob.told(), [
			{ notification: true, method: 'userChanged', data: { ...alice, userName: 'A.', metadata: 3 } },
		]);
		third.lose();
		const { userName, ...nothing } = said;
		sfu.rooms.get('room')!.users.get('alice')!.setPermissions({ updateMetadata: false });
		const fourth = connect();
		const denied = await fourth.request('join', {
			...nothing,
			userName: `${userName}!`,
			metadata: 4,
			resumeToken: changed.resumeToken,
		});
		assert.deepEqual([denied.userName, denied.metadata], ['A.', 3]);
	});
});

describe('updateUser', () => {
	it('is refused by the permission, by authorize, and for what is wrong or too much; and changes nothing', async (t) => {
		const asked: unknown[] = [];
		const { sfu, join } = await serve(t, {
			authorize: (action) => {
				if (action.action === 'updateUser') asked.push(action);
				return action.action !== 'updateUser' || action.details.userName !== 'Mallory';
			},
		});
		const [client, bob] = [await join('alice'), await join('bob')];
		await client.told();
		const refused: [data: object, errorCode: number][] = [
			[{ userName: 'Mallory' }, 403],
			[{ userName: 1 }, 400],
			[{ userName: 'x'.repeat(257) }, 400],
			[{ userName: 'a\u202eb' }, 400],
			[{ metadata: 'x'.repeat(4095) }, 413],
			[{ userName: 'Alice', metadata: 'x'.repeat(4095) }, 413],
			[{ userId: 'bob', userName: 'Alice' }, 403],
		];
		for (const [data, errorCode] of refused) {
			await assert.rejects(client.request('updateUser', { ...alice, ...data }), { errorCode }, JSON.stringify(data));
		}
		const data = { ...alice, userName: 'Mallory' };
		assert.deepEqual(asked[0], { action: 'updateUser', ...alice, details: { userName: 'Mallory' }, data });
		const user = sfu.rooms.get('room')!.users.get('alice')!;
		user.setPermissions({ updateMetadata: false });
		await assert.rejects(client.request('updateUser', { ...alice, metadata: 1 }), { errorCode: 403 });
		assert.deepEqual([user.userName, user.metadata], ['User_alice', undefined]);
		assert.deepEqual(await bob.told(), []);
	});

	it('is refused before the join, and so is a join with too much', async (t) => {
		const { connect } = await serve(t);
		const client = connect();
		await assert.rejects(client.request('updateUser', { ...alice, metadata: 1 }), { errorCode: 409 });
		const join = { ...alice, userName: 'Alice', metadata: 'x'.repeat(4095) };
		await assert.rejects(client.request('join', join), { errorCode: 413 });
	});
});

describe('Pullers', () => {
	it('have the source and the metadata of their pusher, as they are at the time', async (t) => {
		const { join } = await serve(t);
		const [client, bob] = [await join('alice'), await join('bob')];
		const sdp = { type: 'offer', sdp: anOffer('chromium-sendonly-audio-video') };
		const media = [
			{ mid: '0', source: 'microphone' },
			{ mid: '1', source: 'screen', metadata },
		];
		const { pushers } = (await client.request('push', { ...alice, sdp, media })) as Awaited<
			ReturnType<typeof client.push>
		>;
		const specs = pushers.map(({ pusherId, kind }) => ({ type: kind, pusher_id: pusherId }));
		const details = (pullers: { source?: string; metadata?: unknown }[]) =>
			pullers.map(({ source, metadata }) => ({ source, metadata }));
		const offered = await bob.pullOffered('alice', specs);
		const expected = [
			{ source: 'microphone', metadata: undefined },
			{ source: 'screen', metadata },
		];
		assert.deepEqual(details(offered.pullers), expected);
		const video = pushers.find(({ kind }) => kind === 'video')!;
		await client.request('updatePusher', { ...alice, pusherId: video.pusherId, source: null, metadata: 1 });
		const pulled = await bob.pull(anOffer('chromium-recvonly-video-audio'), 'alice', specs);
		assert.deepEqual(
			new Set(details(pulled.pullers).map((one) => JSON.stringify(one))),
			new Set([{ source: 'microphone' }, { metadata: 1 }].map((one) => JSON.stringify(one))),
		);
	});
});

describe('iceServers', () => {
	it('come with the answer to each join, and none without the option', async (t) => {
		let count = 0;
		const iceServers = () => [{ urls: ['turn:example.com'], username: `${++count}`, credential: 'x' }];
		const { join, connect } = await serve(t, {}, { iceServers });
		const client = connect();
		assert.deepEqual((await client.join('room', 'alice')).iceServers, [
			{ urls: ['turn:example.com'], username: '1', credential: 'x' },
		]);
		client.lose();
		const back = await connect().comeBack(client);
		assert.deepEqual([back.resumed, back.iceServers?.[0]?.username], [true, '2']);
		await join('bob');
		const plain = await serve(t);
		assert.ok(!('iceServers' in (await plain.connect().join('room', 'alice'))));
	});

	it('keep nobody out, though they are not found', async (t) => {
		const { connect, errors } = await serve(
			t,
			{},
			{ iceServers: () => new Promise(() => undefined), iceServersTimeout: 20 },
		);
		const { message } = await connect().join('room', 'alice');
		assert.deepEqual([message, errors.length], ['join success', 1]);
	});

	it('are waited for by a client that may be gone by then, which leaves nobody behind', async (t) => {
		let found!: (servers: []) => void;
		let ask!: () => void;
		const asked = new Promise<void>((resolve) => {
			ask = resolve;
		});
		const iceServers = () => {
			ask();
			return new Promise<[]>((resolve) => {
				found = resolve;
			});
		};
		const { sfu, connect } = await serve(t, {}, { iceServers });
		const client = connect();
		void client.join('room', 'alice').catch(() => undefined);
		await asked;
		const user = sfu.rooms.get('room')!.users.get('alice')!;
		const left = new Promise((resolve) => user.once('closed', resolve));
		client.close();
		await client.closed.catch(() => undefined);
		found([]);
		await left;
	});
});
