/**
 * Rooms over Socket.IO: `npx tsx examples/socket.io/server.ts`, and open the printed address in two windows.
 *
 * LISTEN_IP (default 127.0.0.1) is the address that HTTP and media listen on, ANNOUNCED_ADDRESS the one that browsers send
 * media to, PORT (default 3000) the port of HTTP.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Sfu } from 'sfu-rooms';
import {
	isAllowedOrigin,
	SocketIoAdapter,
	type SocketIoClientEvents,
	type SocketIoServerEvents,
} from 'sfu-rooms/socket.io';
import { Server } from 'socket.io';

const { PORT = '3000', LISTEN_IP = '127.0.0.1', ANNOUNCED_ADDRESS = LISTEN_IP } = process.env;

const sfu = await Sfu.create({ webRtc: { listen: [{ ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS }] } });
const rooms = new SocketIoAdapter(sfu, {
	// `auth` is what the page gave to io(). Yours would have a token.
	authorize: { join: ({ userId }, { auth }) => auth.name === userId && { takeOver: true }, push: true, autoPull: true },
});

const page = readFileSync(new URL('public/index.html', import.meta.url));
const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
const io = new Server<SocketIoClientEvents, SocketIoServerEvents>(server, {
	// The option `cors` of Socket.IO does not keep foreign pages from opening a WebSocket.
	allowRequest: (request, done) => {
		done(null, isAllowedOrigin(request));
	},
});
io.of('/rooms').on('connection', (socket) => {
	rooms.accept(socket);
});
server.listen(Number(PORT), LISTEN_IP, () => {
	const host = LISTEN_IP === '0.0.0.0' ? 'localhost' : LISTEN_IP;
	console.log(`Open http://${host}:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		rooms.close();
		sfu.close();
		void io.close();
		server.closeAllConnections();
	});
}
