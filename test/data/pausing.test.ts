import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DataPuller, DataPusher } from 'sfu-rooms';
import * as werift from 'werift';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import { startRoom, turns, until } from '../rooms/setup.js';
import { dataPullers, dataPushers } from '../support/parted.js';

/** Alice has opened a data channel by werift, and Bob and Carol get an offer of it as soon as they pull. */
async function startChannel(t: TestContext) {
	const { room, join, messages } = await startRoom(t, { webRtc: { listen: [{ ip: mediaAddress }] } });
	const newClient = () => {
		const connection = new werift.RTCPeerConnection({ iceServers: [] });
		t.after(() => connection.close());
		return connection;
	};
	const alice = await join('alice');
	const sender = newClient();
	const channel = sender.createDataChannel('chat');
	await sender.setLocalDescription(await sender.createOffer());
	const pushed = await alice.push(sender.localDescription!.sdp);
	await sender.setRemoteDescription({ type: 'answer', sdp: pushed.answer });
	await until(() => dataPushers(alice).length === 1, 'it is pushed');
	const pusher = dataPushers(alice)[0]!;
	const messagesReceived = async () => (await pusher.pullSource.producer!.getStats())[0]?.messagesReceived ?? 0;
	return {
		room,
		messages,
		alice,
		pusher,
		/**
		 * Alice sends, and the worker receives it, which takes a second if a packet is lost. By then the worker has passed it
		 * on to this process and to those who pull it, or never will.
		 */
		send: async (data: string) => {
			const before = await messagesReceived();
			channel.send(data);
			await until(async () => (await messagesReceived()) > before, `the worker receives ${data}`);
			// mediasoup tells of a message one turn later.
			await turns(1);
		},
		/** Somebody joins, and pulls; `received` is what has come, after the label. */
		pull: async (userId: string, meanwhile: (puller: DataPuller) => Promise<void> = () => Promise.resolve()) => {
			const user = await join(userId);
			const client = newClient();
			const received: unknown[] = [];
			client.onDataChannel.subscribe((opened) => {
				received.push(opened.label);
				opened.onMessage.subscribe((data) => received.push(data));
			});
			const offer = await user.pull({ targetUserId: 'alice', specs: [pusher] });
			const puller = dataPullers(offer)[0]!;
			await meanwhile(puller);
			await client.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
			await client.setLocalDescription(await client.createAnswer());
			await offer.answer(client.localDescription!.sdp);
			await until(() => received.length === 1, 'it is open');
			return { user, puller, received };
		},
	};
}

const states = ({ paused, pausedBy }: DataPusher | DataPuller) => [paused, ...pausedBy];

describe('A data channel that is paused', () => {
	it('loses what is sent meanwhile, for all or for one, until it is resumed by the same', async (t) => {
		const { room, messages, send, pusher, pull } = await startChannel(t);
		const told: string[] = [];
		room.on('pusherPaused', ({ user, cause }) => told.push(`${user.userId} paused by ${cause}`));
		room.on('pusherResumed', ({ user, cause }) => told.push(`${user.userId} resumed by ${cause}`));
		const heard: unknown[] = [];
		pusher.on('message', ({ data }) => heard.push(data));
		const bob = await pull('bob');
		bob.user.on('pullerPaused', ({ puller, cause }) => told.push(`bob ${puller.kind} paused by ${cause}`));
		bob.user.on('pullerResumed', ({ cause }) => told.push(`bob resumed by ${cause}`));
		await send('1');
		await pusher.pause();
		await pusher.pause('client');
		await send('2');
		const carol = await pull('carol');
		await send('3');
		await pusher.resume();
		await send('4');
		assert.deepEqual([states(pusher), states(bob.puller)], [[true, 'client'], [false]]);
		await pusher.resume('client');
		await send('5');
		await bob.puller.pause('client');
		await bob.puller.pause('client');
		await send('6');
		await pusher.pause();
		await bob.puller.resume('client');
		await send('7');
		await pusher.resume();
		await send('8');
		// Both data channels are ordered: nothing that was sent before can come later.
		await until(() => bob.received.at(-1) === '8' && carol.received.at(-1) === '8', 'the last one comes');
		assert.deepEqual(heard, ['1', '5', '6', '8']);
		assert.deepEqual(bob.received, ['chat', '1', '5', '8']);
		assert.deepEqual(carol.received, ['chat', '5', '6', '8']);
		assert.deepEqual(told, [
			'alice paused by app',
			'alice resumed by client',
			'bob data paused by client',
			'alice paused by app',
			'bob resumed by client',
			'alice resumed by app',
		]);
		assert.deepEqual(messages, []);
	});

	it('before it is open is opened all the same', async (t) => {
		const { send, messages, pull } = await startChannel(t);
		const { puller, received } = await pull('bob', (each) => each.pause());
		await send('lost');
		assert.deepEqual([states(puller), received], [[true, 'app'], ['chat']]);
		await puller.resume();
		await send('heard');
		await until(() => received.length === 2, 'it flows');
		assert.deepEqual([received, messages], [['chat', 'heard'], []]);
	});

	it('closes as ever, and is not paused after that', async (t) => {
		const { join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		const [pusher] = dataPushers(
			await alice.push(anOffer('chromium-sendonly-audio-video-data'), { data: [{ id: 1 }] }),
		);
		const [puller] = dataPullers(await bob.pull({ targetUserId: 'alice', specs: [pusher!] }));
		await pusher!.pause();
		assert.deepEqual([pusher!.paused, puller!.paused], [true, false]);
		const pausing = [pusher!.resume(), puller!.pause()];
		puller!.close();
		pusher!.close();
		pusher!.close();
		await Promise.all(pausing);
		for (const closed of [pusher!, puller!]) {
			await assert.rejects(closed.pause(), { name: 'SfuError', code: 'closed' });
			await assert.rejects(closed.resume('client'), { name: 'SfuError', code: 'closed' });
		}
	});
});
