// Takes 120 s.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumFlags, clientOf, executables, fakeDevices, html } from '../support/browsers.js';
import { bundlePage, CallPage, startRoomServer, until } from '../support/clientPages.js';

const ROUNDS = 200;

it(`Nothing of the client is left after ${ROUNDS} joins and leaves`, { skip: cannotRun('Chromium') }, async (t) => {
	const server = await startRoomServer();
	const browser = await chromium.launch({
		executablePath: executables.Chromium,
		args: [...chromiumFlags, ...fakeDevices],
	});
	t.after(async () => {
		await browser.close();
		server.close();
	});
	const page = await browser.newPage();
	const client = await bundlePage();
	const site = createServer(({ url }, response) => {
		if (url === '/client.js') response.setHeader('content-type', 'text/javascript').end(client);
		else response.setHeader('content-type', 'text/html').end(html);
	});
	await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
	t.after(() => {
		site.close();
		site.closeAllConnections();
	});
	await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
	const driven = { client: clientOf(page), evaluate: () => Promise.reject(new Error()), close: () => page.close() };
	const [alice, bob] = ['alice', 'bob'].map((userId) => new CallPage(driven, userId)) as [CallPage, CallPage];
	await bob.join(server.url, 'leaks');
	await bob.do('publishCanvas', { source: 'camera' }, { width: 160, height: 90 });

	const session = await page.context().newCDPSession(page);
	/** How many objects of a class of the browser live, after the garbage has been collected. */
	const count = async (prototype: string) => {
		await session.send('HeapProfiler.collectGarbage');
		const { result } = await session.send('Runtime.evaluate', { expression: `${prototype}.prototype` });
		const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId! });
		const { result: length } = await session.send('Runtime.callFunctionOn', {
			objectId: objects.objectId!,
			functionDeclaration: 'function() { return this.length }',
			returnByValue: true,
		});
		await session.send('Runtime.releaseObject', { objectId: objects.objectId! });
		return length.value as number;
	};
	const classes = [
		'RTCPeerConnection',
		'WebSocket',
		'HTMLVideoElement',
		'MediaStreamTrack',
		'ResizeObserver',
		'AbortController',
	];
	const measure = async () => {
		await alice.call('tidy');
		for (let pass = 0; pass < 3; pass++) await session.send('HeapProfiler.collectGarbage');
		const { usedSize } = await session.send('Runtime.getHeapUsage');
		const counts: Record<string, number> = {};
		for (const name of classes) counts[name] = await count(name);
		return { usedSize, counts };
	};
	const rounds = async (many: number) => {
		for (let round = 0; round < many; round++) {
			await alice.join(server.url, 'leaks');
			await alice.do('publishCamera', { width: 160, height: 120, frameRate: 5 });
			await alice.untilUsers('bob comes', ([user]) => user!.tracks[0]!.ready);
			await alice.do('leave');
			await alice.do('forget');
		}
		await until(() => server.sfu.rooms.get('leaks')!.users.size === 1, 'alice has left');
	};
	await rounds(20);
	const before = await measure();
	await rounds(ROUNDS - 20);
	// A leak would be one for each round at least. What has just closed is kept by the browser for a while.
	const mostLeft = (ROUNDS - 20) / 4;
	let after = await measure();
	const isMore = () => classes.some((name) => after.counts[name]! > before.counts[name]! + mostLeft);
	for (const deadline = Date.now() + 60_000; isMore() && Date.now() < deadline; after = await measure())
		await sleep(1000);
	const { open, sockets } = await alice.call<{ open: number; sockets: number }>('counts');
	t.diagnostic(`${before.usedSize} bytes after 20 rounds, ${after.usedSize} after ${ROUNDS}`);
	t.diagnostic(`${JSON.stringify(before.counts)}, ${JSON.stringify(after.counts)}`);
	assert.ok(open <= 2 && sockets <= 1, 'only what bob has');
	for (const name of classes) {
		assert.ok(
			after.counts[name]! <= before.counts[name]! + mostLeft,
			`${name}: ${before.counts[name]}, then ${after.counts[name]}`,
		);
	}
	assert.ok(after.usedSize < before.usedSize * 1.5 + 2_000_000, 'the heap does not grow');
});
