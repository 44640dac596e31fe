import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { WebRtcTransport } from 'mediasoup/types';
import type { JoinOptions, SfuOptions } from 'sfu-rooms';
import { AnsweringPeer } from '../support/answers.js';
import { anOffer, editMedia, sections } from '../support/offers.js';
import {
	interruptEach,
	outcome,
	pullAll,
	specsOf,
	startRoom,
	startSfu,
	until,
	untilHeld,
	held,
} from '../rooms/setup.js';
import { mediaPushers } from '../support/parted.js';

/** A room, and the transports for clients that its worker has made. */
async function start(t: TestContext, options: SfuOptions = {}) {
	const { sfu, worker } = await startSfu(t, options);
	const transports: WebRtcTransport[] = [];
	worker.observer.on('newrouter', (router) => {
		router.observer.on('newtransport', (transport) => {
			if (transport.type === 'webrtc') transports.push(transport as WebRtcTransport);
		});
	});
	const room = await sfu.getOrCreateRoom('room');
	const bounds = async () => {
		const [stats] = await transports.at(-1)!.getStats();
		return [stats?.maxIncomingBitrate, stats?.maxOutgoingBitrate];
	};
	const join = (userId: string, more: Partial<JoinOptions> = {}) => room.join({ userId, ...more });
	return { sfu, worker, room, join, bounds, transports };
}

const push = 'chromium-sendonly-audio-video';

describe('What a connection may carry', () => {
	it('is bounded by nothing unless that is wanted', async (t) => {
		const { join, bounds } = await start(t);
		const { connection } = await (await join('alice')).push(anOffer(push));
		assert.deepEqual(await bounds(), [undefined, undefined]);
		assert.deepEqual([connection.maxIncomingBitrate, connection.maxOutgoingBitrate], [0, 0]);
	});

	it('is bounded by the options of the Sfu, of the user instead, and by a call', async (t) => {
		const webRtc = { maxIncomingBitrate: 2_000_000, maxOutgoingBitrate: 3_000_000 };
		const { join, bounds } = await start(t, { webRtc });
		await (await join('alice')).push(anOffer(push));
		assert.deepEqual(await bounds(), [2_000_000, 3_000_000]);

		const bob = await join('bob', { maxIncomingBitrate: 500_000, maxOutgoingBitrate: 0 });
		const { connection } = await bob.push(anOffer(push));
		assert.deepEqual(await bounds(), [500_000, undefined]);

		await connection.setMaxIncomingBitrate(0);
		await connection.setMaxOutgoingBitrate(700_000);
		assert.deepEqual(await bounds(), [undefined, 700_000]);
		assert.deepEqual([connection.maxIncomingBitrate, connection.maxOutgoingBitrate], [0, 700_000]);
		await connection.setMaxOutgoingBitrate(1);
		assert.deepEqual(await bounds(), [undefined, 30_000], 'the least that the worker takes');
	});

	it('is bounded by the permissions of the user, by the smaller of both, and follows their changes', async (t) => {
		const { join, bounds } = await start(t);
		const permissions = { push: { maxBitrate: 300_000 } };
		const alice = await join('alice', { permissions, maxIncomingBitrate: 500_000 });
		const { connection } = await alice.push(anOffer(push));
		const incoming = async () => (await bounds())[0];
		assert.equal(await incoming(), 300_000);
		for (const [maxBitrate, expected] of [
			[800_000, 500_000],
			[200_000, 200_000],
			[undefined, 500_000],
		] as const) {
			alice.setPermissions({ push: maxBitrate === undefined ? true : { maxBitrate } });
			await until(async () => (await incoming()) === expected, `${expected} bit/s`);
		}
		await connection.setMaxIncomingBitrate(0);
		assert.equal(await incoming(), undefined);
		alice.setPermissions({ push: { maxBitrate: 100_000 } });
		await until(async () => (await incoming()) === 100_000, 'a call of the app takes no permission away');
	});

	it('is bounded before there is a transport', async (t) => {
		const { join, bounds } = await start(t);
		await (await join('alice')).push(anOffer(push));
		const connection = (await join('bob')).autoPull();
		await connection.setMaxOutgoingBitrate(400_000);
		await new Promise((resolve) => setTimeout(resolve, 200));
		assert.deepEqual(await bounds(), [undefined, 400_000]);
	});

	it('is bounded by what the client itself wants to receive', async (t) => {
		const { join, bounds } = await start(t, { webRtc: { maxOutgoingBitrate: 900_000 } });
		const alice = await join('alice');
		const bob = await join('bob');
		await alice.push(anOffer(push));
		const offer = anOffer('chromium-recvonly-video-audio');
		const wanting = (line: string) => editMedia(offer, 0, (media) => media.replace(/^(c=.*\r\n)/m, `$1${line}\r\n`));
		const { connection } = await bob.pull(pullAll(alice, wanting('b=AS:600')));
		assert.deepEqual(await bounds(), [undefined, 600_000]);
		assert.equal(connection.maxOutgoingBitrate, 600_000);

		await bob.pull(pullAll(alice, wanting('b=TIAS:4200000000')));
		assert.deepEqual(await bounds(), [undefined, 900_000]);
		await connection.setMaxOutgoingBitrate(0);
		assert.deepEqual(await bounds(), [undefined, 4_000_000_000]);
		await bob.pull(pullAll(alice, offer));
		assert.deepEqual(await bounds(), [undefined, undefined]);
		await bob.pull(pullAll(alice, offer.replace('t=0 0', 'b=AS:300\r\nt=0 0')));
		assert.deepEqual(await bounds(), [undefined, 300_000]);
	});

	it('is bounded by what the answer of the client says, too', async (t) => {
		const { join, bounds } = await start(t);
		const alice = await join('alice');
		const bob = await join('bob');
		await alice.push(anOffer(push));
		const specs = specsOf(alice);
		const first = await bob.pull({ targetUserId: 'alice', specs });
		const client = new AnsweringPeer();
		await first.answer(client.answer(first.sdp).replace(/^(m=video .*\r\n)/m, '$1b=AS:600\r\n'));
		assert.deepEqual(await bounds(), [undefined, 600_000]);
		assert.equal(first.connection.maxOutgoingBitrate, 600_000);
		const second = await bob.pull({ targetUserId: 'alice', specs });
		await second.answer(client.answer(second.sdp));
		assert.deepEqual(await bounds(), [undefined, undefined]);
	});

	it('cannot be what is no bitrate, nor bounded once it has closed', async (t) => {
		const { join, bounds } = await start(t);
		const { connection } = await (await join('alice')).push(anOffer(push));
		for (const wrong of [-1, 1.5, Number.NaN, Infinity, 4_000_000_001, '1', null, undefined]) {
			assert.equal(await outcome(connection.setMaxIncomingBitrate(wrong as number)), 'invalid_argument', String(wrong));
			assert.equal(await outcome(connection.setMaxOutgoingBitrate(wrong as number)), 'invalid_argument', String(wrong));
		}
		assert.deepEqual(await bounds(), [undefined, undefined]);
		const underWay = outcome(connection.setMaxOutgoingBitrate(1_000_000));
		connection.close();
		assert.match(await underWay, /done|closed/);
		assert.equal(await outcome(connection.setMaxIncomingBitrate(1)), 'closed');
		assert.equal(await outcome(connection.setMaxOutgoingBitrate(1)), 'closed');
	});

	it('leaves nothing when the user leaves while it is being bounded', async (t) => {
		const { sfu, worker, join } = await start(t, { webRtc: { maxIncomingBitrate: 1, maxOutgoingBitrate: 100_000 } });
		const before = await held(sfu);
		await interruptEach(worker, async (interrupted) => {
			const user = await join('alice');
			const pushing = await interrupted(
				() => {
					user.close();
				},
				() => outcome(user.push(anOffer(push))),
			);
			assert.match(pushing, /done|closed/);
			user.close();
			await untilHeld(sfu, before);
		});
	});
});

