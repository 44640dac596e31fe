import type { Room } from 'sfu-rooms';
import type { Page } from './browsers.js';
import type { VideoCodec } from './client.js';

/** Alice pushes her camera and microphone from one page; Bob pulls both in another. Resolves to his connection's id. */
export async function call(room: Room, { from, to, codec }: { from: Page; to: Page; codec: VideoCodec }) {
	const alice = await room.join({ userId: 'alice', userName: 'Alice' });
	const bob = await room.join({ userId: 'bob', userName: 'Bob' });

	const camera = await from.client.createPusher({ codec });
	const pushed = await alice.push(camera.offer);
	await from.client.acceptAnswer(camera.id, pushed.answer);

	const screen = await to.client.createPuller({ kinds: ['video', 'audio'] });
	const pulled = await bob.pull({
		targetUserId: 'alice',
		specs: (['video', 'audio'] as const).map((kind) => ({
			kind,
			pusherId: pushed.pushers.find((pusher) => pusher.kind === kind)!.pusherId,
		})),
		offer: screen.offer,
	});
	await to.client.acceptAnswer(screen.id, pulled.answer);
	return screen.id;
}
