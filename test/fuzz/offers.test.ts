// Takes 30 s.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { FakeWorkers } from '../support/fakeWorkers.js';
import { loadOffer } from '../support/offers.js';
import { checkProperty } from '../support/seed.js';
import { Slowest } from './Slowest.js';
import { attempt, bases, clear, make, stage, watchful, webRtc } from './setup.js';

it('there are offers to spoil', () => {
	assert.ok(bases.length >= 30);
	assert.ok(bases.some(({ sdp }) => sdp.includes('a=simulcast:')));
});

describe('spoilt offers', () => {
	it('are answered by the rules or refused, with fake media', async (t) => {
		const { logger, problems } = watchful();
		const workers = new FakeWorkers(logger);
		const limits = { connectionsPerUser: 1000, pushersPerUser: 100, pullersPerUser: 100 };
		const sfu = await Sfu.createWith({ logger, limits, webRtc }, () => Promise.resolve(workers.pool));
		t.after(() => {
			sfu.close();
		});
		const room = await stage(sfu);
		await room.tester.push(loadOffer('chromium-sendonly-audio-video-data'));
		clear(room);
		await setImmediate();
		const before = workers.books.count('webrtc');
		const data = [workers.books.data.producers.size, workers.books.data.consumers.size];
		const slowest = new Slowest();
		let [attempts, mutants, answered] = [0, 0, 0];
		await checkProperty(
			import.meta.filename,
			{ few: 3000, many: 42_000 },
			fc.asyncProperty(attempt, async (attempt) => {
				try {
					attempts++;
					const made = await make(room, attempt, slowest);
					mutants += made.made;
					answered += made.answered;
				} finally {
					clear(room);
				}
				assert.deepEqual(problems.splice(0), []);
				if (attempts % 100 === 0) {
					await setImmediate();
					assert.deepEqual(workers.books.count('webrtc'), before);
					assert.deepEqual([workers.books.data.producers.size, workers.books.data.consumers.size], data);
					assert.equal(workers.books.count('pipe').producers, 0);
				}
			}),
		);
		t.diagnostic(`${mutants} offers, ${answered} of them answered; the slowest: ${slowest.report()}`);
		assert.ok(answered > mutants / 5, `${answered} answers are too few to tell anything`);
	});
});
