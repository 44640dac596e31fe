import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Server } from './System.js';

/** Takes WebSockets on loopback. */
export async function acceptWebSockets(accept: (webSocket: WebSocket) => void): Promise<Server> {
	const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
	server.on('connection', accept);
	await once(server, 'listening');
	return {
		url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
		close() {
			for (const webSocket of server.clients) webSocket.terminate();
			server.close();
		},
	};
}
