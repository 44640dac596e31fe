/** The process of a server: it has nothing of the load. */
import { startBare } from './bareServer.js';
import type { Identity, ServerOptions } from './Server.js';
import { startSfu } from './sfuServer.js';

/** What ServerProcess.ts asks for. */
export type Request = { id: number } & (
	{ method: 'start'; data: ServerOptions } | { method: 'push' | 'pull'; data: Identity } | { method: 'counts' }
);

export type Response = { id: number; result: unknown } | { id: number; error: string };

let server: Awaited<ReturnType<typeof startBare>> | undefined;

async function handle(request: Request): Promise<unknown> {
	if (request.method === 'start') {
		server = await (request.data.library ? startSfu(request.data) : startBare(request.data));
		return server.workers;
	}
	if (!server) throw new Error('the server has not started');
	return request.method === 'counts' ? server.counts() : server[request.method](request.data);
}

process.on('message', (request: Request) => {
	const { id } = request;
	handle(request).then(
		(result) => process.send?.({ id, result } satisfies Response),
		(error: unknown) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? '') : String(error) }),
	);
});
// Its workers end with it.
process.on('disconnect', () => process.exit());
