import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const git = (...args: string[]) =>
	execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** What servers send each other is made there. */
const messages = ['src/cluster/wire.ts', 'src/rooms/sharing', 'src/media/pipes'];

/**
 * Finds the version before this one: the last release, and before the first one the last commit whose messages between servers
 * are not those of today.
 */
function findCommit(): string | undefined {
	try {
		const releases = git('tag', '--list', 'v*', '--sort=-v:refname', '--merged', 'HEAD~1');
		const [release] = releases.split('\n').filter((tag) => tag !== '');
		return release ?? git('rev-parse', `${git('log', '-1', '--format=%H', '--', ...messages)}~1`);
	} catch {
		return undefined;
	}
}

const commit = findCommit();

/** For node:test's `skip`: why the version before cannot be had here, or false. */
export const noPreviousVersion = !commit && 'needs the history of the repository';

/** Lays out the version before in a folder of its own, with the dependencies of this one. @returns the folder and its commit */
export function layOutPreviousVersion(): { folder: string; commit: string; remove: () => void } {
	if (!commit) throw new Error('there is no version before');
	const folder = mkdtempSync(join(tmpdir(), 'sfu-previous-'));
	const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 2 ** 30 });
	execFileSync('tar', ['--extract', '--directory', folder], { input: archive });
	symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
	return {
		folder,
		commit,
		remove: () => {
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
