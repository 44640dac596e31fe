/**
 * The demo of ../express, on Fastify: `npx tsx examples/fastify/server.ts`. It takes the same LISTEN_IP,
 * ANNOUNCED_ADDRESS, ORIGIN and PORT.
 */
import websocket from '@fastify/websocket';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Sfu } from 'sfu-rooms';
import { fromWebSocket, ProtooAdapter } from 'sfu-rooms/protoo';

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

const sfu = await Sfu.create({
	webRtc: { listen: [{ ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS }] },
	audioObservers: {},
	qualityInterval: 2000,
});
const protoo = new ProtooAdapter(sfu, { rtcpilot: true });
// Without `forceCloseConnections`, closing waits for HTTP requests that are never finished.
const app = fastify({ forceCloseConnections: true });
await app.register(websocket, { options: { maxPayload: 4_194_304 } });
/** Whether a WebSocket is from our own page, or from a program that is no browser and so has no `Origin`. */
function isOwnPage({ headers: { origin, host } }: FastifyRequest): boolean {
	return origin === undefined || origin === ORIGIN || (URL.canParse(origin) && new URL(origin).host === host);
}

// A browser opens WebSockets to any server for any page, with the cookies of the server. It says whose page it is.
const preValidation = async (request: FastifyRequest, reply: FastifyReply) => {
	if (!isOwnPage(request)) await reply.code(403).send();
};
app.get('/webrtc', { websocket: true, preValidation }, (socket, request) => {
	protoo.accept(fromWebSocket(socket), { request });
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

close = () => {
	protoo.close();
	sfu.close();
	void app.close();
	// A client that is gone does not close its WebSocket.
	setTimeout(() => {
		for (const socket of app.websocketServer.clients) socket.terminate();
	}, 1000).unref();
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
