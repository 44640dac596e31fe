import type { Worker } from 'mediasoup/types';
import { createRequire } from 'node:module';

interface Channel {
	request(method: number, ...others: unknown[]): Promise<unknown>;
}

/** Notes the requests to a worker by their names. */
export async function watchRequests(worker: Worker) {
	const { Method } = methodNames();
	const router = await worker.createRouter();
	const transport = await router.createDirectTransport();
	const channel = (transport as unknown as { channelForTesting: Channel }).channelForTesting;
	router.close();
	const request = channel.request.bind(channel);
	let sent: string[] = [];
	channel.request = (method, ...others) => {
		const name = Method[method] ?? String(method);
		// The library asks for these from time to time, to see whether the worker lives.
		if (!name.startsWith('WORKER_')) sent.push(name);
		return request(method, ...others);
	};
	return {
		/** The requests since the last call. */
		take(): string[] {
			const taken = sent;
			sent = [];
			return taken;
		},
	};
}

/** mediasoup does not export them. */
function methodNames(): { Method: Record<number, string> } {
	const require = createRequire(import.meta.url);
	return require(require.resolve('mediasoup').replace(/index\.js$/, 'fbs/request.js')) as never;
}
