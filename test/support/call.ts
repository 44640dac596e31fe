import type { Room } from 'sfu-rooms';
import type { Page } from './browsers.js';
import type { VideoCodec } from './client.js';
import { until } from '../media/setup.js';

/**
 * Alice pushes her camera and microphone from one page; Bob pulls both in another. Resolves to his connection's id.
 *
 * @param options - `there` is the room on Bob's server; default: that of Alice
 */
export async function call(
	room: Room,
	{ from, to, codec, there = room }: { from: Page; to: Page; codec: VideoCodec; there?: Room },
) {
	const alice = await room.join({ userId: 'alice', userName: 'Alice' });
	const bob = await there.join({ userId: 'bob', userName: 'Bob' });

	const camera = await from.client.createPusher({ codec });
	const pushed = await alice.push(camera.offer);
	await from.client.acceptAnswer(camera.id, pushed.answer);

	await until(() => there.users.get('alice')?.pushers.size === pushed.pushers.length, 'Bob sees what Alice pushes');
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
