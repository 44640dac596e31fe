import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Sfu, turnCredentials } from 'sfu-rooms';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { cannotRun, startBrowser, type Browser } from '../support/browsers.js';
import { overUdp } from '../support/namespace.js';
import { untilPlaying } from '../support/playback.js';
import { ProtooClient } from '../support/protooClient.js';
import { noTurn, startTurnServer, turnAddress } from '../support/turnServer.js';

const secret = 'between the app and coturn';

describe('A client that reaches the server by a TURN server alone', { skip: cannotRun('Chromium') || noTurn }, () => {
	let browser: Browser;
	let turn: Awaited<ReturnType<typeof startTurnServer>>;

	before(async () => {
		[browser, turn] = await Promise.all([startBrowser('Chromium'), startTurnServer(secret)]);
	});
	after(async () => {
		await Promise.all([browser.close(), turn.stop()]);
	});

	it('sends and receives by the iceServers of the answer to its join', async (t) => {
		const sfu = await Sfu.create({
			webRtc: { listen: [overUdp] },
			iceServers: ({ userId }) => [turnCredentials({ secret, urls: turn.urls, userId })],
		});
		const adapter = new ProtooAdapter(sfu);
		t.after(() => {
			adapter.close();
			sfu.close();
		});
		const enter = async (userId: string) => {
			const client = ProtooClient.overPair((socket) => {
				adapter.accept(socket);
			});
			const { iceServers } = await client.join('room', userId);
			const page = await browser.newPage();
			t.after(() => page.close());
			await page.client.configure({ iceServers, iceTransportPolicy: 'relay' });
			return { client, page };
		};
		const [alice, bob] = [await enter('alice'), await enter('bob:ö')];
		const camera = await alice.page.client.createPusher();
		const pushed = await alice.client.push(camera.offer);
		await alice.page.client.acceptAnswer(camera.id, pushed.sdp);
		const screen = await bob.page.client.createPuller({ kinds: pushed.pushers.map(({ kind }) => kind) });
		const specs = pushed.pushers.map(({ pusherId, kind }) => ({ type: kind, pusher_id: pusherId }));
		const pulled = await bob.client.pull(screen.offer, 'alice', specs);
		await bob.page.client.acceptAnswer(screen.id, pulled.sdp);
		await untilPlaying(bob.page, screen.id);
		for (const { userId, connections } of sfu.rooms.get('room')!.users.values()) {
			const [connection] = connections;
			const { selectedTuple } = await connection!.getStats();
			assert.equal(selectedTuple?.remoteAddress, turnAddress, `${userId} is reached where the TURN server relays`);
		}
		assert.match(turn.log, /bob%3A%C3%B6/, 'the TURN server knows whom it serves');
	});

	it('gets no relay by a password of another secret, or by one that has run out', async (t) => {
		const { urls } = turn;
		const page = await browser.newPage();
		t.after(() => page.close());
		const gather = async (iceServer: object) => {
			await page.client.configure({ iceServers: [iceServer], iceTransportPolicy: 'relay' });
			return page.client.gather();
		};
		t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 60_000 });
		const old = turnCredentials({ secret, urls, lifetime: 30_000 });
		t.mock.timers.reset();
		const { types: found } = await gather(turnCredentials({ secret, urls, lifetime: 30_000 }));
		assert.deepEqual([...new Set(found)], ['relay'], 'the same way with the right ones');
		for (const wrong of [turnCredentials({ secret: 'another', urls }), old]) {
			const { types, errors } = await gather(wrong);
			assert.deepEqual([types, errors.length > 0 && errors.every((code) => code === 401)], [[], true], String(errors));
		}
	});
});
