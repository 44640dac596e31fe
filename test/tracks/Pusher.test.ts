import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import sdpTransform from 'sdp-transform';
import { anOffer } from '../support/offers.js';
import { held, interruptEach, outcome, pullAll, specsOf, startCall, turns, untilHeld } from '../rooms/setup.js';
import { mediaPullers, mediaPushers, producerOf } from '../support/parted.js';

describe('A pusher that closes', () => {
	it('tells once, and its user no longer has it', async (t) => {
		const { alice, pushed } = await startCall(t);
		const [audio, video] = pushed.pushers;
		const told: string[] = [];
		audio!.on('closed', ({ reason }) => told.push(`pusher: ${reason}`));
		alice.on('pusherClosed', ({ pusher, reason }) => told.push(`user: ${pusher.kind} ${reason}`));
		audio!.close('because');
		audio!.close('again');
		assert.deepEqual(told.sort(), ['pusher: because', 'user: audio because']);
		assert.deepEqual([...alice.pushers.values()], [video]);
		assert.equal(pushed.connection.closed, false);
	});

	it('closes its pullers, and none else', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		for (const name of ['chromium-recvonly-video-audio', 'firefox-recvonly-audio-video']) {
			const pullers = mediaPullers(await bob.pull(pullAll(alice, anOffer(name))));
			assert.equal(pullers.length, 2);
		}
		const told: string[] = [];
		bob.on('pullerClosed', ({ puller, reason }) => told.push(`${puller.kind}: ${reason}`));
		pushed.pushers.find(({ kind }) => kind === 'video')!.close();
		assert.deepEqual(told, ['video: pusherClosed', 'video: pusherClosed']);
		assert.deepEqual(
			[...bob.pullers.values()].map(({ kind }) => kind),
			['audio', 'audio'],
		);
		assert.equal(bob.connections.length, 2);
	});

	it('leaves nothing in the worker, neither pipe nor consumer', async (t) => {
		const { sfu, alice, bob, pushed } = await startCall(t);
		await bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		const carries = await held(sfu);
		for (const pusher of pushed.pushers) pusher.close();
		// Of each: a producer, the two ends of its pipe, and a consumer.
		const ids = new Set(carries);
		const gone = async () => ids.size - (await held(sfu)).filter((id) => ids.has(id)).length;
		while ((await gone()) < 8) await turns(1);
		assert.equal(await gone(), 8);
	});

	for (const client of ['Chromium', 'Firefox']) {
		const anOfferToReceive = () => anOffer(`${client.toLowerCase()}-recvonly-video-audio`);

		it(`during any request of a pull by ${client} leaves the others of the same pull alone`, async (t) => {
			const { sfu, worker, alice, bob, messages } = await startCall(t, { offer: 'chromium-sendonly-video' });
			const [other] = specsOf(alice);
			const first = await bob.pull(pullAll(alice, anOfferToReceive()));
			first.connection.close();
			const before = await held(sfu);
			await interruptEach(worker, async (interrupted) => {
				const { connection, ...tracks } = await alice.push(anOffer('chromium-sendonly-audio'));
				const pushers = mediaPushers(tracks);
				const [doomed] = pushers;
				const close = () => {
					doomed!.close();
				};
				const specs = [{ pusherId: doomed!.pusherId }, other!];
				const pull = () => bob.pull({ targetUserId: 'alice', specs, offer: anOfferToReceive() });
				const pulled = await interrupted(close, pull);
				assert.deepEqual(
					pulled.pullers.map(({ kind }) => kind),
					doomed!.closed ? ['video'] : ['video', 'audio'],
				);
				const audio = sdpTransform.parse(pulled.answer).media.find(({ type }) => type === 'audio');
				assert.equal(audio?.direction, doomed!.closed ? 'inactive' : 'sendonly');
				pulled.connection.close();
				connection.close();
				await untilHeld(sfu, before);
			});
			assert.deepEqual(messages, []);
		});

		it(`during any request of a pull of it alone by ${client} is not found, and leaves nothing`, async (t) => {
			const { sfu, worker, alice, bob, messages } = await startCall(t, { offer: 'chromium-sendonly-audio' });
			const first = await bob.pull(pullAll(alice, anOfferToReceive()));
			first.connection.close();
			const before = await held(sfu);
			await interruptEach(worker, async (interrupted) => {
				const { connection, ...tracks } = await alice.push(anOffer('chromium-sendonly-audio'));
				const pushers = mediaPushers(tracks);
				const [doomed] = pushers;
				const close = () => {
					doomed!.close();
				};
				const specs = [{ pusherId: doomed!.pusherId }];
				const pull = () => outcome(bob.pull({ targetUserId: 'alice', specs, offer: anOfferToReceive() }));
				const result = await interrupted(close, pull);
				// When it goes as late as that, there is an answer already.
				if (doomed!.closed) assert.ok(['not_found', 'done'].includes(result), result);
				else assert.equal(result, 'done');
				assert.equal(bob.pullers.size, doomed!.closed ? 0 : 1);
				for (const left of bob.connections) left.close();
				connection.close();
				await untilHeld(sfu, before);
			});
			assert.deepEqual(messages, []);
		});
	}

	it('closes its pullers whatever its listeners do', async (t) => {
		const { alice, bob, pushed, messages } = await startCall(t);
		const [audio] = pushed.pushers;
		audio!.on('closed', () => {
			throw new Error('of the listener');
		});
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		audio!.close();
		assert.deepEqual(
			pullers.filter(({ closed }) => closed).map(({ kind }) => kind),
			['audio'],
		);
		assert.deepEqual(messages, ['a listener of Pusher failed']);
	});
});

