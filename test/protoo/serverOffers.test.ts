import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SfuOptions } from 'sfu-rooms';
import type { ProtooOptions } from 'sfu-rooms/protoo';
import { AnsweringPeer } from '../support/answers.js';
import type { ProtooClient, ServerRequest } from '../support/protooClient.js';
import { sendingOffer } from './offers.js';
import { held, serve, specsOf, until } from './setup.js';
import { mediaPullers } from '../support/parted.js';

const as = (userId: string) => ({ roomId: 'room', userId });
const answerTo = (sdp: string) => ({ type: 'answer', sdp });

/** Alice pushes a video and an audio track, Bob is there, and can answer. */
async function call(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
	const server = await serve(t, options, sfuOptions);
	const alice = await server.join('alice');
	const bob = await server.join('bob');
	const pushed = await alice.push(sendingOffer());
	await Promise.all([alice.told(), bob.told()]);
	const peer = new AnsweringPeer();
	const room = server.sfu.rooms.get('room')!;
	const user = room.users.get('bob')!;
	return { ...server, alice, bob, pushed, peer, room, user };
}

/** The same, and Bob has pulled what Alice pushes. */
async function offeredCall(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
	const started = await call(t, options, sfuOptions);
	const { bob, peer, pushed } = started;
	const offered = await bob.pullOffered('alice', specsOf(pushed));
	await bob.answer(offered.connectionId, peer.answer(offered.sdp.sdp));
	return { ...started, offered };
}

const respond = (
	client: ProtooClient,
	peer: AnsweringPeer,
	{ id, data }: Extract<ServerRequest, { method: 'offer' }>,
) => {
	client.respond(id, { sdp: answerTo(peer.answer(data.sdp.sdp)) });
};

describe('pull without an offer', () => {
	it('is answered with an offer, and that with an answer', async (t) => {
		const { bob, peer, pushed, user } = await call(t);
		const offered = await bob.pullOffered('alice', specsOf(pushed));
		const { sdp, connectionId, pullers, ...rest } = offered;
		assert.deepEqual(rest, { code: 0, message: 'pull success' });
		assert.equal(sdp.type, 'offer');
		assert.equal(user.connections[0]?.connectionId, connectionId);
		assert.deepEqual(
			pullers,
			mediaPullers(user).map(({ pullerId, pusherId, mid }) => ({ pullerId, pusherId, userId: 'alice', mid })),
		);
		assert.deepEqual(
			pullers.map(({ pusherId, mid }) => [pusherId, mid]),
			pushed.pushers.toReversed().map(({ pusherId }, index) => [pusherId, String(index)]),
		);
		assert.deepEqual(await bob.answer(connectionId, peer.answer(sdp.sdp)), { code: 0, message: 'answer success' });
		assert.equal(user.pendingOffer, undefined);
		assert.deepEqual(await bob.told(), []);
	});

	it('waits for the answer to another offer, and nothing else waits with it', async (t) => {
		const { bob, peer, pushed, alice } = await call(t);
		const [first, second] = specsOf(pushed);
		const offered = await bob.pullOffered('alice', [first!]);
		const waiting = bob.pullOffered('alice', [second!]);
		assert.equal((await bob.heartbeat()).message, 'ok');
		await bob.answer(offered.connectionId, peer.answer(offered.sdp.sdp));
		const next = await waiting;
		assert.equal(next.pullers.length, 2);
		await bob.answer(next.connectionId, peer.answer(next.sdp.sdp));
		assert.deepEqual(await alice.told(), []);
	});

	it('is limited in how many may wait', async (t) => {
		const { bob, pushed } = await call(t, { limits: { pendingRequests: 3 } });
		await bob.pullOffered('alice', specsOf(pushed));
		const waiting = [1, 2, 3].map(() => bob.pullOffered('alice', specsOf(pushed)));
		await assert.rejects(bob.pullOffered('alice', specsOf(pushed)), { errorCode: 429 });
		bob.close();
		for (const pull of waiting) await assert.rejects(pull);
	});

	it('that is wrong is refused, and changes nothing', async (t) => {
		const { bob, pushed, sfu } = await call(t);
		const good = { ...as('bob'), targetUserId: 'alice', specs: specsOf(pushed) };
		const before = await held(sfu);
		const wrong: [unknown, number, RegExp][] = [
			[null, 400, /data must be object/],
			[[], 400, /data must be object/],
			[{ ...good, specs: undefined }, 400, /data\.specs/],
			[{ ...good, targetUserId: undefined }, 400, /data\.targetUserId/],
			[{ ...good, sdp: null }, 400, /data\.sdp/],
			[{ ...good, sdp: { type: 'answer', sdp: '' } }, 400, /data\.sdp\.type/],
			[{ ...good, userId: 'alice' }, 403, /userId/],
			[{ ...good, targetUserId: 'nobody' }, 404, /nobody/],
			[{ ...good, specs: [{ type: 'audio', pusher_id: 'none' }] }, 404, /none/],
		];
		for (const [data, errorCode, errorReason] of wrong) {
			await assert.rejects(bob.request('pull', data), { errorCode, errorReason });
		}
		assert.deepEqual(await held(sfu), before);
	});

	it('is authorized like any pull', async (t) => {
		const asked: unknown[] = [];
		const authorize: ProtooOptions['authorize'] = (action) => {
			asked.push(action);
			return action.action !== 'pull';
		};
		const { bob, pushed, user } = await call(t, { authorize });
		await assert.rejects(bob.pullOffered('alice', specsOf(pushed)), { errorCode: 403 });
		const specs = pushed.pushers.map(({ pusherId, kind }) => ({ pusherId, kind }));
		const data = { ...as('bob'), targetUserId: 'alice', specs: specsOf(pushed) };
		assert.deepEqual(asked.at(-1), { action: 'pull', ...as('bob'), targetUserId: 'alice', specs, data });
		assert.deepEqual(user.connections.length, 0);
	});
});

