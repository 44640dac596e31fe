// Takes 45 s.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Sfu } from 'sfu-rooms';
import { ProtooAdapter, type JoinSuccess } from 'sfu-rooms/protoo';
import { cannotRun, startBrowser, type Browser } from '../support/browsers.js';
import { call } from '../support/call.js';
import { cannotDropPackets, dropIncoming, mediaAddress, overUdp } from '../support/namespace.js';
import { untilPlaying } from '../support/playback.js';
import { ProtooClient } from '../support/protooClient.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';
import { onTwoWorkers } from '../support/workers.js';

/** Waits until what the condition asks for holds, and fails with what it was last. */
async function until(what: string, condition: () => Promise<unknown>, seconds = 60) {
	const deadline = performance.now() + seconds * 1000;
	while (!(await condition())) {
		assert.ok(performance.now() < deadline, `not within ${seconds} s: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

describe('In a call between pages of Chromium, on two workers', { skip: cannotRun('Chromium') }, () => {
	let sfu: Sfu;
	let chromium: Browser;

	before(async () => {
		sfu = await Sfu.create({
			workers: onTwoWorkers(),
			webRtc: { listen: [overUdp], keyframeRequestDelay: 0 },
			audioObservers: { interval: 500 },
			qualityInterval: 1000,
		});
		chromium = await startBrowser('Chromium');
	});

	after(async () => {
		sfu.close();
		await chromium.close();
	});

	it('the one that is not muted is the active speaker, and all are told', async () => {
		ProtooClient.patience = 20_000;
		const adapter = new ProtooAdapter(sfu, { audioLevels: true });
		const connect = () =>
			ProtooClient.overPair((socket) => {
				adapter.accept(socket);
			});
		const carol = connect();
		assert.ok(!('activeSpeaker' in (await carol.join('speakers', 'carol'))), 'nobody speaks yet');
		const room = await sfu.getOrCreateRoom('speakers');
		const speaking: (string | undefined)[] = [];
		room.on('activeSpeakerChanged', ({ user }) => speaking.push(user?.userId));
		const push = async (userId: string) => {
			const page = await chromium.newPage();
			const user = await room.join({ userId });
			const { id, offer } = await page.client.createTonePusher();
			const { answer, ...tracks } = await user.push(offer);
			const pushers = mediaPushers(tracks);
			await page.client.acceptAnswer(id, answer);
			return { page, id, pusher: pushers[0]! };
		};
		const quiet = await push('quiet');
		await quiet.page.client.mute(quiet.id, true);
		const loud = await push('loud');

		await until('somebody loud is active', async () => Promise.resolve(room.activeSpeaker?.user.userId === 'loud'));
		const told = await carol.next('activeSpeaker');
		if (told.userId === 'quiet') assert.equal((await carol.next('activeSpeaker')).userId, null);
		const { levels } = await carol.next('audioLevels');
		assert.ok(
			levels.every(({ volume }) => volume >= -80 && volume <= 0),
			JSON.stringify(levels),
		);
		let token: string | null = null;
		for (const isBack of [false, true]) {
			const joined: JoinSuccess = await connect().join('speakers', 'dave', undefined, token);
			const { resumed, activeSpeaker } = joined;
			token = joined.resumeToken;
			assert.equal(resumed, isBack);
			assert.deepEqual(activeSpeaker, { roomId: 'speakers', userId: 'loud', pusherId: loud.pusher.pusherId });
		}
		await loud.page.client.mute(loud.id, true);
		await until('nobody is active', async () => Promise.resolve(room.activeSpeaker === undefined));
		await quiet.page.client.mute(quiet.id, false);
		await until('the other one is active', async () => Promise.resolve(room.activeSpeaker?.pusher === quiet.pusher));
		await quiet.pusher.pause();
		assert.equal(room.activeSpeaker, undefined);
		assert.ok(speaking.includes('loud'));
		assert.deepEqual(speaking.slice(-2), ['quiet', undefined]);
		room.close();
		adapter.close();
	});

	it('stats tell what flows, and a keyframe comes when it is asked for', async () => {
		const [from, to] = [await chromium.newPage(), await chromium.newPage()];
		const room = await sfu.getOrCreateRoom('stats');
		const id = await call(room, { from, to, codec: 'VP8' });
		await untilPlaying(to, id);
		const alice = room.users.get('alice')!;
		const bob = room.users.get('bob')!;
		const pusher = mediaPushers(alice).find(({ kind }) => kind === 'video')!;
		const puller = mediaPullers(bob).find(({ kind }) => kind === 'video')!;

		await until('the round trip is known', async () => (await puller.getStats()).streams[0]?.roundTripTime);
		for (const { bitrate, streams } of [await pusher.getStats(), await puller.getStats()]) {
			const [stream] = streams;
			assert.ok(bitrate > 10_000 && stream!.bytes > 1000 && stream!.packets > 10, JSON.stringify(stream));
			assert.ok(stream!.fractionLost >= 0 && stream!.fractionLost < 0.5 && stream!.score > 0, JSON.stringify(stream));
			assert.ok(stream!.jitter >= 0 && stream!.jitter < 1000, JSON.stringify(stream));
		}
		for (const object of [pusher, puller]) {
			const { frameRate, streams } = await object.getStats({ frameRate: true });
			assert.ok(frameRate! > 0, 'frames are counted');
			assert.equal(streams[0]!.frameRate, frameRate);
		}
		for (const connection of [...alice.connections, ...bob.connections]) {
			const stats = await connection.getStats();
			assert.equal(stats.dtlsState, 'connected');
			assert.equal(stats.selectedTuple!.localAddress, mediaAddress);
			assert.ok(stats.bytesReceived > 1000 && stats.bytesSent > 100, JSON.stringify(stats));
			assert.ok(stats.bitrate > 10_000 && stats.score > 0, JSON.stringify(stats));
			assert.equal(stats.pushers.length + stats.pullers.length, 2);
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

	it('a connection that carries nothing is not called lost while both ends are connected', async () => {
		const page = await chromium.newPage();
		const room = await sfu.getOrCreateRoom('silence');
		const alone = await room.join({ userId: 'alone' });
		const told: string[] = [];
		alone.on('qualityChanged', ({ quality }) => told.push(quality));
		// A data channel, on which nobody says anything.
		const { id, offer } = await page.client.createChannels([{ label: 'chat' }]);
		const { answer, connection } = await alone.push(offer);
		await page.client.acceptAnswer(id, answer);
		await until('it is connected', () => Promise.resolve(connection.state === 'connected'));
		const received = async () => (await connection.getStats()).bytesReceived;
		let [before, since] = [await received(), performance.now()];
		// Longer than a client that is sent something may be silent.
		await until('nothing has come for 12 seconds', async () => {
			const now = await received();
			if (now !== before) [before, since] = [now, performance.now()];
			return performance.now() - since > 12_000;
		});
		assert.deepEqual([told, connection.state], [['excellent'], 'connected']);
		room.close();
	});

	it(
		'the quality is poor while packets are lost, lost while none come, and recovers',
		{ skip: cannotDropPackets },
		async () => {
			const [from, to] = [await chromium.newPage(), await chromium.newPage()];
			const room = await sfu.getOrCreateRoom('quality');
			const adapter = new ProtooAdapter(sfu, { userQuality: true });
			const carol = ProtooClient.overPair((socket) => {
				adapter.accept(socket);
			});
			await carol.join('quality', 'carol');
			const id = await call(room, { from, to, codec: 'VP8' });
			await untilPlaying(to, id);
			const bob = room.users.get('bob')!;
			const [connection] = bob.connections;
			const told: string[] = [];
			bob.on('qualityChanged', ({ quality }) => told.push(quality));
			const becomes = (...qualities: (string | undefined)[]) =>
				until(`${qualities.join()}: ${told.join()}`, async () =>
					Promise.resolve(qualities.includes(connection!.quality)),
				);
			await becomes('excellent', 'good');
			const { localPort } = await to.client.stats(id);
			const some = dropIncoming({ percent: 30, udpPort: localPort });
			try {
				await becomes('poor');
			} finally {
				some.stop();
			}
			await becomes('excellent', 'good');
			const { selectedTuple } = await connection!.getStats();
			const all = dropIncoming({ percent: 100, udpPort: selectedTuple!.localPort });
			try {
				await becomes('lost');
			} finally {
				all.stop();
			}
			await becomes('excellent', 'good');
			const others: unknown[] = [];
			do others.push(await carol.next('userQuality'));
			while (!others.some((one) => isDeepStrictEqual(one, { roomId: 'quality', userId: 'bob', quality: 'lost' })));
			adapter.close();
			room.close();
		},
	);
});
