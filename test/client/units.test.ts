import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseEncodings } from '../../src/client/encodings.js';
import { chooseLayer } from '../../src/client/chooseLayer.js';
import { Emitter } from '../../src/client/Emitter.js';
import { RoomError } from '../../src/client/RoomError.js';
import { backOff, wait } from '../../src/client/retry.js';
import { Synced } from '../../src/client/Synced.js';

describe('backOff', () => {
	it('doubles up to ten seconds, and leaves half of it to chance', () => {
		for (const [attempt, longest] of [500, 1000, 2000, 4000, 8000, 10_000, 10_000].entries()) {
			const delays = Array.from({ length: 200 }, () => backOff(attempt));
			for (const delay of delays) assert.ok(delay >= longest / 2 && delay <= longest);
			assert.ok(new Set(delays).size > 100);
		}
	});
});

describe('wait', () => {
	it('ends early by its signal', async () => {
		const controller = new AbortController();
		const begun = Date.now();
		const waiting = wait(60_000, controller.signal);
		controller.abort();
		await waiting;
		await wait(60_000, controller.signal);
		assert.ok(Date.now() - begun < 5000);
	});

	it('begins anew when the timer is late, as after a sleep of the machine', async () => {
		let isDone = false;
		const waiting = wait(200).then(() => (isDone = true));
		const asleep = Date.now() + 1500;
		while (Date.now() < asleep);
		await sleep(50);
		assert.equal(isDone, false);
		await waiting;
	});
});

describe('Synced', () => {
	it('tells what is wanted last, once at a time, and again after a failure', async () => {
		const told: boolean[] = [];
		let wanted = true;
		let fails = false;
		const synced = new Synced(
			false,
			() => wanted,
			async (value) => {
				told.push(value);
				await sleep(5);
				if (fails) throw new Error('no connection');
			},
		);
		const first = synced.sync();
		wanted = false;
		await Promise.all([first, synced.sync()]);
		assert.deepEqual(told, [true, false]);
		await synced.sync();
		assert.deepEqual(told, [true, false]);
		wanted = fails = true;
		await synced.sync();
		fails = false;
		await synced.sync();
		assert.deepEqual(told, [true, false, true, true]);
		// Nobody knows whether what failed was done.
		fails = true;
		wanted = false;
		await synced.sync();
		wanted = true;
		fails = false;
		await synced.sync();
		assert.deepEqual(told.slice(4), [false, true]);
	});
});

describe('chooseEncodings', () => {
	const rids = (video: Parameters<typeof chooseEncodings>[0]) => chooseEncodings(video).map(({ rid }) => rid);

	it('sends a camera in as many sizes as it is worth', () => {
		assert.deepEqual(rids({ source: 'camera', width: 1280, height: 720 }), ['q', 'h', 'f']);
		assert.deepEqual(rids({ source: 'camera', width: 720, height: 1280 }), ['q', 'h', 'f']);
		assert.deepEqual(rids({ source: 'camera', width: 640, height: 360 }), ['h', 'f']);
		assert.deepEqual(rids({ source: 'camera', width: 320, height: 180 }), [undefined]);
		assert.deepEqual(rids({ source: 'screen', width: 1920, height: 1080 }), [undefined]);
		assert.deepEqual(rids({ source: 'screen', width: 1920, height: 1080, simulcast: true }), ['q', 'h', 'f']);
		assert.deepEqual(rids({ source: 'camera', width: 1280, height: 720, simulcast: false }), [undefined]);
	});

	it('gives larger layers more, and none more than is allowed', () => {
		const bitrates = chooseEncodings({ source: 'camera', width: 1280, height: 720 }).map(
			({ maxBitrate = 0 }) => maxBitrate,
		);
		assert.deepEqual(
			bitrates,
			[...bitrates].sort((a, b) => a - b),
		);
		assert.ok(bitrates[2]! > 1_400_000 && bitrates[2]! < 1_800_000);
		const limited = chooseEncodings({ source: 'camera', width: 1280, height: 720, maxBitrate: 900_000 });
		assert.equal(limited.at(-1)!.maxBitrate, 900_000);
	});

	it('has the layers of VP9 and AV1 in one stream', () => {
		for (const codec of ['VP9', 'AV1']) {
			const [encoding, ...others] = chooseEncodings({ source: 'camera', width: 1280, height: 720, codecs: [codec] });
			assert.equal((encoding as { scalabilityMode?: string }).scalabilityMode, 'L3T3_KEY');
			assert.equal(others.length, 0);
		}
	});
});

describe('chooseLayer', () => {
	const layer = (shown: number, received = { layer: 2, side: 1280 }) => chooseLayer({ shown, count: 3, ...received });

	it('is the lowest that is large enough', () => {
		assert.deepEqual(
			[160, 320, 400, 401, 640, 800, 801, 1280, 4000].map((shown) => layer(shown)),
			[0, 0, 0, 1, 1, 1, 2, 2, 2],
		);
	});

	it('knows the others by the one that is received', () => {
		assert.equal(layer(640, { layer: 0, side: 320 }), 1);
		assert.equal(layer(640, { layer: 0, side: 160 }), 2);
	});

	it('is the highest when nobody sees it, since it is paused then', () => {
		assert.equal(layer(0), 2);
	});
});

describe('Emitter', () => {
	it('calls listeners until they are taken away', () => {
		const emitter = new Emitter<{ done: number }>();
		const heard: string[] = [];
		const off = emitter.on('done', (value) => heard.push(`first ${value}`));
		const controller = new AbortController();
		emitter.on('done', (value) => heard.push(`second ${value}`), { signal: controller.signal });
		emitter.emit('done', 1);
		off();
		emitter.emit('done', 2);
		controller.abort();
		emitter.emit('done', 3);
		assert.deepEqual(heard, ['first 1', 'second 1', 'second 2']);
	});
});

describe('RoomError', () => {
	it('names the kind of what the server says', () => {
		const codes = [0, 400, 403, 404, 406, 409, 413, 429, 500, 503, 599].map(
			(status) => new RoomError('push', status, '').code,
		);
		assert.deepEqual(codes, [
			'closed',
			'invalid_argument',
			'forbidden',
			'not_found',
			'unsupported',
			'conflict',
			'too_large',
			'limit_exceeded',
			'internal',
			'unavailable',
			'internal',
		]);
	});
});
