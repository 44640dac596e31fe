/**
 * What lets examples/express/server.ts share its rooms with other servers.
 *
 * - CLUSTER_SECRET: at least 32 random characters, the same on all servers.
 * - NODE_HOST: host and port of this server, as pages reach it.
 * - REDIS_URL: of the Redis that all servers use. Default redis://127.0.0.1.
 * - LISTEN_IP and ANNOUNCED_ADDRESS: as those of the server, for the media of the other servers, too.
 */
import { Redis } from 'ioredis';
import type { Sfu, SfuOptions } from 'sfu-rooms';
import { redisBus } from 'sfu-rooms/cluster';
import type { WebSocket, WebSocketServer } from 'ws';

const { CLUSTER_SECRET = '', NODE_HOST = 'localhost:3000', REDIS_URL = 'redis://127.0.0.1' } = process.env;
const { LISTEN_IP = '127.0.0.1', ANNOUNCED_ADDRESS = LISTEN_IP } = process.env;

export const options: SfuOptions = {
	cluster: {
		bus: redisBus(new Redis(REDIS_URL, { lazyConnect: true })),
		secret: CLUSTER_SECRET,
		listen: { ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS },
		name: NODE_HOST,
	},
};

/** Tells each page on which server it is, and which ones there are: when its WebSocket opens, and when that changes. */
export function tellNodes({ cluster }: Sfu, sockets: WebSocketServer): void {
	const tell = (socket: WebSocket) => {
		const open = [...(cluster?.nodes.values() ?? [])].filter(({ draining }) => !draining);
		const nodes = open.map(({ name }) => name).sort();
		// The library does not know this message. Its clients may get such ones of the app all the same.
		socket.send(JSON.stringify({ notification: true, method: 'nodes', data: { node: NODE_HOST, nodes } }));
	};
	sockets.on('connection', tell);
	for (const event of ['nodeJoined', 'nodeLost'] as const) {
		cluster?.on(event, () => {
			for (const socket of sockets.clients) tell(socket);
		});
	}
}
