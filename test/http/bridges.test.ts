import express from 'express';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { request as sendRequest, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { toFastifyPlugin, toNodeListener, type Handle } from 'sfu-rooms/http';
import { until } from '../rooms/setup.js';
import { camera, fragmentOf, listen, player, sdp, sdpFragment, startHttp } from './setup.js';

const bridges: Record<string, (t: TestContext, handle: Handle) => Promise<string>> = {
	'node:http': (t, handle) => listen(t, toNodeListener(handle)),
	Express: (t, handle) => listen(t, express().use('/rtc', toNodeListener(handle)) as RequestListener),
	'Express with a parser of bodies before': (t, handle) =>
		listen(
			t,
			express()
				.set('env', 'test')
				.use(express.text({ type: '*/*' }), toNodeListener(handle)) as RequestListener,
		),
	Fastify: async (t, handle) => {
		const app = fastify();
		await app.register(toFastifyPlugin(handle), { prefix: '/rtc' });
		await app.listen({ port: 0, host: '127.0.0.1' });
		t.after(() => {
			app.server.closeAllConnections();
			return app.close();
		});
		return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
	},
};

for (const [name, start] of Object.entries(bridges)) {
	describe(`The bridge for ${name}`, () => {
		it('carries requests, responses and event streams, and the address of the client', async (t) => {
			const addresses = new Set<string | undefined>();
			const authorize = ({ peer }: { peer: { address?: string } }) => {
				addresses.add(peer.address);
				return true;
			};
			const { http } = await startHttp(t, { path: '/rtc', authorize });
			const origin = await start(t, http.handle);
			const send = (method: string, path: string, type?: string, body?: string, headers = {}) =>
				fetch(origin + path, {
					method,
					headers: { ...(type !== undefined && { 'content-type': type }), ...headers },
					...(body !== undefined && { body }),
				});
			const offer = player();
			const created = await send('POST', '/rtc/whep/stage/alice', sdp, offer);
			assert.equal(created.status, 201);
			assert.match(await created.text(), /^v=0/);
			const url = created.headers.get('location')!;
			const headers = { 'if-match': created.headers.get('etag')! };
			assert.equal((await send('PATCH', url, sdpFragment, fragmentOf(offer), headers)).status, 204);
			const stream = (await send('POST', `${url}/events`, 'application/json', '["active"]')).headers.get('location')!;
			const events = (await send('GET', stream)).body!.getReader();
			assert.equal((await send('POST', '/rtc/whip/stage/alice', sdp, camera())).status, 201);
			assert.equal(new TextDecoder().decode((await events.read()).value as Uint8Array), 'event: active\ndata: {}\n\n');
			assert.equal((await send('OPTIONS', '/rtc/whip/stage/alice')).headers.get('accept-post'), sdp);
			assert.equal((await send('PUT', '/rtc/whip/stage/alice', sdp, 'x')).status, 405);
			assert.equal((await send('DELETE', url)).status, 200);
			assert.equal((await events.read()).done, true);
			assert.deepEqual([...addresses], ['127.0.0.1']);
		});

		it('refuses a body that is too large, and lets nobody join whose client is gone', async (t) => {
			const { http, sfu } = await startHttp(t, { path: '/rtc', limits: { bodyTimeout: 2000 } });
			const origin = await start(t, http.handle);
			const large = await fetch(`${origin}/rtc/whip/stage/alice`, {
				method: 'POST',
				headers: { 'content-type': sdp },
				body: 'x'.repeat(200_000),
			});
			// A parser before the adapter may refuse it, with the status of its own.
			assert.equal(large.status, 413);
			const room = await sfu.getOrCreateRoom('stage', { lobby: true });
			const request = sendRequest(`${origin}/rtc/whip/stage/alice`, {
				method: 'POST',
				headers: { 'content-type': sdp },
			});
			request.on('error', () => undefined);
			request.end(camera());
			await until(() => room.waiting.size === 1, 'the client waits in the lobby', 10_000);
			request.destroy();
			await until(() => room.waiting.size === 0, 'the client is gone', 10_000);
			assert.equal(room.users.size, 0);
		});
	});
}
