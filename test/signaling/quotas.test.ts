import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SignalingOptions } from 'sfu-rooms/signaling';
import { closeCodes } from 'sfu-rooms/protocol';
import { ClientQuotas } from '../../src/signaling/ClientQuotas.js';
import { anOffer } from '../support/offers.js';
import { start, type TestClient } from './setup.js';

/** Sockets whose context is the name of an account. */
const startWithKeys = (t: TestContext, limits: SignalingOptions['limits'] = {}, options: SignalingOptions = {}) =>
	start(t, { clientKey: (context) => context as string | undefined, limits, reconnectTimeout: 10_000, ...options });

const alice = { roomId: 'room', userId: 'alice' };
const push = async (client: TestClient, userId = 'alice') => {
	const sdp = { type: 'offer', sdp: anOffer('chromium-sendonly-audio-video') };
	const result = await client.request('push', { roomId: 'room', userId, sdp });
	return 'error' in result ? result.error.code : 'done';
};

describe('Offers', () => {
	const limits = { offerBurst: 2, offersPerSecond: 1 };

	for (const key of [undefined, 'account']) {
		it(`are counted over leave and join, ${key ? 'with a key' : 'on one socket'}`, async (t) => {
			const { connect } = await startWithKeys(t, limits);
			const client = connect(key);
			const outcomes = [];
			for (let count = 0; count < 3; count++) {
				await client.join('alice');
				outcomes.push(await push(client));
				await client.request('leave', alice);
			}
			assert.deepEqual(outcomes, ['done', 'done', 'limit_exceeded']);
		});
	}

	it('are counted over all sockets with the same key, and no others', async (t) => {
		const { connect } = await startWithKeys(t, limits);
		const outcomes = [];
		for (const userId of ['alice', 'bob', 'carol']) {
			const client = connect('account');
			await client.join(userId);
			outcomes.push(await push(client, userId));
			client.session.closed(closeCodes.normal);
		}
		assert.deepEqual(outcomes, ['done', 'done', 'limit_exceeded']);
		for (const key of ['another', undefined]) {
			const other = connect(key);
			await other.join('dave', { roomId: String(key) });
			const result = await other.request('push', {
				roomId: String(key),
				userId: 'dave',
				sdp: { type: 'offer', sdp: anOffer('chromium-sendonly-audio-video') },
			});
			assert.ok('data' in result);
		}
	});
});

describe('Joins', () => {
	it('are counted over all sockets with the same key', async (t) => {
		const { connect } = await startWithKeys(t, { joinBurst: 2, joinsPerSecond: 1 });
		assert.equal(await connect('account').join('alice'), undefined);
		assert.equal(await connect('account').join('alice'), 'conflict');
		assert.equal(await connect('account').join('bob'), 'limit_exceeded');
		assert.equal(await connect('another').join('bob'), undefined);
	});

	it('may have no more users than usersPerClient', async (t) => {
		const { connect } = await startWithKeys(t, { usersPerClient: 2 });
		const first = connect('account');
		await first.join('alice');
		await connect('account').join('alice', { roomId: 'another' });
		assert.equal(await connect('account').join('bob'), 'limit_exceeded');
		first.session.closed(closeCodes.normal);
		assert.equal(await connect('account').join('bob'), undefined);
	});

	it('that come back count once', async (t) => {
		const { connect } = await startWithKeys(t, { usersPerClient: 1, lostPerClient: 1 });
		let client = connect('account');
		await client.join('alice');
		for (let count = 0; count < 3; count++) {
			const { resumeToken } = client.joined;
			client.session.closed(closeCodes.lost);
			client = connect('account');
			assert.equal(await client.join('alice', { resumeToken }), undefined);
			assert.equal(client.joined.resumed, true);
		}
	});
});

