// Takes 15 s.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { checkProperty } from '../support/seed.js';
import { Scenario, steps } from './Scenario.js';
import { chromium, firefox, watchful } from './setup.js';

describe('rooms, with a real worker', () => {
	const profiles = [chromium, firefox];
	const grace = 40;
	const emptyRoomTimeout = 60;

	it('what clients know is so, and nothing is left behind', async (t) => {
		const { logger, problems } = watchful();
		const sfu = await Sfu.create({ workers: { count: 1, logLevel: 'none' }, emptyRoomTimeout, logger });
		t.after(() => {
			sfu.close();
		});
		const held = async () => {
			const [dump] = await sfu.dump();
			const { channelRequestHandlers = [] } = dump?.channelMessageHandlers ?? {};
			return { pid: dump?.pid, routers: dump?.routerIds.length, handlers: channelRequestHandlers.toSorted() };
		};
		const before = await held();

		async function play(script: Parameters<Scenario['play']>[0]) {
			const adapter = new ProtooAdapter(sfu, {
				authorize: (action) => (action.action === 'join' ? { takeOver: true } : true),
				reconnectTimeout: grace,
			});
			const scenario = new Scenario({
				sfu,
				adapter,
				profiles,
				grace,
				emptyRoomTimeout,
				problems,
				now: () => performance.now(),
				pass: (ms) => sleep(ms),
				turns: async (count) => {
					// A worker takes a while; what matters is what comes between.
					for (let turn = 0; turn < count; turn++) await (turn % 8 === 7 ? setImmediate() : Promise.resolve());
				},
				quiet: (check) => eventually(check),
				checkHeld: () => undefined,
			});
			await scenario.play(script);
			await eventually(async () => {
				assert.deepEqual(await held(), before);
			});
		}
		await checkProperty(import.meta.filename, { few: 30, many: 200 }, fc.asyncProperty(steps(25), play));
	});
});

/** Waits until the check passes, but not for long. */
async function eventually(check: () => void | Promise<void>) {
	const deadline = performance.now() + 3000;
	for (;;) {
		try {
			await check();
			return;
		} catch (error) {
			if (performance.now() > deadline) throw error;
			await sleep(2);
		}
	}
}
