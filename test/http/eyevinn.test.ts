import { build } from 'esbuild';
import express from 'express';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { HttpAdapter, toNodeListener } from 'sfu-rooms/http';
import { chromium, type Page } from 'playwright-core';
import { until } from '../media/setup.js';
import { cannotRun, chromiumFlags, executables, fakeDevices } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { mediaPullers } from '../support/parted.js';
import { root } from '../docs/markdown.js';

const patience = 60_000;

/** The page: both clients as their packages are, and what the test does with them. */
const script = `
	import { WHIPClient } from '@eyevinn/whip-web-client';
	import { WebRTCPlayer } from '@eyevinn/webrtc-player';
	Object.assign(globalThis, {
		async ingest(endpoint, authkey) {
			const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
			const client = new WHIPClient({ endpoint, opts: { authkey, iceServers: [] } });
			await client.setIceServersFromEndpoint();
			await client.ingest(stream);
			Object.assign(globalThis, { whip: client, stream });
			return client.getResourceUrl();
		},
		stop: () => globalThis.whip.destroy(),
		mute(isMuted) {
			for (const track of globalThis.stream.getAudioTracks()) track.enabled = !isMuted;
		},
		async play(endpoint) {
			const video = document.createElement('video');
			video.muted = true;
			document.body.append(video);
			const player = new WebRTCPlayer({ video, type: 'whep', iceServers: [] });
			await player.load(new URL(endpoint));
			Object.assign(globalThis, { video, player });
		},
		frames: () => globalThis.video.getVideoPlaybackQuality().totalVideoFrames,
		unload: () => globalThis.player.unload(),
	});
`;

async function start(t: TestContext) {
	const sfu = await Sfu.create({
		workers: { count: 1 },
		audioObservers: {},
		webRtc: { listen: [{ ip: mediaAddress }] },
		iceServers: [{ urls: 'stun:127.0.0.1:9' }],
	});
	const http = new HttpAdapter(sfu, {
		path: '/rtc',
		authorize: ({ action, token }) => action === 'whep' || token === 'key',
	});
	const bundle = await build({
		stdin: { contents: script, resolveDir: root },
		bundle: true,
		write: false,
		format: 'esm',
		platform: 'browser',
		logLevel: 'silent',
		alias: { events: 'eventemitter3' },
	});
	const app = express();
	app.use('/rtc', toNodeListener(http.handle));
	app.get('/page.js', (_, response) => response.type('js').send(bundle.outputFiles[0]!.text));
	app.get('/', (_, response) =>
		response.type('html').send('<!doctype html><body></body><script type="module" src="/page.js"></script>'),
	);
	const server = createServer(app);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const browser = await chromium.launch({
		executablePath: executables.Chromium,
		args: [...chromiumFlags, ...fakeDevices],
	});
	t.after(async () => {
		await browser.close();
		server.close();
		server.closeAllConnections();
		sfu.close();
	});
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const newPage = async () => {
		const page = await browser.newPage();
		await page.goto(origin);
		await page.waitForFunction('globalThis.ingest');
		return page;
	};
	return { sfu, http, origin, newPage };
}

const untilMoreFrames = async (page: Page, what: string) => {
	const before = Number(await page.evaluate('frames()'));
	await until(async () => Number(await page.evaluate('frames()')) > before + 5, what, patience);
};

describe("Eyevinn's clients in Chromium", { skip: cannotRun('Chromium') }, () => {
	it('push by WHIP and play by WHEP, also what begins later, and what comes back or is pushed by another one', async (t) => {
		const { sfu, http, origin, newPage } = await start(t);
		const viewer = await newPage();
		await viewer.evaluate(`play('${origin}/rtc/whep/stage/alice')`);
		const publisher = await newPage();
		const url = String(await publisher.evaluate(`ingest('${origin}/rtc/whip/stage/alice', 'key')`));
		assert.match(url, /\/rtc\/sessions\//);
		await untilMoreFrames(viewer, 'it plays what begins later');
		await publisher.evaluate('stop()');
		await until(() => !sfu.rooms.get('stage')!.users.has('alice'), 'DELETE ends the session', patience);
		await publisher.evaluate(`ingest('${origin}/rtc/whip/stage/alice', 'key')`);
		await untilMoreFrames(viewer, 'it plays what comes back');
		assert.equal(http.sessions, 2);
		await viewer.evaluate('unload()');
		await until(() => http.sessions === 1, 'the player ends its session', patience);
		await publisher.close();
		await until(() => http.sessions === 0, 'a closed page ends its session', patience);
	});

	it('play whoever is heard to speak, and the last one when nobody is', async (t) => {
		const { sfu, origin, newPage } = await start(t);
		const [alice, bob, viewer] = [await newPage(), await newPage(), await newPage()];
		const speaks = async (page: Page, name: string) => {
			const speaker = () => sfu.rooms.get('stage')?.activeSpeaker?.user.userId;
			await page.evaluate('mute(false)');
			await until(() => speaker() === name, `${name} is heard`, patience);
		};
		await alice.evaluate(`ingest('${origin}/rtc/whip/stage/alice', 'key')`);
		await bob.evaluate(`ingest('${origin}/rtc/whip/stage/bob', 'key')`);
		await bob.evaluate('mute(true)');
		await speaks(alice, 'alice');
		await viewer.evaluate(`play('${origin}/rtc/whep/stage')`);
		const room = sfu.rooms.get('stage')!;
		const watches = (name: string) => {
			const watching = [...room.users.values()].find(({ permissions }) => permissions.hidden);
			const targets = (watching ? mediaPullers(watching) : []).map(({ targetUserId }) => targetUserId);
			return targets.length === 2 && targets.every((target) => target === name);
		};
		await until(() => watches('alice'), 'Alice is watched', patience);
		await untilMoreFrames(viewer, 'Alice is seen');
		await alice.evaluate('mute(true)');
		await speaks(bob, 'bob');
		await until(() => watches('bob'), 'Bob is watched', patience);
		await untilMoreFrames(viewer, 'Bob is seen');
		await bob.evaluate('mute(true)');
		await until(() => room.activeSpeaker === undefined, 'nobody is heard', patience);
		await untilMoreFrames(viewer, 'the picture goes on');
		assert.ok(watches('bob'));
	});

	it('refuse to push without the token', async (t) => {
		const { sfu, origin, newPage } = await start(t);
		const publisher = await newPage();
		void publisher.evaluate(`ingest('${origin}/rtc/whip/stage/alice', 'wrong')`).catch(() => undefined);
		const refused = await publisher.waitForResponse((response) => response.request().method() === 'POST');
		assert.equal(refused.status(), 403);
		assert.equal(sfu.rooms.size, 0);
	});
});
