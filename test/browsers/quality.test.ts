import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Sfu, type Puller, type Pusher } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser } from '../support/browsers.js';
import { call } from '../support/call.js';
import { mediaAddress } from '../support/namespace.js';
import { untilPlaying } from '../support/playback.js';

/** Waits until what the condition asks for holds, and fails with what it was last. */
async function until(what: string, condition: () => Promise<unknown>, seconds = 20) {
	const deadline = performance.now() + seconds * 1000;
	while (!(await condition())) {
		assert.ok(performance.now() < deadline, `not within ${seconds} s: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

describe('In a call between pages of Chromium', { skip: cannotRun('Chromium') }, () => {
	let sfu: Sfu;
	let chromium: Browser;

	before(async () => {
		sfu = await Sfu.create({
			workers: { count: 1 },
			webRtc: { listen: [{ ip: mediaAddress }], keyframeRequestDelay: 0 },
		});
		chromium = await startBrowser('Chromium');
	});

	after(async () => {
		sfu.close();
		await chromium.close();
	});

	it('stats tell what flows, and a keyframe comes when it is asked for', async () => {
		const [from, to] = [await chromium.newPage(), await chromium.newPage()];
		const room = await sfu.getOrCreateRoom('stats');
		const id = await call(room, { from, to, codec: 'VP8' });
		await untilPlaying(to, id, { within: 10_000 });
		const alice = room.users.get('alice')!;
		const bob = room.users.get('bob')!;
		const video = (of: ReadonlyMap<string, Pusher | Puller>) => [...of.values()].find(({ kind }) => kind === 'video')!;
		const pusher = video(alice.pushers);
		const puller = video(bob.pullers);

		await until('the round trip is known', async () => (await puller.getStats()).streams[0]?.roundTripTime);
		for (const { bitrate, streams } of [await pusher.getStats(), await puller.getStats()]) {
			const [stream] = streams;
			assert.ok(bitrate > 10_000 && stream!.bytes > 1000 && stream!.packets > 10, JSON.stringify(stream));
			assert.ok(stream!.fractionLost >= 0 && stream!.fractionLost < 0.5 && stream!.score > 0, JSON.stringify(stream));
			assert.ok(stream!.jitter >= 0 && stream!.jitter < 1000, JSON.stringify(stream));
		}
		for (const connection of [...alice.connections, ...bob.connections]) {
			const stats = await connection.getStats();
			assert.equal(stats.dtlsState, 'connected');
			assert.equal(stats.selectedTuple!.localAddress, mediaAddress);
			assert.ok(stats.bytesReceived > 1000 && stats.bytesSent > 100, JSON.stringify(stats));
		}

		const asked = async () => (await pusher.getStats()).streams[0]!.keyframeRequests;
		const shown = async () => (await to.client.stats(id)).video[0]!.keyFramesDecoded;
		for (const object of [pusher, puller]) {
			const [askedBefore, shownBefore] = [await asked(), await shown()];
			await object.requestKeyframe();
			await until('the client was asked', async () => (await asked()) > askedBefore);
			await until('the keyframe came', async () => (await shown()) > shownBefore);
		}
		room.close();
	});
});
