// Takes 40 s.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Room, ServerOffer, Sfu } from 'sfu-rooms';
import { type Browser, type BrowserName, cannotRun, startBrowser } from '../support/browsers.js';
import { call } from '../support/call.js';
import { callInLayers, simulcast, untilWide } from '../support/layers.js';
import { cannotShape, limitIncoming, mediaAddress, overUdp } from '../support/namespace.js';
import { assertPlaysOn, untilPlaying } from '../support/playback.js';
import { startServers } from '../support/servers.js';
import { until } from '../media/setup.js';

const pairs: [BrowserName, BrowserName][] = [
	['Chromium', 'Chromium'],
	['Firefox', 'Chromium'],
	['Chromium', 'Firefox'],
];

describe('What is pushed on one server', () => {
	let sfus: Sfu[];
	const browsers = new Map<BrowserName, Browser>();

	before(async () => {
		sfus = await startServers(2, { webRtc: { listen: [overUdp] } }, mediaAddress);
		for (const name of ['Chromium', 'Firefox'] as const) {
			if (!cannotRun(name)) browsers.set(name, await startBrowser(name));
		}
	});
	after(async () => {
		for (const sfu of sfus) sfu.close();
		for (const browser of browsers.values()) await browser.close();
	});

	async function openRoom(t: TestContext): Promise<[Room, Room]> {
		const [here, there] = await Promise.all(sfus.map((sfu) => sfu.getOrCreateRoom(t.name)));
		t.after(() => {
			here!.close();
		});
		return [here!, there!];
	}

	async function openPage(t: TestContext, name: BrowserName) {
		const page = await browsers.get(name)!.newPage();
		t.after(() => page.close());
		return page;
	}

	for (const [pusher, puller] of pairs) {
		for (const codec of ['VP8', 'VP9'] as const) {
			it(
				`plays on another one: ${pusher} → ${puller}, ${codec}`,
				{
					skip: cannotRun(pusher) || cannotRun(puller),
				},
				async (t) => {
					const [here, there] = await openRoom(t);
					const [from, to] = [await openPage(t, pusher), await openPage(t, puller)];
					const id = await call(here, { from, to, codec, there });
					await untilPlaying(to, id);
					await assertPlaysOn(to, id, { frames: 50 });
				},
			);
		}

		it(
			`plays on another one by the server's offers: ${pusher} → ${puller}`,
			{
				skip: cannotRun(pusher) || cannotRun(puller),
			},
			async (t) => {
				const [here, there] = await openRoom(t);
				const [from, to] = [await openPage(t, pusher), await openPage(t, puller)];
				const bob = await there.join({ userId: 'bob' });
				let id: string | undefined;
				const answer = async ({ offer }: { offer: ServerOffer }) => {
					const answered = await to.client.answerOffer(offer.sdp, ...(id === undefined ? [] : [id]));
					id = answered.id;
					if (!offer.connection.closed) await offer.answer(answered.answer);
				};
				bob.on('offer', (event) => {
					void answer(event);
				});
				bob.autoPull();
				const alice = await here.join({ userId: 'alice' });
				const camera = await from.client.createPusher({ codec: 'VP8' });
				const pushed = await alice.push(camera.offer);
				await from.client.acceptAnswer(camera.id, pushed.answer);
				await until(() => bob.pullers.size === pushed.pushers.length, 'all is pulled', 10_000);
				await until(() => id !== undefined, 'the offer is answered', 10_000);
				await untilPlaying(to, id!);
				await assertPlaysOn(to, id!, { frames: 50 });
				alice.close();
				await until(() => bob.pullers.size === 0, 'the pullers close with their pushers');
				assert.equal(there.users.has('alice'), false);
			},
		);
	}

	it('comes to each puller on another one in the layers that its own link bears', { skip: cannotShape }, async (t) => {
		const [here, there] = await openRoom(t);
		const [from, narrow, wide] = [
			await openPage(t, 'Chromium'),
			await openPage(t, 'Chromium'),
			await openPage(t, 'Chromium'),
		];
		const { id } = await callInLayers(here, {
			...{ there, from, to: narrow },
			...{ offerer: 'server', codec: 'VP8', layers: simulcast },
		});
		const carol = await there.join({ userId: 'carol' });
		const pushers = [...there.users.get('alice')!.pushers.values()];
		const offer = await carol.pull({ targetUserId: 'alice', specs: pushers.map(({ pusherId }) => ({ pusherId })) });
		const answered = await wide.client.answerOffer(offer.sdp);
		await offer.answer(answered.answer);
		for (const [page, connection] of [
			[narrow, id],
			[wide, answered.id],
		] as const) {
			await untilWide(page, connection, (width) => width === 960);
		}
		const { localPort } = await narrow.client.stats(id);
		const link = limitIncoming({ kilobits: 400, udpPort: localPort });
		try {
			await untilWide(narrow, id, (width) => width === 240);
			await assertPlaysOn(narrow, id, { frames: 20 });
			assert.equal((await wide.client.stats(answered.id)).video[0]!.frameWidth, 960);
			await assertPlaysOn(wide, answered.id, { frames: 20 });
		} finally {
			link.stop();
		}
		await untilWide(narrow, id, (width) => width === 960);
	});
});
