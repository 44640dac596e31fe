import { build } from 'esbuild';
import type { Browser } from '../../test/support/browsers.js';
import type { Pull } from './page/PullClock.js';
import type { Seat } from './System.js';

/** A page of the benchmark, whose functions are those of page/index.js. */
export interface BenchPage {
	push(seat: Seat): Promise<void>;
	pull(seat: Seat): Promise<Pull>;
	/** Ends all pushes and pulls. */
	end(): Promise<void>;
}

/** What the script of the benchmark and the one that adds it need of a page. */
interface Globals {
	document: { createElement(name: 'script'): { text?: string }; body: { append(element: object): void } };
	firstFrame: Record<string, (...args: unknown[]) => unknown>;
}

export async function openPage(browser: Browser): Promise<BenchPage> {
	const opened = await browser.newPage();
	await opened.evaluate(
		(text) => {
			const { document } = globalThis as unknown as Globals;
			document.body.append(Object.assign(document.createElement('script'), { text }));
		},
		await bundle(),
	);
	const call = (name: string, ...args: Seat[]) =>
		opened.evaluate(
			(asked) => {
				const { firstFrame } = globalThis as unknown as Globals;
				return firstFrame[asked.name]!(...asked.args);
			},
			{ name, args },
		);
	return {
		push: (seat) => call('push', seat) as Promise<void>,
		pull: (seat) => call('pull', seat) as Promise<Pull>,
		end: () => call('end') as Promise<void>,
	};
}

/** What page/index.js exports, as the global `firstFrame` of a page. */
async function bundle(): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [new URL('page/index.js', import.meta.url).pathname],
		bundle: true,
		write: false,
		platform: 'browser',
		format: 'iife',
		globalName: 'firstFrame',
	});
	return outputFiles[0]!.text;
}
