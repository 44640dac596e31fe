import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { cannotRun, startBrowser } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { untilPlaying } from '../support/playback.js';

it('examples/programmatic lets one page push and another pull', { skip: cannotRun('Chromium') }, async (t) => {
	const server = spawn(process.execPath, ['--import', 'tsx', 'examples/programmatic/server.ts'], {
		env: { ...process.env, PORT: '0', LISTEN_IP: mediaAddress },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.after(() => server.kill());
	const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
	const line = async () => (await lines.next()).value as string;
	const url = await line();
	const post = async (path: string, offer: string) => {
		const response = await fetch(url + path, { method: 'POST', body: offer });
		const body = await response.text();
		assert.equal(response.status, 200, body);
		return body;
	};
	const browser = await startBrowser('Chromium');
	t.after(() => browser.close());
	const [from, to] = await Promise.all([browser.newPage(), browser.newPage()]);

	const camera = await from.client.createPusher({ codec: 'VP8' });
	await from.client.acceptAnswer(camera.id, await post('/push?room=studio&user=alice', camera.offer));
	assert.equal(await line(), 'alice joined studio');
	assert.deepEqual([await line(), await line()].sort(), ['alice pushes audio', 'alice pushes video']);
	const screen = await to.client.createPuller({ kinds: ['video', 'audio'] });
	await to.client.acceptAnswer(screen.id, await post('/pull?room=studio&user=bob&from=alice', screen.offer));
	assert.equal(await line(), 'bob joined studio');
	await untilPlaying(to, screen.id);

	const refused = await fetch(`${url}/pull?room=studio&user=bob&from=nobody`, { method: 'POST', body: screen.offer });
	assert.equal(refused.status, 400);
	await fetch(`${url}/?room=studio&user=alice`, { method: 'DELETE' });
	assert.equal(await line(), 'alice left studio: left');
	server.kill();
	assert.deepEqual(await once(server, 'exit'), [0, null]);
});