describe('Rooms', () => {
	it('that a client has opened are counted until they close, those of others are not', async (t) => {
		const { connect, sfu } = await startWithKeys(t, { roomsPerClient: 1 });
		assert.equal(await connect('account').join('alice', { roomId: 'one' }), undefined);
		assert.equal(await connect('account').join('alice', { roomId: 'two' }), 'limit_exceeded');
		assert.equal(sfu.rooms.has('two'), false);
		await connect('another').join('bob', { roomId: 'two' });
		assert.equal(await connect('account').join('alice', { roomId: 'two' }), undefined, 'it was there');
		sfu.rooms.get('one')?.close();
		assert.equal(await connect('account').join('alice', { roomId: 'three' }), undefined);
	});

	it('that several clients wait for count for one of them', async (t) => {
		const { connect } = await startWithKeys(t, { roomsPerClient: 1 });
		const joins = ['a', 'b', 'c'].map((key) => connect(key).join(key, { roomId: 'one' }));
		assert.deepEqual(await Promise.all(joins), [undefined, undefined, undefined]);
		const second = await Promise.all(['a', 'b', 'c'].map((key) => connect(key).join(key, { roomId: `of ${key}` })));
		assert.deepEqual(second.toSorted(), ['limit_exceeded', undefined, undefined]);
	});

	it('that could not be opened are not counted', async (t) => {
		const { connect, sfu } = await startWithKeys(t, { roomsPerClient: 1 });
		const closeAtOnce = ({ room }: { room: { close: () => void } }) => {
			room.close();
		};
		sfu.on('roomOpened', closeAtOnce);
		for (let count = 0; count < 3; count++) assert.equal(await connect('account').join('alice'), 'closed');
		sfu.off('roomOpened', closeAtOnce);
		assert.equal(await connect('account').join('alice'), undefined);
	});
});

describe('Users whose socket is lost', () => {
	it('wait for their clients as long as there are no more than lostPerClient', async (t) => {
		const { connect, sfu } = await startWithKeys(t, { lostPerClient: 2 });
		for (const userId of ['alice', 'bob', 'carol']) {
			const client = connect('account');
			await client.join(userId);
			client.session.closed(closeCodes.lost);
		}
		const users = () => [...sfu.rooms.get('room')!.users.keys()];
		assert.deepEqual(users(), ['alice', 'bob']);
		sfu.rooms.get('room')!.users.get('alice')?.close();
		const client = connect('account');
		await client.join('dave');
		client.session.closed(closeCodes.lost);
		assert.deepEqual(users(), ['bob', 'dave']);
	});
});

describe('clientKey', () => {
	it('that fails puts all such clients together, and is logged', async (t) => {
		const keys = [
			() => {
				throw new Error('of the app');
			},
			() => 7,
			() => null,
		] as unknown as NonNullable<SignalingOptions['clientKey']>[];
		for (const clientKey of keys) {
			const { connect, logged } = await start(t, { clientKey, limits: { joinBurst: 1, joinsPerSecond: 1 } });
			assert.equal(await connect().join('alice'), undefined);
			assert.equal(await connect().join('bob'), 'limit_exceeded');
			assert.equal(logged.filter(({ message }) => message === 'clientKey failed').length, 2);
		}
	});

	it('must be a function', async (t) => {
		const clientKey = 'ip' as unknown as NonNullable<SignalingOptions['clientKey']>;
		await assert.rejects(start(t, { clientKey }), { code: 'invalid_argument' });
	});
});

describe('The quotas of clients that are gone', () => {
	it('are forgotten, and those that are used or not full again are kept', async (t) => {
		const { signaling } = await start(t);
		const quotas = new ClientQuotas(signaling.limits);
		const [used, spent] = [quotas.of('used'), quotas.of('spent')];
		used.sockets++;
		spent.offers.take();
		for (let count = 0; count < 10_000; count++) quotas.of(`address ${count}`);
		assert.ok(quotas.size <= 2000, `${quotas.size} are remembered`);
		assert.deepEqual([quotas.of('used'), quotas.of('spent')], [used, spent]);
	});
});
