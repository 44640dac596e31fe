import type * as Core from 'sfu-rooms';
import type * as Protoo from 'sfu-rooms/protoo';
import { AnsweringPeer } from '../../test/support/answers.js';
import { fromAnotherClient, loadOffer } from '../../test/support/offers.js';
import { loadBundle } from '../loadBundle.js';
import { Client } from './Client.js';
import type { Field, Subject } from './Subject.js';

const { Sfu, ProtooAdapter } = (await loadBundle('index.ts', 'protoo/index.ts')) as typeof Core & typeof Protoo;

// V8 looks for the lines of a script when it writes a stack. Without them, a snapshot of the heap counts all lines again for
// each closure, and takes four times as long.
await Sfu.create({ workers: { count: -1 } }).catch((error: unknown) => (error as Error).stack);

const system = 'sfu-rooms';
const usersPerRoom = 100;
const hour = 3_600_000;

// What Chromium offers to send one video, and to receive one.
const pushOffer = loadOffer('chromium-sendonly-video');
const pullOffer = onlyFirst(loadOffer('chromium-recvonly-video-audio'));

/** The offer with its first m-line alone. */
function onlyFirst(sdp: string): string {
	const [session = '', first = ''] = sdp.split(/^(?=m=)/m);
	return session.replace(/^a=group:BUNDLE.*\r$/m, 'a=group:BUNDLE 0\r') + first;
}

const description = (sdp: string) => ({ sdp: { type: 'offer', sdp } });
const roomOf = (index: number) => `room ${Math.floor(index / usersPerRoom)}`;

type Pushed = { pushers: { pusherId: string }[] };
type Offered = { connectionId: string; sdp: { sdp: string } };

/** Starts an Sfu with the rooms that so many users need, in each of which somebody pushes. */
async function open(count: number) {
	// Nobody connects, and nothing flows.
	const sfu = await Sfu.create({
		workers: { count: 1 },
		webRtc: { connectTimeout: hour, answerTimeout: hour },
		stallInterval: 0,
		emptyRoomTimeout: hour,
	});
	const adapter = new ProtooAdapter(sfu);
	const join = async (index: number, userId = `user ${index}`) => {
		const client = new Client(roomOf(index), userId);
		adapter.accept(client);
		await client.request('join', { userName: `User ${index}` });
		return client;
	};
	const pusherIds: string[] = [];
	for (let index = 0; index < count; index += usersPerRoom) {
		const speaker = await join(index, 'speaker');
		const { pushers } = await speaker.request<Pushed>('push', description(fromAnotherClient(pushOffer)));
		pusherIds.push(pushers[0]!.pusherId);
	}
	const [dump] = await sfu.dump();
	const target = (index: number) => {
		const pusher_id = pusherIds[Math.floor(index / usersPerRoom)];
		return { targetUserId: 'speaker', specs: [{ type: 'video', pusher_id }] };
	};
	const close = () => {
		adapter.close();
		sfu.close();
	};
	return { join, target, close, pid: dump!.pid };
}

/** A subject of which each of so many users, who have joined before, makes one. */
const madeByUsers = (
	name: string,
	baseline: string,
	make: (client: Client, target: ReturnType<Awaited<ReturnType<typeof open>>['target']>) => Promise<void>,
): Subject => ({
	name,
	system,
	baseline,
	async prepare(count): Promise<Field> {
		const { join, target, close, pid } = await open(count);
		const clients: Client[] = [];
		for (let index = 0; index < count; index++) clients.push(await join(index));
		return { pid, close, make: (index) => make(clients[index]!, target(index)) };
	},
});

/** What the library makes of a user and of its tracks. */
export const sfuSubjects: readonly Subject[] = [
	{
		name: 'idle user',
		system,
		async prepare(count) {
			const { join, close, pid } = await open(count);
			const make = async (index: number) => {
				await join(index);
			};
			return { pid, close, make };
		},
	},
	madeByUsers('pusher', 'pusher', async (client) => {
		await client.request('push', description(fromAnotherClient(pushOffer)));
	}),
	madeByUsers('puller, the client offers', 'puller', async (client, target) => {
		await client.request('pull', { ...target, ...description(fromAnotherClient(pullOffer)) });
	}),
	madeByUsers('puller, the server offers', 'puller', async (client, target) => {
		const { connectionId, sdp } = await client.request<Offered>('pull', target);
		const answer = new AnsweringPeer().answer(sdp.sdp);
		await client.request('answer', { connectionId, sdp: { type: 'answer', sdp: answer } });
	}),
];
