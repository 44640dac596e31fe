import { setTimeout as sleep } from 'node:timers/promises';
import { Load, type Media } from './Load.js';
import type { ServerOptions, Ssrcs } from './Server.js';
import { ServerProcess } from './ServerProcess.js';

/** A server, a pusher that sends, and pullers, each of them in a process of its own. */
export interface LoadedRoom {
	server: ServerProcess;
	pusher: Load;
	pullers: Load;
	ssrcs: Ssrcs;
	end(): Promise<void>;
}

/** Has a pusher and pullers connect to a server, and waits until media flows to all of them. */
export async function openRoom(
	binary: string,
	options: ServerOptions,
	{ count, media, execArgv }: { count: number; media: Media; execArgv?: readonly string[] },
): Promise<LoadedRoom> {
	const server = await ServerProcess.start(options, execArgv);
	const pusher = await Load.start(binary);
	const pullers = await Load.start(binary);
	const end = async () => {
		pusher.end();
		pullers.end();
		await server.end();
	};
	try {
		const identity = pusher.identity();
		const { ssrcs, ...remote } = await server.push(identity);
		await pusher.connect(identity, remote);
		await pusher.connected();
		for (let index = 0; index < count; index++) {
			const puller = pullers.identity();
			await pullers.connect(puller, await server.pull(puller));
		}
		await pullers.connected();
		await pusher.send(media, ssrcs);
		while ((await pullers.tell()).least < 20) await sleep(100);
		return { server, pusher, pullers, ssrcs, end };
	} catch (error) {
		await end();
		throw error;
	}
}
