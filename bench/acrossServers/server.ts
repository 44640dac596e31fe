/** A server of the benchmark, in a process of its own. Its argument: the port of Redis, and its name. */
import { Redis } from 'ioredis';
import { Sfu } from 'sfu-rooms';
import { redisBus } from 'sfu-rooms/cluster';
import { fromWebSocket, ProtooAdapter } from 'sfu-rooms/protoo';
import { mediaAddress } from '../../test/support/namespace.js';
import { acceptWebSockets } from '../firstFrame/webSockets.js';

const [redisPort, name = ''] = process.argv.slice(2);

// All options have their defaults, but for those of the cluster.
const sfu = await Sfu.create({
	webRtc: { listen: [{ ip: mediaAddress }] },
	workers: { count: 1 },
	cluster: {
		bus: redisBus(new Redis(Number(redisPort), '127.0.0.1', { lazyConnect: true })),
		secret: 'a secret of at least 32 characters',
		name,
		listen: { ip: mediaAddress },
	},
});
const adapter = new ProtooAdapter(sfu);
const { url } = await acceptWebSockets((webSocket) => {
	adapter.accept(fromWebSocket(webSocket));
});
process.once('disconnect', () => process.exit());

const { cluster } = sfu;
const tell = () => cluster?.nodes.size === 2 && process.send?.(url);
cluster?.on('nodeJoined', tell);
tell();
