import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually, type ServerProcess } from '../support/serverProcesses.js';

/** Opens a room on servers for one test, and lets one user join on each of them, with the name of the server. */
export async function openRoom(t: TestContext, roomId: string, ...servers: ServerProcess[]): Promise<void> {
	t.after(async () => {
		// It may have closed, and so may the server.
		for (const server of servers) await server.call('room', roomId, 'close').catch(() => undefined);
	});
	for (const server of servers) await server.call('join', roomId, { userId: server.name });
	await untilSame(roomId, servers, Object.fromEntries(servers.map(({ name }) => [name, name])));
}

/** Waits until all these servers say that the same users are in a room, on the same servers. */
export function untilSame(
	roomId: string,
	servers: readonly ServerProcess[],
	owners: Record<string, string>,
	within?: number,
): Promise<number> {
	const sorted = (users: Record<string, string>) => Object.entries(users).sort();
	return eventually(
		`${roomId} has the same users on ${servers.map(({ name }) => name).join(', ')}`,
		async () => {
			for (const server of servers)
				assert.deepEqual(sorted(await server.call('owners', roomId)), sorted(owners), server.name);
		},
		within,
	);
}
