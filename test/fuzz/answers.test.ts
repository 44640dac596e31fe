// Takes 15 s.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Sfu, SfuError, type ServerOffer, type User } from 'sfu-rooms';
import { AnsweringPeer, type Take } from '../support/answers.js';
import { FakeWorkers } from '../support/fakeWorkers.js';
import { loadOffer } from '../support/offers.js';
import { checkProperty } from '../support/seed.js';
import { mutate, mutation } from './mutations.js';
import { Slowest } from './Slowest.js';
import { watchful, webRtc } from './setup.js';

const takes = fc.array(fc.constantFrom<Take>('receive', 'receive', 'inactive', 'reject'), {
	minLength: 6,
	maxLength: 6,
});
const attempt = fc.record({
	rounds: fc.array(fc.record({ takes, mutations: fc.array(mutation, { maxLength: 4, size: 'max' }) }), {
		minLength: 1,
		maxLength: 3,
	}),
	donor: fc.nat({ max: 2 }),
});

const refusals = ['invalid_argument', 'too_large', 'unsupported', 'conflict'];
const donors = ['chromium-sendonly-audio-video', 'firefox-recvonly-video-audio', 'gstreamer-send-bundled'].map(
	loadOffer,
);

describe('spoilt answers', () => {
	it('are applied or refused, and the offer waits for a better one, with fake media', async (t) => {
		const { logger, problems } = watchful();
		const workers = new FakeWorkers(logger);
		const sfu = await Sfu.createWith({ logger, webRtc }, () => Promise.resolve(workers.pool));
		t.after(() => {
			sfu.close();
		});
		const room = await sfu.getOrCreateRoom('room');
		const sources: User[] = [];
		for (const userId of ['a', 'b', 'c']) {
			const source = await room.join({ userId });
			await source.push(loadOffer('chromium-sendonly-audio-video'));
			sources.push(source);
		}
		const slowest = new Slowest();
		let [answered, refused] = [0, 0];

		/** Whether an answer was taken that is not of the peer. */
		let spoilt = false;

		async function settle(offer: ServerOffer, peer: AnsweringPeer, spoil: (answer: string) => string, take: Take[]) {
			const { connection } = offer;
			const good = peer.answer(offer.sdp, (index) => take[index % take.length] ?? 'receive');
			const answer = spoil(good);
			const before = offer.pullers.map(({ closed, paused }) => [closed, paused]);
			try {
				await slowest.time(answer, () => offer.answer(answer));
				answered++;
				spoilt ||= answer !== good;
			} catch (error) {
				assert.ok(error instanceof SfuError && refusals.includes(error.code), `${String(error)}\n${answer}`);
				refused++;
				assert.equal(connection.closed, false);
				assert.deepEqual(
					offer.pullers.map(({ closed, paused }) => [closed, paused]),
					before,
					'what is refused changes nothing',
				);
				// The browser that made the spoilt answers is another one if they were taken.
				const outcome = await offer.answer(good).catch((failure: unknown) => (failure as SfuError).code);
				assert.ok(outcome === undefined || (spoilt && outcome === 'conflict'), String(outcome));
				if (outcome !== undefined) offer.connection.close();
			}
		}

		await checkProperty(
			import.meta.filename,
			{ few: 1500, many: 20_000 },
			fc.asyncProperty(attempt, async ({ rounds, donor }) => {
				const bob = await room.join({ userId: 'bob' });
				const peer = new AnsweringPeer();
				spoilt = false;
				try {
					for (const [index, { takes: take, mutations }] of rounds.entries()) {
						const source = sources[index]!;
						const offer = await bob.pull({ targetUserId: source.userId, specs: [...source.pushers.values()] });
						const spoil = (answer: string) =>
							mutations.reduce((spoiling, change) => mutate(spoiling, change, donors[donor]!), answer);
						await settle(offer, peer, spoil, take);
						if (offer.connection.closed) return;
						// A spoilt answer may take what cannot be sent, and another offer takes that back.
						for (let more = 0; bob.pendingOffer; more++) {
							assert.ok(more < 5, 'the offers come to an end');
							await settle(bob.pendingOffer, peer, (answer) => answer, take);
						}
					}
				} finally {
					bob.close();
				}
				await setImmediate();
				assert.deepEqual(problems.splice(0), []);
				assert.equal(workers.books.count('webrtc').consumers, 0, 'nothing is left');
			}),
		);
		t.diagnostic(`${answered} answers applied, ${refused} refused; the slowest: ${slowest.report()}`);
		assert.ok(answered > refused / 10 && refused > answered / 10, 'both tell something');
	});
});
