import { observer } from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as Core from 'sfu-rooms';
import type * as Protoo from 'sfu-rooms/protoo';
import { AnsweringPeer } from '../../test/support/answers.js';
import { fromAnotherClient, loadOffer } from '../../test/support/offers.js';
import { loadBundle } from '../loadBundle.js';
import { pulledUsers, type Churn } from './Churn.js';
import { Client, RefusedError } from './Client.js';

const { Sfu, ProtooAdapter } = (await loadBundle('index.ts', 'protoo/index.ts')) as typeof Core & typeof Protoo;

const rooms = 4;
const pushOffers = [
	'chromium-sendonly-audio-video',
	'firefox-sendonly-audio-video',
	'chromium-sendonly-video-simulcast',
].map(loadOffer);
const pullOffers = ['chromium', 'firefox'].map((browser) => loadOffer(`${browser}-recvonly-video-audio`));

interface OtherUser {
	userId: string;
	pushers: { pusherId: string; rtpParam: { av_type: string } }[];
}

const anyOf = <One>(all: readonly One[]): One => all[randomInt(all.length)]!;
const description = (sdp: string) => ({ sdp: { type: 'offer', sdp } });

/** Users of an Sfu, who join over the adapter. */
export async function startSfuChurn(): Promise<Churn> {
	const started = new Promise<Worker>((resolve) => observer.once('newworker', resolve));
	const sfu = await Sfu.create({ workers: { count: 1 }, emptyRoomTimeout: 100 });
	const adapter = new ProtooAdapter(sfu, { reconnectTimeout: 50 });
	let calls = 0;
	let users = 0;

	async function pull(client: Client, peer: AnsweringPeer, { userId, pushers }: OtherUser): Promise<void> {
		const specs = pushers.map(({ pusherId, rtpParam }) => ({ type: rtpParam.av_type, pusher_id: pusherId }));
		const target = { targetUserId: userId, specs };
		if (randomInt(2) === 0) {
			await client.request('pull', { ...target, ...description(fromAnotherClient(anyOf(pullOffers))) });
			return;
		}
		const { connectionId, sdp } = await client.request<{ connectionId: string; sdp: { sdp: string } }>('pull', target);
		await client.request('answer', { connectionId, sdp: { type: 'answer', sdp: peer.answer(sdp.sdp) } });
	}

	async function stay(): Promise<void> {
		const peer = new AnsweringPeer();
		const client = new Client(`room ${randomInt(rooms)}`, `user ${++users}`, (offer) => peer.answer(offer));
		adapter.accept(client);
		const others = await client.request<{ users: OtherUser[] }>('join', { userName: 'User' });
		const offer = fromAnotherClient(anyOf(pushOffers));
		await client.request('push', description(offer));
		calls++;
		const pushing = others.users.filter(({ pushers }) => pushers.length > 0);
		for (const other of pushing.slice(0, pulledUsers)) {
			try {
				await pull(client, peer, other);
				calls++;
			} catch (error) {
				// Whom it wanted to pull has left meanwhile.
				if (!(error instanceof RefusedError && error.errorCode === 404)) throw error;
			}
		}
		await client.request('push', description(offer.replace(/a=sendonly/, 'a=inactive')));
		// It leaves before it closes its socket, it only closes it, or its network is gone.
		const end = randomInt(3);
		if (end === 0) await client.request('leave');
		client.lose(end === 2 ? 1006 : 1000);
	}

	return {
		system: 'sfu-rooms',
		worker: await started,
		get calls() {
			return calls;
		},
		stay,
		settle: async () => {
			while (sfu.rooms.size > 0) await sleep(20);
		},
		clear: () => undefined,
		close: () => {
			adapter.close();
			sfu.close();
		},
	};
}