describe('answer', () => {
	it('that is wrong is refused, and the offer waits on', async (t) => {
		const { bob, peer, pushed, user } = await call(t);
		const { connectionId, sdp } = await bob.pullOffered('alice', specsOf(pushed));
		const good = { ...as('bob'), connectionId, sdp: answerTo(peer.answer(sdp.sdp)) };
		const wrong: [unknown, number, RegExp][] = [
			[undefined, 400, /data must be object/],
			[null, 400, /data must be object/],
			[[], 400, /data must be object/],
			[{ ...good, connectionId: undefined }, 400, /data\.connectionId/],
			[{ ...good, connectionId: 7 }, 400, /data\.connectionId/],
			[{ ...good, sdp: undefined }, 400, /data\.sdp/],
			[{ ...good, sdp: good.sdp.sdp }, 400, /data\.sdp/],
			[{ ...good, sdp: { type: 'offer', sdp: '' } }, 400, /data\.sdp\.type/],
			[{ ...good, sdp: answerTo('nonsense') }, 400, /invalid answer/],
			[{ ...good, sdp: answerTo(sdp.sdp) }, 400, /actpass/],
			[{ ...good, userId: 'alice' }, 403, /userId/],
			[{ ...good, roomId: 'other' }, 403, /roomId/],
			[{ ...good, connectionId: 'none' }, 404, /none/],
		];
		for (const [data, errorCode, errorReason] of wrong) {
			await assert.rejects(bob.request('answer', data), { errorCode, errorReason });
		}
		assert.ok(user.pendingOffer);
		await bob.request('answer', good);
		await assert.rejects(bob.request('answer', good), { errorCode: 409 });
	});

	it('of another user, or to a connection whose client offers, is refused', async (t) => {
		const { alice, bob, peer, pushed } = await call(t);
		const { connectionId, sdp } = await bob.pullOffered('alice', specsOf(pushed));
		await assert.rejects(alice.answer(connectionId, peer.answer(sdp.sdp)), { errorCode: 404 });
		await assert.rejects(alice.answer(pushed.connectionId, peer.answer(sdp.sdp)), { errorCode: 404 });
	});

	it('before joining is refused', async (t) => {
		const { connect } = await call(t);
		const stranger = connect();
		await assert.rejects(stranger.request('answer', { ...as('bob'), connectionId: 'x', sdp: answerTo('') }), {
			errorCode: 409,
		});
	});

	it('that does not come in time ends the connection, and the client is told', async (t) => {
		const { bob, peer, pushed, user } = await call(t, {}, { webRtc: { answerTimeout: 50 } });
		const { connectionId, sdp, pullers } = await bob.pullOffered('alice', specsOf(pushed));
		assert.deepEqual(await bob.next('connectionClosed'), { connectionId, reason: 'answerTimeout' });
		for (const { pullerId } of pullers) {
			const closed = await bob.next('pullerClosed');
			assert.deepEqual([closed.pullerId, closed.reason], [pullerId, 'connectionClosed']);
		}
		await assert.rejects(bob.answer(connectionId, peer.answer(sdp.sdp)), { errorCode: 404 });
		assert.equal(user.connections.length, 0);
	});
});

