import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pusher, User } from 'sfu-rooms';
import { recorder, until } from '../media/setup.js';
import { startCall } from '../rooms/setup.js';
import { Demand } from '../../src/media/Demand.js';

describe('What those who pull a track can take of it', () => {
	it('is the most that one of them takes, and all of it when nobody pulls', () => {
		const demand = new Demand(recorder().logger);
		const told: number[] = [];
		demand.on('changed', () => told.push(demand.bitrate));
		const [a, b] = [{}, {}];
		demand.set(a, 300_000);
		demand.set(b, 500_000);
		demand.set(b, 500_000);
		demand.set(a, 100_000);
		demand.delete(b);
		demand.set(b, Infinity);
		demand.delete(b);
		demand.delete(a);
		demand.delete(a);
		assert.deepEqual(told, [300_000, 500_000, 100_000, Infinity, 100_000, Infinity]);
	});
});

describe('A client whose video nobody takes in full', () => {
	const demandOf = (pusher: Pusher) => pusher.pullSource.demand;
	const videoOf = (user: User) =>
		[...user.pushers.values()].find((pusher): pusher is Pusher => pusher.kind === 'video')!;

	async function start(t: Parameters<typeof startCall>[0]) {
		const { alice } = await startCall(t, { offer: 'chromium-sendonly-audio-video' });
		const [connection] = alice.connections;
		return { alice, connection: connection! };
	}

	/** What the worker tells the client to send at most. */
	async function limitOf(user: User) {
		const [connection] = user.connections as unknown as Iterable<{
			transport: { getStats(): Promise<{ maxIncomingBitrate?: number }[]> };
		}>;
		const [stats] = await connection!.transport.getStats();
		return stats?.maxIncomingBitrate;
	}

	const becomes = (user: User, wanted: number | undefined) =>
		until(async () => (await limitOf(user)) === wanted, `it is asked for ${wanted} bit/s`);

	it('is asked for what is taken and for its audio, until somebody takes all', async (t) => {
		const { alice, connection } = await start(t);
		const demand = demandOf(videoOf(alice));
		demand.set(alice, 300_000);
		await becomes(alice, 360_000);
		assert.equal(connection.maxIncomingBitrate, 0, 'that is no limit of the app');
		demand.set(connection, Infinity);
		await becomes(alice, undefined);
	});

	it('is not asked for more than the app allows', async (t) => {
		const { alice, connection } = await start(t);
		await connection.setMaxIncomingBitrate(200_000);
		demandOf(videoOf(alice)).set(alice, 300_000);
		await becomes(alice, 200_000);
		await connection.setMaxIncomingBitrate(0);
		await becomes(alice, 360_000);
	});

	it('is not asked for anything while the video is paused, or gone', async (t) => {
		const { alice } = await start(t);
		const video = videoOf(alice);
		demandOf(video).set(alice, 300_000);
		await becomes(alice, 360_000);
		await video.pause();
		await becomes(alice, undefined);
		await video.resume();
		await becomes(alice, 360_000);
		video.close();
		await becomes(alice, undefined);
	});
});
