import { readFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page as Driver } from 'playwright-core';
import { chromiumFlags, clientOf, clientScript, fakeDevices, html, type Page } from '../../test/support/browsers.js';

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

export type ClientPage = Pick<Page, 'client'>;

export interface BenchPage extends ClientPage {
	/** Playwright's own page. */
	driver: Driver;
}

/** Starts Chromium behind the link of a client. */
export async function startChromium(host: Host) {
	const browser = await chromium.launch({
		executablePath: join(folder, `chromium-${host}`),
		args: [...chromiumFlags, ...fakeDevices],
	});
	// mediasoupPage.js draws the same video, and has its statistics read in the same way.
	const script = `${await readFile(clientScript, 'utf8')}\nexport { connections, drawNoise };\n`;
	return {
		/** Opens a page without any network: browsers give a camera to secure origins only, and localhost is one. */
		async newPage(): Promise<BenchPage> {
			const page = await browser.newPage();
			await page.route('**/*', (route) =>
				route.request().url().endsWith('/client.js')
					? route.fulfill({ contentType: 'text/javascript', body: script })
					: route.fulfill({ contentType: 'text/html', body: html }),
			);
			await page.goto('http://localhost/');
			await page.waitForFunction('globalThis.client');
			return { client: clientOf(page), driver: page };
		},
		close: () => browser.close(),
	};
}
