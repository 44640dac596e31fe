import { randomUUID } from 'node:crypto';
import { Sfu, type User } from 'sfu-rooms';
import { mediaPullers } from '../../test/support/parted.js';
import type { Call } from './call.js';
import { serverAddress, type BenchPage } from './network.js';
import { sum } from './sums.js';

type Offerer = 'client' | 'server';

/** Opens a room of sfu-rooms, with its default options. */
export async function startSfuRooms(offerer: Offerer): Promise<Call> {
	const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: serverAddress }] } });
	const room = await sfu.getOrCreateRoom(randomUUID());
	const bob = await room.join({ userId: 'bob' });
	const others: User[] = [];
	let pulled = 0;
	let changes = 0;
	bob.on('pullerPaused', () => changes++);
	bob.on('pullerResumed', () => changes++);
	bob.on('pullerChanged', () => changes++);
	return {
		async push({ client }, video) {
			const user = await room.join({ userId: `user ${others.length}` });
			const { id, offer } = await client.createPusher(video);
			const { answer } = await user.push(offer);
			await client.acceptAnswer(id, answer);
			others.push(user);
		},
		async pull(page) {
			const ids = await pull(page, bob, others, offerer);
			pulled = bob.pullers.size;
			changes = 0;
			return ids;
		},
		async sent() {
			const all = await Promise.all([...bob.connections].map((connection) => connection.getStats()));
			const roundTrips = all.flatMap(({ roundTripTime }) => roundTripTime ?? []);
			return {
				roundTrip: roundTrips.length > 0 ? Math.max(...roundTrips) : undefined,
				bitrate: sum(all.map(({ outgoingBitrate }) => outgoingBitrate)),
			};
		},
		changes: () => changes,
		lasts: () => mediaPullers({ pullers: [...bob.pullers.values()] }).length === pulled,
		close() {
			sfu.close();
		},
	};
}

async function pull({ client }: BenchPage, user: User, others: readonly User[], offerer: Offerer): Promise<string[]> {
	const ids: string[] = [];
	for (const other of others) {
		const pushers = [...other.pushers.values()];
		const request = { targetUserId: other.userId, specs: pushers.map(({ pusherId }) => ({ pusherId })) };
		if (offerer === 'server') {
			const offer = await user.pull(request);
			const { id, answer } = await client.answerOffer(offer.sdp, ids[0]);
			await offer.answer(answer);
			ids[0] = id;
		} else {
			const kinds = pushers.flatMap(({ kind }) => (kind === 'data' ? [] : kind));
			const { id, offer } = await client.createPuller({ kinds });
			const { answer } = await user.pull({ ...request, offer });
			await client.acceptAnswer(id, answer);
			ids.push(id);
		}
	}
	return ids;
}