describe('What the client is told to send at most', () => {
	it('is in the answer, and changes with a later push', async (t) => {
		const { join } = await startRoom(t);
		const alice = await join('alice');
		const offer = anOffer(push);
		const told = (answer: string) => sections(answer)[2]!.match(/^b=.*$/gm);
		const first = await alice.push(offer, { media: { '1': { maxBitrate: 800_500 } } });
		assert.deepEqual(told(first.answer), ['b=AS:801', 'b=TIAS:800500']);
		assert.ok(!/^b=/m.test(sections(first.answer)[1]!), 'audio was not bounded');
		const [, video] = mediaPushers(first);
		assert.equal(video!.maxBitrate, 800_500);
		const again = await alice.push(offer);
		assert.deepEqual(told(again.answer), ['b=AS:801', 'b=TIAS:800500']);
		const lower = await alice.push(offer, { media: { '1': { maxBitrate: 100_000 } } });
		assert.deepEqual(told(lower.answer), ['b=AS:100', 'b=TIAS:100000']);
		assert.equal(video!.maxBitrate, 100_000);
		const free = await alice.push(offer, { media: { '1': { maxBitrate: 0 } } });
		assert.equal(told(free.answer), null);
	});

	it('is a bitrate', async (t) => {
		const { join } = await startRoom(t);
		const alice = await join('alice');
		for (const maxBitrate of [-1, 0.5, '1', null]) {
			await assert.rejects(alice.push(anOffer(push), { media: { '1': { maxBitrate: maxBitrate as number } } }), {
				code: 'invalid_argument',
				message: /^options\.media\.1\.maxBitrate must be /,
			});
		}
	});
});

describe('What the client is told to begin with', () => {
	const told = async (t: TestContext, webRtc: SfuOptions['webRtc'] = {}) => {
		const { join } = await startRoom(t, { webRtc });
		const alice = await join('alice');
		const { answer, ...tracks } = await alice.push(anOffer(push));
		const pushers = mediaPushers(tracks);
		assert.ok(!pushers.some(({ media }) => media.fmtp.includes('x-google')), 'it was not negotiated');
		return /^a=fmtp:96 .*$/m.exec(answer)?.[0].trim();
	};

	it('is 1,250 kbit/s, or what the options say, but never more than it may send', async (t) => {
		assert.equal(await told(t), 'a=fmtp:96 x-google-start-bitrate=1250');
		assert.equal(await told(t, { startBitrate: 700_000 }), 'a=fmtp:96 x-google-start-bitrate=700');
		assert.equal(await told(t, { maxIncomingBitrate: 600_000 }), 'a=fmtp:96 x-google-start-bitrate=600');
		assert.equal(await told(t, { startBitrate: 0 }), undefined);
	});
});
