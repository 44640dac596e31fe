import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import type * as client from './client.js';
import { firefoxCannotConnect } from './namespace.js';

export type BrowserName = 'Chromium' | 'Firefox';

export interface Page {
	/** The functions of client.js, run in the page. */
	readonly client: {
		[Name in keyof typeof client]: (
			...args: Parameters<(typeof client)[Name]>
		) => Promise<Awaited<ReturnType<(typeof client)[Name]>>>;
	};
	/** Runs a function in the page; the argument and the result go as JSON. */
	evaluate<Result, Argument>(
		fn: (argument: Argument) => Result,
		...argument: Argument extends undefined ? [] : [Argument]
	): Promise<Awaited<Result>>;
	close(): Promise<void>;
}

export interface Browser {
	readonly name: BrowserName;
	/** Of its pages. */
	readonly origin: string;
	newPage(): Promise<Page>;
	/** Ends the processes of the browser and removes its profile. */
	close(): Promise<void>;
}

/** What Playwright and Puppeteer have in common. */
interface Driver {
	newPage(): Promise<{
		goto(url: string): Promise<unknown>;
		evaluate(expression: string): Promise<unknown>;
		close(): Promise<void>;
	}>;
	close(): Promise<void>;
}

export const executables: Record<BrowserName, string> = {
	Chromium: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
	Firefox: process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr',
};

/** The flags of Chromium in every test. Those for its fake camera and microphone are not among them. */
export const chromiumFlags = [
	'--no-sandbox',
	'--headless=new',
	'--disable-background-networking',
	'--disable-features=WebRtcHideLocalIpsWithMdns,SpareRendererForSitePerProcess',
	'--autoplay-policy=no-user-gesture-required',
];

/** The flags of Chromium for its fake camera and microphone. */
export const fakeDevices = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** How every test starts Firefox, with its fake camera and microphone. */
export const firefoxOptions = {
	browser: 'firefox',
	executablePath: executables.Firefox,
	headless: true,
	extraPrefsFirefox: {
		'media.navigator.streams.fake': true,
		'media.navigator.permission.disabled': true,
		'media.peerconnection.ice.obfuscate_host_addresses': false,
		'media.autoplay.default': 0,
	},
} as const;

const drivers: Record<BrowserName, () => Promise<Driver>> = {
	Chromium: () =>
		chromium.launch({
			executablePath: executables.Chromium,
			args: [...chromiumFlags, ...fakeDevices],
		}),
	Firefox: () => puppeteer.launch(firefoxOptions),
};

/** For node:test's `skip`: why this browser cannot be used here, if it cannot. */
export function cannotRun(name: BrowserName): string | false {
	if (!existsSync(executables[name])) return `${name} is not installed: there is no ${executables[name]}`;
	return name === 'Firefox' && firefoxCannotConnect;
}

/**
 * Starts a headless browser with a fake camera and microphone. Whoever starts it, closes it.
 *
 * @param script - what the pages have as `client`; by default client.js
 */
export async function startBrowser(name: BrowserName, script?: string): Promise<Browser> {
	const site = await startSite(script);
	const driver = await drivers[name]().catch((error: unknown) => {
		site.close();
		throw error;
	});
	let queue: Promise<unknown> = Promise.resolve();
	/** Opens or closes a page after the one before: Firefox fails to open a page while it closes another one. */
	const inTurn = <Result>(change: () => Promise<Result>): Promise<Result> => {
		const changed = queue.then(change);
		queue = changed.catch(() => undefined);
		return changed;
	};
	return {
		name,
		origin: new URL(site.url).origin,
		async newPage() {
			const page = await inTurn(() => driver.newPage());
			await page.goto(site.url);
			return {
				client: clientOf(page),
				evaluate: (fn, ...argument) =>
					page.evaluate(`(${String(fn)})(...${JSON.stringify(argument)})`) as Promise<never>,
				close: () => inTurn(() => page.close()),
			};
		},
		async close() {
			site.close();
			await driver.close();
		},
	};
}

/** The functions of client.js in a page that has loaded {@link html}. */
export const clientOf = (page: { evaluate(expression: string): Promise<unknown> }): Page['client'] =>
	new Proxy({} as Page['client'], {
		get:
			(_, method: string) =>
			(...args: unknown[]) =>
				page.evaluate(`client.${method}(...${JSON.stringify(args)})`),
	});

/** What the pages load from `/client.js`. */
export const clientScript = new URL('client.js', import.meta.url);

/** The page of every test. */
export const html = `<!doctype html>
		<script type="module">
			import * as client from '/client.js';
			globalThis.client = client;
			// tsx wraps the functions inside of an evaluated one in calls of this.
			globalThis.__name = (fn) => fn;
		</script>
		<body></body>`;

/** The page, on loopback because browsers give a camera to secure origins only. */
async function startSite(script?: string) {
	const client = script ?? (await readFile(clientScript));
	const server = createServer(({ url }, response) => {
		if (url === '/client.js') response.setHeader('content-type', 'text/javascript').end(client);
		else response.setHeader('content-type', 'text/html').end(html);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
}
