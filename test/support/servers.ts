import { Sfu, type SfuOptions } from 'sfu-rooms';
import { MemoryBus } from '../../src/cluster/MemoryBus.js';
import { until } from '../media/setup.js';

/** Starts servers that share rooms, each with one worker. Resolves when all of them know each other. */
export async function startServers(
	count: number,
	options: SfuOptions | ((index: number) => SfuOptions) = {},
	listenIp = '127.0.0.1',
): Promise<Sfu[]> {
	const bus = new MemoryBus();
	const sfus = await Promise.all(
		Array.from({ length: count }, (_, index) =>
			Sfu.create({
				workers: { count: 1 },
				...(typeof options === 'function' ? options(index) : options),
				cluster: {
					bus: new MemoryBus(bus),
					secret: 'a secret that only the servers of these tests know',
					name: `server ${index}`,
					listen: { ip: listenIp },
				},
			}),
		),
	);
	await until(() => sfus.every(({ cluster }) => cluster?.nodes.size === count), 'all servers know each other');
	return sfus;
}
