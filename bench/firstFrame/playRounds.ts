import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { executables, startBrowser } from '../../test/support/browsers.js';
import { openPage, type BenchPage } from './openPage.js';

/** Who pushes, and who pulls. */
export interface Pages {
	from: BenchPage;
	to: BenchPage;
}

/** Plays rounds in two pages of Chromium. Resolves to what was measured in them. */
export async function playRounds<Taken>(
	rounds: number,
	play: (round: number, pages: Pages) => Promise<Taken[]>,
): Promise<Taken[]> {
	const taken: Taken[] = [];
	// Two browsers, because a page that is not in front shows no frames.
	const [from, to] = [await startBrowser('Chromium'), await startBrowser('Chromium')];
	try {
		const pages = { from: await openPage(from), to: await openPage(to) };
		// The first round compiles everything, and does not count.
		for (let round = -1; round < rounds; round++) {
			const pulls = await play(round, pages);
			if (round >= 0) taken.push(...pulls);
			await sleep(500);
		}
	} finally {
		await to.close();
		await from.close();
	}
	return taken;
}

/** What `chromium --version` says. */
export const chromiumVersion = (): string =>
	execFileSync(executables.Chromium, ['--version'], { encoding: 'utf8' }).trim();
