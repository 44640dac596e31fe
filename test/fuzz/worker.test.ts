import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { loadOffer } from '../support/offers.js';
import { checkProperty } from '../support/seed.js';
import { attempt, clear, make, stage, watchful, webRtc } from './setup.js';

describe('spoilt offers', () => {
	it('do nothing to a real worker', async (t) => {
		const { logger, problems } = watchful();
		const sfu = await Sfu.create({ workers: { count: 1, logLevel: 'none' }, logger, webRtc });
		t.after(() => {
			sfu.close();
		});
		const room = await stage(sfu);
		const held = async () => {
			const [dump] = await sfu.dump();
			return { pid: dump?.pid, handlers: dump?.channelMessageHandlers.channelRequestHandlers.toSorted() };
		};
		// The first pull by a client with other numbers makes the two ends of a pipe, which stay as long as the room, and the
		// first data channel what it meets this process by.
		const { sources, tester } = room;
		const [source] = sources;
		const specs = [...source!.pushers.values()].filter(({ kind }) => kind === 'video');
		await tester.pull({ targetUserId: source!.userId, specs, offer: loadOffer('firefox-recvonly-video-audio') });
		await tester.push(loadOffer('chromium-sendonly-audio-video-data'));
		clear(room);
		const before = await held();
		let [attempts, mutants, answered] = [0, 0, 0];
		await checkProperty(
			import.meta.filename,
			{ few: 150, many: 900 },
			fc.asyncProperty(attempt, async (attempt) => {
				try {
					attempts++;
					const made = await make(room, attempt);
					mutants += made.made;
					answered += made.answered;
				} finally {
					clear(room);
				}
				assert.deepEqual(problems.splice(0), []);
				if (attempts % 50 === 0) assert.deepEqual(await held(), before);
			}),
		);
		t.diagnostic(`${mutants} offers, ${answered} of them answered`);
		assert.ok(answered > mutants / 5, `${answered} answers are too few to tell anything`);
		assert.deepEqual(await held(), before, 'nothing is left, and the worker is the same');
	});
});
