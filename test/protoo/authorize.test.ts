import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SfuError } from 'sfu-rooms';
import type { Authorize, AuthorizeAction, PushSuccess } from 'sfu-rooms/protoo';
import { receivingOffer, sendingOffer } from './offers.js';
import { deferred, held, serve, specsOf, until } from './setup.js';

/** Decides on what Alice does; everybody else may do everything. */
const onAlice =
	(decide: Authorize): Authorize =>
	(action, context) =>
		action.userId === 'alice' ? decide(action, context) : true;

describe('authorize is asked', () => {
	it('for join, push, updatePusher, pull and textMessage alone, with the action and the context of the socket', async (t) => {
		const asked: [AuthorizeAction, unknown][] = [];
		const server = await serve(t, {
			authorize: onAlice((...asking) => {
				asked.push(asking);
				return true;
			}),
		});
		const bob = await server.join('bob');
		const specs = specsOf(await bob.push(sendingOffer()));
		const context = { token: 'secret' };
		const alice = server.connect(context);
		const [sending, receiving] = [sendingOffer(), receivingOffer()];
		await alice.join('room', 'alice', 'Alice');
		await alice.push(sending);
		const member = { roomId: 'room', userId: 'alice' };
		const sdp = sendingOffer();
		const media = [
			{ mid: '0', source: 'screen', metadata: 1 },
			{ mid: '1', scalabilityMode: 'L1T3' },
		];
		const { pushers } = (await alice.request('push', {
			...member,
			sdp: { type: 'offer', sdp },
			media,
		})) as PushSuccess;
		const { pusherId } = pushers[0]!;
		await alice.request('updatePusher', { ...member, pusherId, metadata: null });
		await alice.pull(receiving, 'bob', specs);
		alice.notify('textMessage', { roomId: 'room', userId: 'alice', message: 'hello' });
		await alice.heartbeat();
		await alice.leave();
		assert.deepEqual(
			asked.map(([{ data: _, ...action }]) => action),
			[
				{ action: 'join', ...member, userName: 'Alice' },
				{ action: 'push', ...member, sdp: sending },
				{
					action: 'push',
					...member,
					sdp,
					media: { '0': { source: 'screen', metadata: 1 }, '1': { scalabilityMode: 'L1T3' } },
				},
				{ action: 'updatePusher', ...member, pusherId, details: { metadata: null } },
				{
					action: 'pull',
					...member,
					targetUserId: 'bob',
					specs: specs.map(({ type, pusher_id }) => ({ kind: type, pusherId: pusher_id })),
				},
				{ action: 'textMessage', ...member, message: 'hello' },
			],
		);
		for (const [, given] of asked) assert.equal(given, context);
	});

	it('about nothing that is refused anyway', async (t) => {
		const asked: AuthorizeAction[] = [];
		const server = await serve(t, {
			authorize: (action) => {
				asked.push(action);
				return true;
			},
		});
		const client = server.connect();
		await assert.rejects(client.push(sendingOffer()), { errorCode: 400 });
		await assert.rejects(client.request('join', { roomId: 'room' }), { errorCode: 400 });
		await client.join('room', 'alice');
		await assert.rejects(client.join('room', 'alice'), { errorCode: 409 });
		await assert.rejects(
			client.request('push', { roomId: 'room', userId: 'bob', sdp: { type: 'offer', sdp: sendingOffer() } }),
			{ errorCode: 403 },
		);
		client.notify('textMessage', { roomId: 'room', userId: 'bob', message: 'hello' });
		await client.heartbeat();
		assert.deepEqual(
			asked.map(({ action }) => action),
			['join'],
		);
	});
});

type Verdict = () => boolean | Promise<boolean>;

const throws = (error: unknown): Verdict => {
	return () => {
		throw error;
	};
};
const rejects = (error: unknown): Verdict => {
	return () => {
		const { promise, reject } = deferred<boolean>();
		reject(error);
		return promise;
	};
};
const secret = new Error('database password: hunter2');
const known = new SfuError('limit_exceeded', 'three rooms are enough', { cause: secret });
const asBoolean = (value: unknown) => value as boolean;

const forbidden = { errorCode: 403, errorReason: / is not allowed$/ };
const internal = { errorCode: 500, errorReason: 'internal error' };
const verdicts: [string, Verdict, object][] = [
	['returns false', () => false, forbidden],
	['resolves to false', () => Promise.resolve(false), forbidden],
	['returns nothing', () => asBoolean(undefined), forbidden],
	['returns a string', () => asBoolean('no'), forbidden],
	['resolves to an object', () => Promise.resolve(asBoolean({ allowed: false })), forbidden],
	['throws an SfuError', throws(known), { errorCode: 429, errorReason: 'three rooms are enough' }],
	['rejects with an SfuError', rejects(known), { errorCode: 429, errorReason: 'three rooms are enough' }],
	['throws another error', throws(secret), internal],
	['rejects with another error', rejects(secret), internal],
	['throws no error at all', throws('hunter2'), internal],
	['rejects with nothing', rejects(undefined), internal],
];

