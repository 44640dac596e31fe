import type * as Library from 'sfu-rooms';
import { AnsweringPeer } from '../../test/support/answers.js';
import { loadBundle } from '../loadBundle.js';
import { describe, pullOffer, pushOffer, remoteOf, ssrcsOf } from './descriptions.js';
import type { Server, ServerOptions } from './Server.js';

/** The longest time that mediasoup knows, so that clients that are frozen stay. */
const consentTimeout = 250_000;

export async function startSfu({ estimate, workers, video }: ServerOptions): Promise<Server> {
	const { Sfu } = (await loadBundle('index.ts')) as typeof Library;
	const place: Library.PlaceOnWorker = ({ userId }) => (Number(userId?.split(' ')[1]) || 0) % workers;
	const sfu = await Sfu.create({ workers: { count: workers, place }, webRtc: { consentTimeout } });
	const room = await sfu.getOrCreateRoom('room');
	const pusher = await room.join({ userId: 'pusher 0' });
	const pushers: Library.Pusher[] = [];
	const pullers: Library.Puller[] = [];
	let pulls = 0;
	const packets = (all: { streams: { packets: number }[] }[]) =>
		all.flatMap(({ streams }) => streams).reduce((sum, stream) => sum + stream.packets, 0);
	const tracks = <Track extends { kind: string }>(all: readonly Track[]) => all.filter(({ kind }) => kind !== 'data');
	return {
		workers: sfu.workers.map(({ pid }) => pid),
		async push(client) {
			const offer = pushOffer(client, video);
			const { answer, pushers: all } = await pusher.push(offer);
			pushers.push(...(tracks(all) as Library.Pusher[]));
			return { ...remoteOf(answer), ssrcs: ssrcsOf(offer) };
		},
		async pull(client) {
			const user = await room.join({ userId: `puller ${pulls++}` });
			const { userId: targetUserId } = pusher;
			const specs = pushers.map(({ pusherId }) => ({ pusherId }));
			if (!estimate) {
				const { answer, pullers: all } = await user.pull({ targetUserId, specs, offer: pullOffer(client) });
				pullers.push(...(tracks(all) as Library.Puller[]));
				return remoteOf(answer);
			}
			const offer = await user.pull({ targetUserId, specs });
			await offer.answer(describe(new AnsweringPeer(client.password).answer(offer.sdp), client));
			pullers.push(...(tracks(offer.pullers) as Library.Puller[]));
			return remoteOf(offer.sdp);
		},
		async counts() {
			const [received, forwarded] = await Promise.all([
				Promise.all(pushers.map((one) => one.getStats())),
				Promise.all(pullers.map((one) => one.getStats())),
			]);
			return { received: packets(received), forwarded: packets(forwarded) };
		},
	};
}
