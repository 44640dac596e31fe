/**
 * Rooms for video calls, on Express: `npm run demo`, and open what it prints in two windows.
 *
 * - PORT: of the page and the WebSocket. Default 3000; 0 takes a free one.
 * - LISTEN_IP: where media comes in. Default 127.0.0.1, for browsers on this machine.
 * - ANNOUNCED_ADDRESS: where browsers are told to send it. Default LISTEN_IP.
 */
import express from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Sfu } from 'sfu-rooms';
import { fromWebSocket, ProtooAdapter } from 'sfu-rooms/protoo';
import { WebSocketServer } from 'ws';

const { PORT = '3000', LISTEN_IP = '127.0.0.1', ANNOUNCED_ADDRESS = LISTEN_IP } = process.env;
if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) {
	console.error(`PORT must be a number from 0 to 65535, and is "${PORT}".`);
	process.exit(1);
}

const sfu = await Sfu.create({ webRtc: { listen: [{ ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS }] } });
const protoo = new ProtooAdapter(sfu, { rtcpilot: true });
const server = createServer(express().use(express.static(path.join(import.meta.dirname, 'public'))));
const sockets = new WebSocketServer({ server, path: '/webrtc', maxPayload: 4_194_304 });
sockets.on('connection', (socket, request) => {
	protoo.accept(fromWebSocket(socket), { request });
});

function close() {
	protoo.close();
	sfu.close();
	server.close();
}
process.once('SIGINT', close).once('SIGTERM', close);

// The WebSocketServer passes on the errors of the server that it is attached to.
sockets.on('error', ({ message }) => {
	console.error(`The server cannot run: ${message}`);
	process.exitCode = 1;
	close();
});
server.listen(Number(PORT), () => {
	console.log(`Open http://localhost:${(server.address() as AddressInfo).port}`);
});
