import assert from 'node:assert/strict';
import type { WebRtcTransport } from 'mediasoup/types';
import { describe, it } from 'node:test';
import { ArrivalWatch } from '../../src/connections/ArrivalWatch.js';
import type { Pusher } from '../../src/tracks/Pusher.js';

/** A client that pushes these, of which nothing is real but the counters. */
function watching(...names: string[]) {
	const watch = new ArrivalWatch();
	const counters = new Map(names.map((name) => [name, 0]));
	const paused = new Set<string>();
	let bitrate = 0;
	let asked = 0;
	const told: string[] = [];
	const pushers = names.map((name) => {
		let stalled = false;
		return {
			get paused() {
				return paused.has(name);
			},
			get stalled() {
				return stalled;
			},
			pullSource: {
				getStats: () => {
					asked++;
					return Promise.resolve([{ byteCount: counters.get(name) }]);
				},
			},
			arrives: (arrives: boolean) => {
				stalled = !arrives;
				told.push(`${name} ${arrives ? 'arrives' : 'is silent'}`);
			},
		} as unknown as Pusher;
	});
	const transport = {
		getStats: () => {
			const rtpBytesReceived = [...counters.values()].reduce((sum, bytes) => sum + bytes, 0);
			return Promise.resolve([{ rtpBytesReceived, rtpRecvBitrate: bitrate }]);
		},
	} as unknown as WebRtcTransport;
	return {
		paused,
		/** What is told at the next look, after these have sent. */
		look: async (...sending: string[]) => {
			told.length = 0;
			asked = 0;
			bitrate = sending.includes('video') ? 1_000_000 : sending.length * 40_000;
			for (const name of sending) counters.set(name, (counters.get(name) ?? 0) + 1000);
			await watch.look(transport, pushers);
			return told.toSorted();
		},
		get asked() {
			return asked;
		},
	};
}

describe('What a client pushes', () => {
	it('is said to arrive only when it does', async () => {
		const { look } = watching('video');
		assert.deepEqual(await look(), [], 'one silent look says nothing');
		assert.deepEqual(await look(), ['video is silent']);
		assert.deepEqual(await look('video'), ['video arrives']);
	});

	it('is said to arrive at the first look, if it has', async () => {
		for (const names of [['video'], ['audio', 'other']]) {
			const { look } = watching(...names);
			assert.deepEqual(
				await look(...names),
				names.map((name) => `${name} arrives`),
			);
			await look();
			assert.deepEqual(
				await look(),
				names.map((name) => `${name} is silent`),
			);
		}
	});

	it('is silent after two looks in a row', async () => {
		const { look } = watching('video');
		await look('video');
		assert.deepEqual(await look('video'), ['video arrives']);
		assert.deepEqual(await look(), []);
		assert.deepEqual(await look('video'), ['video arrives']);
		await look();
		assert.deepEqual(await look(), ['video is silent']);
	});

	it('is asked for by the transport alone while much arrives', async () => {
		const client = watching('audio', 'video');
		await client.look('audio', 'video');
		assert.deepEqual(await client.look('audio', 'video'), ['audio arrives', 'video arrives']);
		assert.equal(client.asked, 0);
	});

	it('is told apart when little arrives', async () => {
		const { look } = watching('audio', 'video');
		await look('audio', 'video');
		await look('audio', 'video');
		// The first look at single tracks finds what came before.
		for (const expected of [
			['audio arrives', 'video arrives'],
			['audio arrives'],
			['audio arrives', 'video is silent'],
		]) {
			assert.deepEqual(await look('audio'), expected);
		}
		await look('audio', 'video');
		assert.deepEqual(await look('audio', 'video'), ['audio arrives', 'video arrives']);
	});

	it('does not count while it is paused', async () => {
		const { look, paused } = watching('video');
		await look('video');
		await look('video');
		paused.add('video');
		for (let looks = 0; looks < 4; looks++) assert.deepEqual(await look(), []);
		paused.delete('video');
		// What came before counts as an arrival.
		assert.deepEqual([await look(), await look(), await look()], [['video arrives'], [], ['video is silent']]);
	});
});
