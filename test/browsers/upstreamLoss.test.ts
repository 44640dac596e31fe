// Takes 40 s.
import * as mediasoup from 'mediasoup';
import type { Consumer, ConsumerStat, PipeTransport } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Room, Sfu } from 'sfu-rooms';
import { type Browser, cannotRun, startBrowser } from '../support/browsers.js';
import { call } from '../support/call.js';
import { cannotDropPackets, dropIncoming, overUdp, mediaAddress } from '../support/namespace.js';
import { untilPlaying } from '../support/playback.js';
import { startServers } from '../support/servers.js';

const skip = cannotDropPackets || cannotRun('Chromium');
const percent = 20;
const seconds = 10;

// A puller requests what is missing from the server, wherever it was lost.
describe(`When ${percent} % of a video are lost before they reach the puller's server`, { skip }, () => {
	let sfus: Sfu[];
	let browser: Browser;
	/** The ends of the pipes between the servers. */
	const ends: PipeTransport[] = [];

	before(async () => {
		mediasoup.observer.on('newworker', (worker) => {
			worker.observer.on('newrouter', (router) => {
				router.observer.on('newtransport', (transport) => {
					if (transport.type === 'pipe') ends.push(transport as PipeTransport);
				});
			});
		});
		sfus = await startServers(2, { webRtc: { listen: [overUdp] } }, mediaAddress);
		browser = await startBrowser('Chromium');
	});
	after(async () => {
		for (const sfu of sfus) sfu.close();
		await browser.close();
	});

	/** Bob plays what Alice pushes, and goes on through the loss: nobody is told that his link bears less. */
	async function playThrough(t: TestContext, rooms: readonly [Room, Room], drop: () => { stop: () => void }[]) {
		const [from, to] = [await browser.newPage(), await browser.newPage()];
		t.after(() => Promise.all([from.close(), to.close()]));
		const [here, there] = rooms;
		const id = await call(here, { from, to, codec: 'VP8', there });
		await untilPlaying(to, id);
		const bob = there.users.get('bob')!;
		const [puller] = [...bob.pullers.values()].filter(({ kind }) => kind === 'video');
		const { consumer } = puller as unknown as { consumer: Consumer };
		const stopped: string[] = [];
		consumer.observer.on('pause', () => stopped.push('held'));
		bob.on('pullerPaused', () => stopped.push('told'));
		const nacked = async () => {
			const stats: ConsumerStat[] = (await consumer.getStats()).filter(({ type }) => type === 'outbound-rtp');
			return stats[0]!.nackPacketCount;
		};
		const before = { nacked: await nacked(), frames: (await to.client.stats(id)).video[0]!.framesDecoded };
		const losses = drop();
		await sleep(seconds * 1000);
		for (const loss of losses) loss.stop();
		const frames = (await to.client.stats(id)).video[0]!.framesDecoded - before.frames;
		t.diagnostic(`${frames} frames in ${seconds} s, ${(await nacked()) - before.nacked} packets were requested`);
		assert.ok((await nacked()) > before.nacked, 'Bob requests what is missing');
		assert.deepEqual(stopped, []);
		await untilPlaying(to, id);
		return frames;
	}

	async function openRooms(t: TestContext): Promise<[Room, Room]> {
		const [here, there] = await Promise.all(sfus.map((sfu) => sfu.getOrCreateRoom(t.name)));
		t.after(() => {
			here!.close();
		});
		return [here!, there!];
	}

	it("on the pusher's link, the video goes on", async (t) => {
		const [room] = await openRooms(t);
		await playThrough(t, [room, room], () => {
			const [connection] = room.users.get('alice')!.connections;
			const { transport } = connection as unknown as { transport: { iceSelectedTuple: { remotePort: number } } };
			return [dropIncoming({ percent, udpPort: transport.iceSelectedTuple.remotePort, of: 'sender' })];
		});
	});

	it('between the servers, the video goes on', async (t) => {
		const rooms = await openRooms(t);
		await playThrough(t, rooms, () => {
			const open = ends.filter(({ closed }) => !closed);
			assert.ok(open.length >= 2, 'the servers are connected');
			return open.map(({ tuple }) => dropIncoming({ percent, udpPort: tuple.localPort }));
		});
	});
});
