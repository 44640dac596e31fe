/**
 * The demo of ../express, on Fastify: `npx tsx examples/fastify/server.ts`. It takes the same LISTEN_IP,
 * ANNOUNCED_ADDRESS, ORIGIN and PORT.
 */
import { fastify } from 'fastify';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { sfuRooms } from 'sfu-rooms/fastify';
import { bundleClient } from '../bundleClient.js';

const { PORT = '3000', LISTEN_IP = '127.0.0.1', ANNOUNCED_ADDRESS = LISTEN_IP, ORIGIN } = process.env;
if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) {
	console.error(`PORT must be a number from 0 to 65535, and is "${PORT}".`);
	process.exit(1);
}

// A signal ends the process while it starts, too.
let close = (): void => process.exit();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.on(signal, () => {
		close();
	});
}

// Without `forceCloseConnections`, closing waits for HTTP requests that are never finished.
const app = fastify({ forceCloseConnections: true });
await app.register(sfuRooms, {
	sfu: {
		webRtc: { listen: [{ ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS }] },
		audioObservers: {},
		qualityInterval: 2000,
	},
	rtcpilot: true,
	...(ORIGIN !== undefined && { origins: ORIGIN.split(' ') }),
});

// These few files do not need @fastify/static.
const page = path.join(import.meta.dirname, '../express/public');
const types: Record<string, string> = {
	html: 'text/html',
	css: 'text/css',
	js: 'text/javascript',
	svg: 'image/svg+xml',
};
for (const file of readdirSync(page)) {
	const content = readFileSync(path.join(page, file));
	app.get(file === 'index.html' ? '/' : `/${file}`, (_request, reply) =>
		reply.type(types[path.extname(file).slice(1)] ?? 'application/octet-stream').send(content),
	);
}
const client = bundleClient();
app.get('/client.js', (_request, reply) => reply.type('text/javascript').send(client));

close = () => {
	void app.close();
};

try {
	await app.listen({ port: Number(PORT), host: LISTEN_IP });
	const host = ['127.0.0.1', '0.0.0.0', '::'].includes(LISTEN_IP) ? 'localhost' : LISTEN_IP;
	console.log(`Open http://${host}:${(app.server.address() as AddressInfo).port}`);
} catch (error) {
	console.error(`The server cannot run: ${error instanceof Error ? error.message : String(error)}`);
	process.exitCode = 1;
	close();
}
