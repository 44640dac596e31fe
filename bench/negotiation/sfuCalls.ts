import { observer } from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { AnsweringPeer } from '../../test/support/answers.js';
import { randomUUID } from 'node:crypto';
import { anOffer as storedOffer } from '../../test/support/offers.js';
import type * as Library from 'sfu-rooms';
import type * as Metrics from 'sfu-rooms/metrics';
import type * as Tracing from 'sfu-rooms/tracing';
import { loadBundle } from '../loadBundle.js';
import type { Calls } from './Call.js';
import { watchRequests } from './workerRequests.js';

/** A stored offer of another client, with a MediaStream of its own. */
function anOffer(name: string): string {
	const offer = storedOffer(name);
	const streamId = /^a=msid:(\S+)/m.exec(offer)?.[1];
	return streamId === undefined || streamId === '-' ? offer : offer.replaceAll(streamId, randomUUID());
}

/**
 * Lets metrics and traces follow an Sfu, and no more. A span is made and ended, and goes nowhere: what it costs to export is
 * the exporter's.
 */
export type Observe = () => () => void;

/** An Sfu with one worker, and the calls in a room of it with so many users, each of whom pushes audio and video. */
export async function start() {
	const { Sfu, SfuMetrics, SfuTracing } = (await loadBundle(
		'index.ts',
		'metrics/index.ts',
		'tracing/index.ts',
	)) as typeof Library & typeof Metrics & typeof Tracing;
	const started = new Promise<Worker>((resolve) => observer.once('newworker', resolve));
	const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { connectTimeout: 3_600_000 } });
	const worker = await started;
	const requests = await watchRequests(worker);

	async function roomOf(users: number): Promise<Calls> {
		const room = await sfu.getOrCreateRoom(`room of ${users}`);
		const user = await room.join({ userId: 'user' });
		await user.push(anOffer('chromium-sendonly-audio-video'));
		for (let count = 1; count < users; count++) {
			const other = await room.join({ userId: `other ${count}` });
			await other.push(anOffer('chromium-sendonly-audio-video'));
		}
		// The user pulls from itself, so that one is enough for a room.
		const { userId: targetUserId } = user;
		const specs = [...user.pushers.keys()].map((pusherId) => ({ pusherId }));
		return {
			push: () => {
				const offer = anOffer('chromium-sendonly-audio-video');
				return async () => {
					const { connection } = await user.push(offer);
					return () => {
						connection.close();
					};
				};
			},
			'pull by an offer of the client': () => {
				const offer = anOffer('chromium-recvonly-video-audio');
				return async () => {
					const { connection } = await user.pull({ targetUserId, specs, offer });
					return () => {
						connection.close();
					};
				};
			},
			'pull by an offer of the server': () => {
				const peer = new AnsweringPeer();
				return async () => {
					const offer = await user.pull({ targetUserId, specs });
					await offer.answer(peer.answer(offer.sdp));
					return () => {
						offer.connection.close();
					};
				};
			},
		};
	}

	const tracer = new BasicTracerProvider().getTracer('bench');
	const observe: Observe = () => {
		const followers = [new SfuMetrics(sfu, { registry: new Registry() }), new SfuTracing(sfu, { tracer })];
		return () => {
			for (const follower of followers) follower.close();
		};
	};

	return { sfu, worker, requests, roomOf, observe };
}
