import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { cannotRun } from '../support/browsers.js';
import { demoEnvironment, serverCommand, startChromium, startCommand, startDemo } from './demo.js';

const skip = cannotRun('Chromium');

describe("The demo's page for the operator", () => {
	it('is ready, and shows nothing without INSPECT=1', async (t) => {
		const { url } = await startDemo(t);
		const ready = await fetch(`${url}/ready`);
		assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, live: true, problems: [] }]);
		for (const path of ['inspect.json', 'metrics']) assert.equal((await fetch(`${url}/${path}`)).status, 404, path);
	});

	it('shows what is there, and metrics', { skip }, async (t) => {
		const { url } = await startCommand(t, serverCommand('express'), { ...demoEnvironment('0'), INSPECT: '1' });
		const browser = await startChromium();
		t.after(() => browser.close());
		const page = await browser.newPage();
		const faults: unknown[] = [];
		page.on('pageerror', (error) => faults.push(error));
		await page.goto(`${url}/inspect.html`);
		await page.getByText('rooms (0)').waitFor({ timeout: 60_000 });
		const socket = new WebSocket(`${url.replace('http', 'ws')}/webrtc`, 'protoo');
		t.after(() => {
			socket.close();
		});
		await new Promise((resolve) => {
			socket.onopen = resolve;
		});
		const data = { roomId: 'the room', userId: 'alice', userName: '<b>Alice</b>' };
		socket.send(JSON.stringify({ request: true, id: 1, method: 'join', data }));
		await page.getByText('the room').first().waitFor({ timeout: 60_000 });
		await page.getByText('<b>Alice</b>').first().waitFor({ timeout: 60_000 });
		assert.deepEqual(faults, []);
		assert.match(await (await fetch(`${url}/metrics`)).text(), /^sfu_rooms_users 1$/m);
	});
});