describe('pull with autoPull', () => {
	it('asks the client to answer an offer for all there is, and whenever that changes', async (t) => {
		const { bob, alice, peer, pushed, user } = await call(t);
		const pulled = await bob.request('pull', { ...as('bob'), autoPull: true });
		const { connectionId } = user.connections[0]!;
		assert.deepEqual(pulled, { code: 0, message: 'pull success', connectionId });
		const first = await bob.asked();
		assert.deepEqual([first.method, first.data.connectionId, first.data.sdp.type], ['offer', connectionId, 'offer']);
		assert.deepEqual(
			first.data.pullers.map(({ pusherId, userId, mid }) => [pusherId, userId, mid]),
			pushed.pushers.toReversed().map(({ pusherId }, index) => [pusherId, 'alice', String(index)]),
		);
		respond(bob, peer, first);
		await until(() => !user.pendingOffer, 'it is answered');
		const more = await alice.push(sendingOffer('VP8'));
		const second = await bob.asked();
		assert.equal(second.data.pullers.length, 4);
		respond(bob, peer, second);
		await until(() => !user.pendingOffer, 'it is answered');
		assert.deepEqual(
			(await bob.told()).map(({ method }) => method),
			['newPusher'],
		);
		await alice.request('unpush', { ...as('alice'), pusherIds: more.pushers.map(({ pusherId }) => pusherId) });
		const third = await bob.asked();
		assert.deepEqual(third.data.pullers, first.data.pullers);
		respond(bob, peer, third);
		assert.deepEqual((await bob.told()).map(({ method }) => method).sort(), [
			'pullerClosed',
			'pullerClosed',
			'pusherClosed',
			'pusherClosed',
		]);
	});

	it('that is wrong is refused', async (t) => {
		const { bob, user } = await call(t);
		const good = { ...as('bob'), autoPull: true };
		const wrong: [object, number, RegExp][] = [
			[{ ...good, autoPull: false }, 400, /data\.autoPull/],
			[{ ...good, autoPull: 'yes' }, 400, /data\.autoPull/],
			[{ ...good, userId: undefined }, 400, /data\.userId/],
			[{ ...good, userId: 'alice' }, 403, /userId/],
			[{ ...good, specs: [] }, 400, /data\.specs/],
			[{ ...good, targetUserId: 'alice' }, 400, /data\.targetUserId/],
			[{ ...good, sdp: { type: 'offer', sdp: '' } }, 400, /data\.sdp/],
		];
		for (const [data, errorCode, errorReason] of wrong) {
			await assert.rejects(bob.request('pull', data), { errorCode, errorReason });
		}
		assert.equal(user.connections.length, 0);
	});

	it('is authorized', async (t) => {
		const asked: unknown[] = [];
		const authorize: ProtooOptions['authorize'] = (action) => {
			asked.push(action);
			return action.action !== 'autoPull';
		};
		const { bob, user } = await call(t, { authorize });
		await assert.rejects(bob.request('pull', { ...as('bob'), autoPull: true }), { errorCode: 403 });
		assert.deepEqual(asked.at(-1), { action: 'autoPull', ...as('bob'), data: { ...as('bob'), autoPull: true } });
		assert.equal(user.connections.length, 0);
	});
});