for (const action of ['join', 'push', 'updatePusher', 'pull', 'textMessage'] as const) {
	describe(`When authorize, asked about ${action},`, () => {
		for (const [name, verdict, refusal] of verdicts) {
			it(`${name}, nothing comes of it`, async (t) => {
				let refusing = true;
				const server = await serve(t, {
					authorize: onAlice((asked) => (asked.action === action && refusing ? verdict() : true)),
				});
				const bob = await server.join('bob');
				const specs = specsOf(await bob.push(sendingOffer()));
				const alice = server.connect();
				if (action !== 'join') await alice.join('room', 'alice');
				const pusherId = action === 'updatePusher' ? (await alice.push(sendingOffer())).pushers[0]!.pusherId : '';
				await bob.told();
				const before = await held(server.sfu);
				const attempt = {
					join: () => alice.join('room', 'alice'),
					push: () => alice.push(sendingOffer()),
					updatePusher: () =>
						alice.request('updatePusher', { roomId: 'room', userId: 'alice', pusherId, source: 'screen' }),
					pull: () => alice.pull(receivingOffer(), 'bob', specs),
					textMessage: () => {
						alice.notify('textMessage', { roomId: 'room', userId: 'alice', message: 'hello' });
						return alice.heartbeat();
					},
				}[action];

				if (action === 'textMessage') await attempt();
				else await assert.rejects(attempt, refusal);
				assert.deepEqual(await bob.told(), []);
				assert.deepEqual(await held(server.sfu), before);
				assert.equal(server.errors.length, refusal === internal ? 1 : 0, 'our own faults alone are logged');

				refusing = false;
				await attempt();
				assert.equal((await bob.told()).length, action === 'pull' ? 0 : 1, 'the socket still works');
			});
		}
	});
}

describe('A refused join', () => {
	it('opens no room, and takes nobody’s place', async (t) => {
		const server = await serve(t, { authorize: (_, context) => context !== 'mallory' });
		const alice = await server.join('alice');
		const mallory = server.connect('mallory');
		await assert.rejects(mallory.join('room', 'alice'), { errorCode: 403 });
		await assert.rejects(mallory.join('new', 'alice'), { errorCode: 403 });
		await alice.heartbeat();
		assert.deepEqual([...server.sfu.rooms.keys()], ['room']);
	});
});

describe('While authorize is pending', () => {
	const limits = { pendingRequests: 4 };

	async function start(t: Parameters<typeof serve>[0], about: AuthorizeAction['action'] = 'join') {
		const allowed = deferred<boolean>();
		const asked: AuthorizeAction[] = [];
		const server = await serve(t, {
			limits,
			authorize: onAlice((action) => {
				asked.push(action);
				return action.action === about ? allowed.promise : true;
			}),
		});
		return { server, allowed, asked, bob: await server.join('bob') };
	}

	it('the requests of a socket wait, and are answered in their order', async (t) => {
		const { server, allowed } = await start(t);
		const alice = server.connect();
		const answers = [alice.join('room', 'alice'), alice.heartbeat(), alice.push(sendingOffer()), alice.leave()];
		await server.join('carol');
		assert.deepEqual(alice.received, []);
		allowed.resolve(true);
		await Promise.all(answers);
		assert.deepEqual(
			alice.received.map((message) => (message as { id?: number }).id),
			[1, 2, 3, 4],
		);
	});

	it('other sockets do not wait', async (t) => {
		const { server, bob } = await start(t);
		void server.connect().join('room', 'alice');
		await bob.push(sendingOffer());
		await server.join('carol');
	});

	it('more requests than the limit are answered with 429, and the others still with success', async (t) => {
		const { server, allowed } = await start(t);
		const alice = server.connect();
		const waiting = [alice.join('room', 'alice'), alice.heartbeat(), alice.heartbeat(), alice.heartbeat()];
		await assert.rejects(alice.heartbeat(), { errorCode: 429, errorReason: /4 requests/ });
		await assert.rejects(alice.heartbeat(), { errorCode: 429 });
		allowed.resolve(true);
		await Promise.all(waiting);
		await alice.heartbeat();
	});

	it('no more text messages wait than the limit', async (t) => {
		const { server, allowed, asked, bob } = await start(t, 'textMessage');
		const alice = await server.join('alice');
		await bob.told();
		for (let count = 0; count < 100; count++) {
			alice.notify('textMessage', { roomId: 'room', userId: 'alice', message: 'hello' });
		}
		allowed.resolve(true);
		await until(async () => {
			const answered = await alice.heartbeat().then(
				() => true,
				() => false,
			);
			return answered;
		}, 'the socket is stuck');
		const texts = asked.filter(({ action }) => action === 'textMessage').length;
		assert.ok(texts <= limits.pendingRequests, `${texts} waited`);
	});

	it('for ever, a socket can be closed, and is forgotten', async (t) => {
		const { server, bob } = await start(t, 'push');
		const alice = await server.join('alice');
		void alice.push(sendingOffer());
		await bob.next('newUser');
		alice.close();
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
		assert.equal(server.adapter.sockets, 1);
		const again = await server.join('alice');
		await again.heartbeat();
	});

	it('the user leaves: what was authorised does not happen', async (t) => {
		const { server, allowed, bob } = await start(t, 'push');
		const alice = await server.join('alice');
		const pushed = alice.push(sendingOffer());
		const user = (await server.sfu.getOrCreateRoom('room')).users.get('alice')!;
		await bob.told();
		user.close('banned');
		const before = await held(server.sfu);
		allowed.resolve(true);
		await assert.rejects(pushed, { errorCode: 409 });
		assert.deepEqual(
			(await bob.told()).map(({ method }) => method),
			['userLeft'],
		);
		assert.deepEqual(await held(server.sfu), before);
	});
});