describe('A pusher of which nothing arrives', () => {
	// The tests of browsers send real packets, and stop them.
	async function startPush(t: TestContext) {
		const { room, pushed } = await startCall(t);
		const pusher = pushed.pushers.find(({ kind }) => kind === 'video')!;
		const told: string[] = [];
		room.on('pusherStalled', (event) => told.push(`${event.user.userId} stalled ${event.pusher.stalled}`));
		room.on('pusherRecovered', (event) => told.push(`${event.user.userId} recovered ${event.pusher.stalled}`));
		return { pusher, told };
	}

	it('has stalled, until something arrives', async (t) => {
		const { pusher, told } = await startPush(t);
		pusher.arrives(false);
		assert.equal(pusher.stalled, false, 'it has not begun');
		for (const arrives of [true, true, false, false, true, true]) pusher.arrives(arrives);
		assert.deepEqual(told, ['alice stalled true', 'alice recovered false']);
	});

	it('has not while it is paused, nor after it has closed', async (t) => {
		const { pusher, told } = await startPush(t);
		pusher.arrives(true);
		await pusher.pause();
		pusher.arrives(false);
		assert.deepEqual(told, []);
		await pusher.resume();
		await pusher.pause('client');
		await pusher.resume('client');
		pusher.close();
		pusher.arrives(true);
		const [stalled, recovered] = ['alice stalled true', 'alice recovered false'];
		assert.deepEqual(told, [stalled, recovered, stalled]);
	});
});

describe('A pusher that is paused', () => {
	it('tells of each change, once', async (t) => {
		const { room, pushed } = await startCall(t);
		const [audio] = pushed.pushers;
		const told: string[] = [];
		room.on('pusherPaused', ({ user, pusher }) => told.push(`${user.userId} ${pusher.kind} paused ${pusher.paused}`));
		room.on('pusherResumed', ({ user, pusher }) => told.push(`${user.userId} ${pusher.kind} resumed ${pusher.paused}`));
		await audio!.pause();
		await audio!.pause();
		await audio!.resume();
		await audio!.resume();
		assert.deepEqual(told, ['alice audio paused true', 'alice audio resumed false']);
	});

	it('flows when nobody has paused it any more', async (t) => {
		const { pushed } = await startCall(t);
		const [audio] = pushed.pushers;
		const causes: string[] = [];
		audio!.on('paused', ({ cause }) => causes.push(`paused by ${cause}`));
		audio!.on('resumed', ({ cause }) => causes.push(`resumed by ${cause}`));
		await audio!.pause();
		await audio!.pause('client');
		await audio!.resume();
		assert.deepEqual([audio!.paused, producerOf(audio!).paused, audio!.pausedBy], [true, true, ['client']]);
		await audio!.resume('client');
		assert.deepEqual([audio!.paused, producerOf(audio!).paused, audio!.pausedBy], [false, false, []]);
		assert.deepEqual(causes, ['paused by app', 'resumed by client']);
	});

	it('ends as it was told last', async (t) => {
		const { pushed } = await startCall(t);
		const [audio] = pushed.pushers;
		await Promise.all([audio!.pause(), audio!.resume(), audio!.pause()]);
		assert.equal(audio!.paused, true);
		await Promise.all([audio!.resume(), audio!.pause(), audio!.resume()]);
		assert.equal(audio!.paused, false);
	});

	it('may close meanwhile; after that it rejects with `closed`', async (t) => {
		const { pushed } = await startCall(t);
		const [audio] = pushed.pushers;
		const pausing = audio!.pause();
		audio!.close();
		await pausing;
		await assert.rejects(audio!.pause(), { code: 'closed', message: 'the pusher has been closed' });
		await assert.rejects(audio!.resume(), { code: 'closed' });
	});
});
