import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Place } from '../firstFrame/System.js';

const script = fileURLToPath(new URL('server.ts', import.meta.url));

/**
 * Starts two servers that share their rooms.
 *
 * @returns the URLs of their WebSockets: that of the server where everybody pushes, and that of the other one
 */
export async function startServers(redisPort: number): Promise<{ urls: Record<Place, string>; close: () => void }> {
	const children: ChildProcess[] = [];
	const close = () => {
		for (const child of children) child.kill('SIGKILL');
	};
	process.once('exit', close);
	const told = ['one', 'two'].map(async (name) => {
		const child = fork(script, [`${redisPort}`, name], { execArgv: ['--import', 'tsx'] });
		children.push(child);
		const ended = once(child, 'exit').then(() => Promise.reject(new Error(`server ${name} has ended`)));
		ended.catch(() => undefined);
		const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
		return url;
	});
	const [same = '', other = ''] = await Promise.all(told);
	return { urls: { same, other }, close };
}