describe('offer', () => {
	/** Bob is asked for an answer. */
	async function asked(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
		const started = await offeredCall(t, options, sfuOptions);
		const { alice, bob, user } = started;
		await bob.request('pull', { ...as('bob'), autoPull: true });
		const more = await alice.push(sendingOffer('VP8'));
		const request = await bob.asked();
		await bob.told();
		return { ...started, more, request, isOpen: () => user.connections.length === 1 };
	}

	it('that the client fails at is refused: what it brings is closed', async (t) => {
		const { bob, user, request, isOpen } = await asked(t);
		bob.fail(request.id);
		for (const { pullerId } of request.data.pullers.slice(2)) {
			const closed = await bob.next('pullerClosed');
			assert.deepEqual([closed.pullerId, closed.reason], [pullerId, 'rejected']);
		}
		assert.deepEqual([user.pullers.size, isOpen()], [2, true]);
	});

	for (const [what, response] of [
		['null', null],
		['an array', []],
		['without an answer', {}],
		['an offer', { sdp: { type: 'offer', sdp: 'v=0' } }],
		['a string', { sdp: 'v=0' }],
		['nonsense', { sdp: answerTo('nonsense') }],
	] as const) {
		it(`that is answered with ${what} ends the connection, and the client is told`, async (t) => {
			const { bob, request, isOpen, errors } = await asked(t);
			bob.respond(request.id, response);
			const { connectionId } = request.data;
			assert.deepEqual(await bob.next('connectionClosed'), { connectionId, reason: 'offerFailed' });
			assert.equal(isOpen(), false);
			await assert.rejects(bob.answer(connectionId, ''), { errorCode: 404 });
			assert.deepEqual(errors, []);
		});
	}

	it('may be answered by a request, too; what comes after it counts for nothing', async (t) => {
		const { bob, peer, request, isOpen, user, alice, more } = await asked(t);
		await bob.answer(request.data.connectionId, peer.answer(request.data.sdp.sdp));
		bob.fail(request.id);
		bob.respond(request.id, { sdp: answerTo('nonsense') });
		await bob.heartbeat();
		assert.deepEqual([isOpen(), user.pullers.size, await bob.told()], [true, 4, []]);
		await alice.request('unpush', { ...as('alice'), pusherIds: [more.pushers[0]!.pusherId] });
		respond(bob, peer, await bob.asked());
		await until(() => !user.pendingOffer, 'it is answered');
	});

	it('takes one response', async (t) => {
		const { bob, peer, request, isOpen, user } = await asked(t, { limits: { invalidMessages: 2 } });
		respond(bob, peer, request);
		respond(bob, peer, request);
		bob.fail(request.id);
		await until(() => !user.pendingOffer, 'it is answered');
		assert.deepEqual([isOpen(), user.pullers.size], [true, 4]);
		for (let count = 0; count < 3; count++) bob.fail(request.id);
		assert.equal(await bob.closed, 1008, 'more than two of these in a row are too many');
	});

	it('has responses that count as messages', async (t) => {
		const { bob, request, isOpen } = await asked(t, { limits: { messageBurst: 20, messagesPerSecond: 1 } });
		for (let count = 0; count < 30; count++) bob.send(JSON.stringify({ response: true, id: 77, ok: true }));
		bob.respond(request.id, { sdp: answerTo('') });
		assert.equal(await bob.closed, 1008);
		assert.equal(isOpen(), true);
	});

	it('with a response that is too large is refused', async (t) => {
		const { bob, request, user } = await asked(t, { limits: { messageLength: 30_000 } });
		bob.respond(request.id, { sdp: answerTo('x'.repeat(30_000)) });
		await until(() => user.pullers.size === 2, 'what it brings is closed');
	});

	it('without a response in time loses what it brings, and nothing else', async (t) => {
		const { bob, request, isOpen } = await asked(t, { limits: { responseTimeout: 50 } });
		const brought = request.data.pullers.slice(-2).map(({ pullerId }) => pullerId);
		for (const pullerId of brought) {
			const closed = await bob.next('pullerClosed');
			assert.deepEqual([closed.pullerId, closed.reason], [pullerId, 'answerTimeout']);
		}
		assert.equal(isOpen(), true);
		assert.equal(((await bob.asked()).data as { pullers: unknown[] }).pullers.length, 2);
	});

	it('goes to the next socket when this one is lost', async (t) => {
		const { bob, peer, request, connect, user } = await asked(t);
		bob.lose();
		const back = connect();
		assert.equal((await back.comeBack(bob)).resumed, true);
		const again = await back.asked();
		assert.deepEqual(again.data, request.data);
		assert.ok(!('request' in (back.received[0] as object)), 'after the response to the join');
		respond(back, peer, again);
		await until(() => !user.pendingOffer, 'it is answered');
		assert.equal(user.pullers.size, 4);
	});

	it('goes to the next socket when that replaces this one', async (t) => {
		const { bob, peer, request, connect, user } = await asked(t);
		const other = connect();
		await other.comeBack(bob);
		assert.equal(await bob.closed, 4000);
		const again = await other.asked();
		assert.deepEqual(again.data, request.data);
		respond(other, peer, again);
		await until(() => !user.pendingOffer, 'it is answered');
	});

	it('that came as the response to a pull goes to the next socket, too', async (t) => {
		const { bob, peer, pushed, connect, user } = await call(t);
		const offered = await bob.pullOffered('alice', specsOf(pushed));
		const waiting = bob.pullOffered('alice', specsOf(pushed));
		await bob.heartbeat();
		bob.lose();
		await assert.rejects(waiting);
		const back = connect();
		await back.comeBack(bob);
		const again = await back.asked();
		assert.deepEqual(again.data.sdp, offered.sdp);
		respond(back, peer, again);
		const next = await back.asked();
		assert.deepEqual(next.data.pullers, offered.pullers, 'so does the one that the lost socket was waiting for');
		respond(back, peer, next);
		await until(() => !user.pendingOffer, 'it is answered');
	});

	it('is taken back when the user leaves', async (t) => {
		const { bob, request, room } = await asked(t);
		await bob.leave();
		assert.equal(room.users.has('bob'), false);
		bob.respond(request.id, { sdp: answerTo('') });
		assert.deepEqual(await bob.told(), []);
		await bob.join('room', 'bob');
	});

	it('is taken back when the room closes', async (t) => {
		const { bob, request, room, errors } = await asked(t);
		room.close('because');
		bob.fail(request.id);
		assert.equal((await bob.next('roomClosed')).reason, 'because');
		await bob.told();
		assert.deepEqual(errors, []);
	});
});

