import { readFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import type * as client from '../../test/support/client.js';
import { chromiumFlags } from '../../test/support/browsers.js';

/** The folder of the emulators, from run.sh. */
const folder = process.env.SFU_BENCH_NETWORK ?? '';
if (folder === '') throw new Error('start bench/networks/run.sh');

/** The address of the server, in its own namespace. */
export const serverAddress = '10.50.0.1';

export type Host = 'a' | 'b';

/** What a link does in one direction. */
export interface Way {
	/** In ms. */
	delay?: number;
	/** In ms, in either direction. */
	jitter?: number;
	/** Of the packets, in percent. */
	loss?: number;
	/** In kbit/s. */
	rate?: number;
	/** What waits longer than this for the rate is dropped, in ms. */
	queue?: number;
}

const line = (name: string, way: Way) =>
	[name, ...Object.entries(way).map(([key, value]) => `${key}=${value}`)].join(' ');

/** Changes the link of a client: what goes up to the server, and what comes down from it. */
export function setLink(host: Host, { up = {}, down = {} }: { up?: Way; down?: Way }): void {
	writeFileSync(join(folder, `${host}.conf`), `${line('up', up)}\n${line('down', down)}\n`);
}

export interface ClientPage {
	readonly page: Page;
	/** The functions of client.js, run in the page. */
	readonly client: {
		[Name in keyof typeof client]: (
			...args: Parameters<(typeof client)[Name]>
		) => Promise<Awaited<ReturnType<(typeof client)[Name]>>>;
	};
}

/** Starts Chromium behind the link of a client. */
export async function startChromium(host: Host) {
	const browser = await chromium.launch({
		executablePath: join(folder, `chromium-${host}`),
		args: [...chromiumFlags, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
	});
	const script = await readFile(new URL('../../test/support/client.js', import.meta.url), 'utf8');
	return {
		/** Opens a page without any network: browsers give a camera to secure origins only, and localhost is one. */
		async newPage(extra = ''): Promise<ClientPage> {
			const page = await browser.newPage();
			await page.route('**/*', (route) =>
				route.request().url().endsWith('/client.js')
					? route.fulfill({ contentType: 'text/javascript', body: script })
					: route.fulfill({
							contentType: 'text/html',
							body: `<!doctype html><script>${extra}</script><script type="module">
								import * as client from '/client.js';
								globalThis.client = client;
							</script><body></body>`,
						}),
			);
			await page.goto('http://localhost/');
			await page.waitForFunction('globalThis.client');
			return {
				page,
				client: new Proxy({} as ClientPage['client'], {
					get:
						(_, method: string) =>
						(...args: unknown[]) =>
							page.evaluate(`client.${method}(...${JSON.stringify(args)})`),
				}),
			};
		},
		close: () => browser.close(),
	};
}
