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
import type { Authorize } from 'sfu-rooms/express';

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

/** Lets everybody in, and everybody know on which server somebody is. */
export const authorize: Authorize = ({ action }) => action !== 'join' || { metadata: { node: NODE_HOST } };

/** Tells each page which servers there are: after its join, and when that changes. */
export function tellNodes(sfu: Sfu): void {
	const { cluster } = sfu;
	const hosts = () => {
		const open = [...(cluster?.nodes.values() ?? [])].filter(({ draining }) => !draining);
		return { node: NODE_HOST, nodes: open.map(({ name }) => name).sort() };
	};
	sfu.on('roomOpened', ({ room }) => {
		room.on('userJoined', ({ user }) => {
			if (!user.isRemote) user.send('nodes', hosts());
		});
	});
	for (const event of ['nodeJoined', 'nodeLost'] as const) {
		cluster?.on(event, () => {
			for (const room of sfu.rooms.values()) room.send('nodes', hosts());
		});
	}
}
