// Takes 40 s.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Connection } from 'sfu-rooms';
import { cannotRun, startBrowser } from '../support/browsers.js';
import { call } from '../support/call.js';
import { cannotDropPackets, dropIncoming, overUdp } from '../support/namespace.js';
import { assertPlaysOn, untilPlaying } from '../support/playback.js';
import { someOf } from '../support/seed.js';

// Firefox asks for consent every 4 to 6 seconds.
const webRtc = { listen: [overUdp], consentTimeout: 8000, disconnectTimeout: 120_000 };
const options = { skip: cannotDropPackets, concurrency: true };

async function untilState(connection: Connection, wanted: Connection['state']) {
	const deadline = Date.now() + 60_000;
	while (connection.state !== wanted) {
		assert.ok(Date.now() < deadline, `it is ${connection.state}, and not ${wanted}`);
		await sleep(50);
	}
}

describe('A client whose network is gone for longer than its consent lasts', options, () => {
	for (const name of someOf(import.meta.filename, 1, ['Chromium', 'Firefox'] as const)) {
		const what = 'is sent nothing any more, and plays on without an ICE restart when it is back';
		it(`${what}: ${name}`, { skip: cannotRun(name) }, async (t) => {
			const sfu = await Sfu.create({ webRtc, workers: { count: 1 } });
			t.after(() => {
				sfu.close();
			});
			const browser = await startBrowser(name);
			t.after(() => browser.close());
			const room = await sfu.getOrCreateRoom('room');
			const [from, to] = [await browser.newPage(), await browser.newPage()];
			const id = await call(room, { from, to, codec: 'VP8' });
			await untilPlaying(to, id);
			const connections = [...room.users.values()].flatMap((user) => user.connections);
			const [sending, receiving] = connections;
			const told: string[] = [];
			room.on('pusherStalled', ({ pusher }) => told.push(`${pusher.kind} stalled`));
			room.on('pusherRecovered', ({ pusher }) => told.push(`${pusher.kind} recovered`));
			const { selectedTuple } = await receiving!.getStats();

			const cut = dropIncoming({ percent: 100, udpPort: selectedTuple!.localPort });
			for (const connection of connections) await untilState(connection, 'disconnected');
			assert.deepEqual(told.toSorted(), ['audio stalled', 'video stalled']);
			const sent = (await receiving!.getStats()).bytesSent;
			await sleep(500);
			assert.equal((await receiving!.getStats()).bytesSent, sent);

			cut.stop();
			for (const connection of connections) await untilState(connection, 'connected');
			await assertPlaysOn(to, id, { frames: 30 });
			assert.deepEqual(told.slice(2).toSorted(), ['audio recovered', 'video recovered']);
			assert.deepEqual([sending!.closed, receiving!.closed], [false, false]);
		});
	}
});
