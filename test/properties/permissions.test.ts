// Takes 25 s.
import { observer } from 'mediasoup';
import type { WebRtcTransport, Worker } from 'mediasoup/types';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type AnyPusher } from 'sfu-rooms';
import { FakeWorkers } from '../support/fakeWorkers.js';
import { producerOf } from '../support/parted.js';
import { checkProperty } from '../support/seed.js';
import { Play, step } from './PermissionsPlay.js';
import { watchful } from './setup.js';

const script = (maxLength: number) =>
	fc.array(fc.record({ step, wait: fc.constantFrom('quiet', 0, 2, 7) }), { maxLength, size: 'max' });
type Script = ReturnType<typeof script> extends fc.Arbitrary<infer Value> ? Value : never;

/** @param quiet - checks, when all has come to rest */
async function run(play: Play, steps: Script, quiet: (check: () => Promise<void>) => Promise<void>) {
	for (const { step, wait } of steps) {
		const done = play.do(step).catch(() => undefined);
		if (wait !== 'quiet') {
			for (let turn = 0; turn < Number(wait); turn++) await Promise.resolve();
			continue;
		}
		await done;
		await quiet(() => play.check());
	}
	await quiet(() => play.check());
}

describe('a room whose app permits, mutes and kicks', () => {
	it('lets nobody push or receive what is denied, nor hear who is muted, with fake media', async () => {
		const property = fc.asyncProperty(script(30), async (steps) => {
			const { logger } = watchful();
			const workers = new FakeWorkers(logger);
			const sfu = await Sfu.createWith({ logger }, () => Promise.resolve(workers.pool));
			const play = new Play(await sfu.getOrCreateRoom('room'), {
				isPaused: ({ pusherId }) => workers.books.producers.get(pusherId)?.paused === true,
				consumers: () => workers.books.count('webrtc').consumers,
			});
			await run(play, steps, async (check) => {
				await setImmediate();
				await check();
			});
			sfu.close();
		});
		await checkProperty(import.meta.filename, { few: 300, many: 5000 }, property);
	});

	it('does so in a real worker', async (t) => {
		const { logger } = watchful();
		const worker = new Promise<Worker>((resolve) => observer.once('newworker', resolve));
		const sfu = await Sfu.create({ workers: { count: 1, logLevel: 'none' }, logger });
		t.after(() => {
			sfu.close();
		});
		let rooms = 0;
		const transports = new Set<WebRtcTransport>();
		(await worker).observer.on('newrouter', (router) => {
			router.observer.on('newtransport', (transport) => {
				if (transport.type !== 'webrtc') return;
				transports.add(transport as WebRtcTransport);
				transport.observer.once('close', () => transports.delete(transport as WebRtcTransport));
			});
		});
		const property = fc.asyncProperty(script(15), async (steps) => {
			const room = await sfu.getOrCreateRoom(`room ${rooms++}`);
			const play = new Play(room, {
				isPaused: async (pusher: AnyPusher) => pusher.kind !== 'data' && (await producerOf(pusher).dump()).paused,
				consumers: async () => {
					const dumps = await Promise.all([...transports].map((transport) => transport.dump()));
					return dumps.reduce((sum, { consumerIds }) => sum + consumerIds.length, 0);
				},
			});
			try {
				await run(play, steps, eventually);
			} finally {
				room.close();
			}
		});
		await checkProperty(import.meta.filename, { few: 150, many: 3000 }, property);
	});
});

/** Waits until the check passes, but not for long. */
async function eventually(check: () => Promise<void>) {
	const deadline = performance.now() + 3000;
	for (;;) {
		try {
			await check();
			return;
		} catch (error) {
			// A dump of what has just closed fails.
			if (performance.now() > deadline) throw error;
			await sleep(2);
		}
	}
}