describe('restartIce', () => {
	it('is followed by an offer', async (t) => {
		const { bob, peer, offered, user } = await offeredCall(t);
		const { connectionId } = offered;
		assert.deepEqual(await bob.request('restartIce', { ...as('bob'), connectionId }), {
			code: 0,
			message: 'restartIce success',
		});
		const request = await bob.asked();
		const ufrag = (sdp: string) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
		assert.notEqual(ufrag(request.data.sdp.sdp), ufrag(offered.sdp.sdp));
		assert.deepEqual(request.data.pullers, offered.pullers);
		respond(bob, peer, request);
		await until(() => !user.pendingOffer, 'it is answered');
	});

	it('that is wrong is refused', async (t) => {
		const { alice, bob, offered, pushed } = await offeredCall(t);
		const { connectionId } = offered;
		const wrong: [unknown, number][] = [
			[null, 400],
			[[], 400],
			[as('bob'), 400],
			[{ ...as('bob'), connectionId: null }, 400],
			[{ ...as('alice'), connectionId }, 403],
			[{ ...as('bob'), connectionId: 'none' }, 404],
		];
		for (const [data, errorCode] of wrong) await assert.rejects(bob.request('restartIce', data), { errorCode });
		for (const id of [connectionId, pushed.connectionId]) {
			const restart = alice.request('restartIce', { ...as('alice'), connectionId: id });
			await assert.rejects(restart, { errorCode: 404 });
		}
	});

	it('before anything is offered is a conflict', async (t) => {
		const server = await serve(t);
		const bob = await server.join('bob');
		const { connectionId } = (await bob.request('pull', { ...as('bob'), autoPull: true })) as { connectionId: string };
		await assert.rejects(bob.request('restartIce', { ...as('bob'), connectionId }), { errorCode: 409 });
	});

	it('counts as an offer', async (t) => {
		const { bob, offered } = await offeredCall(t, { limits: { offerBurst: 2, offersPerSecond: 1 } });
		const restart = () => bob.request('restartIce', { ...as('bob'), connectionId: offered.connectionId });
		await restart();
		await assert.rejects(restart(), { errorCode: 429 });
	});
});

describe('What the client is told of a connection for which the server offers', () => {
	it('is that its media is lost when the worker dies; it pulls again then', async (t) => {
		const { alice, bob, offered, sfu, user, peer } = await offeredCall(t);
		const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
		const [dump] = await sfu.dump();
		process.kill(dump!.pid, 'SIGKILL');
		assert.deepEqual(await bob.next('mediaLost'), { connectionIds: [offered.connectionId] });
		await replaced;
		await bob.request('pull', { ...as('bob'), autoPull: true });
		await alice.push(sendingOffer());
		const request = await bob.asked();
		assert.notEqual(request.data.connectionId, offered.connectionId);
		respond(bob, peer, request);
		await until(() => !user.pendingOffer, 'it is answered');
		assert.ok((await bob.told()).every(({ method }) => method !== 'connectionClosed'));
	});

	it('is nothing when it leaves itself', async (t) => {
		const { bob } = await offeredCall(t);
		await bob.leave();
		assert.deepEqual(await bob.told(), []);
	});

	it('is what it unpulled, and then the offer without it', async (t) => {
		const { bob, offered, peer } = await offeredCall(t);
		const [first, second] = offered.pullers;
		await bob.request('unpull', { ...as('bob'), pullerIds: [first!.pullerId] });
		assert.equal((await bob.next('pullerClosed')).pullerId, first!.pullerId);
		const request = await bob.asked();
		assert.deepEqual(request.data.pullers, [second]);
		respond(bob, peer, request);
	});
});
