import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { Sfu, type SfuOptions } from 'sfu-rooms';
import { fromWebSocket, ProtooAdapter, type ProtooOptions } from 'sfu-rooms/protoo';
import { WebSocketServer } from 'ws';
import { type Browser, type BrowserName, type Page, startBrowser } from './browsers.js';
import { mediaAddress } from './namespace.js';

/** Bundles test/client/page.ts, and with it the client, for a page. */
export async function bundlePage(): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [new URL('../client/page.ts', import.meta.url).pathname],
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2022',
		tsconfigRaw: {},
	});
	return outputFiles[0]!.text;
}

/** Starts a browser whose pages have the functions of test/client/page.ts as `client`. */
export const startClientBrowser = async (name: BrowserName): Promise<Browser> => startBrowser(name, await bundlePage());

/** What a page may be told about a local track. */
export interface LocalReport {
	source: string;
	muted: boolean;
	mutedByServer: boolean;
	enabled: boolean;
	ended: boolean;
	pusherId: string | null;
	sent: boolean;
	active: boolean[];
}

/** What a page may be told about another user. */
export interface UserReport {
	userId: string;
	userName: string;
	metadata: unknown;
	online: boolean;
	tracks: {
		id: string;
		kind: string;
		source: string | null;
		muted: boolean;
		stalled: boolean;
		ready: boolean;
		layers: { spatial: number; temporal: number } | null;
		layerCount: number;
	}[];
	channels: string[];
}

/** One user, in a page of its own or one that several share. */
export class CallPage {
	readonly page: Page;
	readonly userId: string;

	constructor(page: Page, userId: string) {
		this.page = page;
		this.userId = userId;
	}

	/** Calls a function of test/client/page.ts. */
	call<Result = unknown>(method: string, ...args: unknown[]): Promise<Result> {
		const run = (this.page.client as unknown as Record<string, (...all: unknown[]) => Promise<Result>>)[method];
		return run!(...args);
	}

	/** Calls one whose first argument is the name of the call. */
	do<Result = unknown>(method: string, ...args: unknown[]): Promise<Result> {
		return this.call<Result>(method, this.userId, ...args);
	}

	async join(url: string, roomId: string, options: object = {}, view: object = {}): Promise<this> {
		await this.call('join', { url, roomId, userId: this.userId, ...options }, view);
		return this;
	}

	users(): Promise<UserReport[]> {
		return this.do<UserReport[]>('users');
	}

	async local(source: string): Promise<LocalReport | undefined> {
		return (await this.do<LocalReport[]>('locals')).find((one) => one.source === source);
	}

	async state(): Promise<string> {
		return (await this.do<{ state: string }>('state')).state;
	}

	async events(event: string): Promise<{ event: string; at: number; about: unknown }[]> {
		const all = await this.do<{ event: string; at: number; about: unknown }[]>('happened');
		return all.filter((one) => one.event === event);
	}

	/** Waits until ten more frames of a track have been shown. */
	async untilPlaying(userId: string, source = 'camera', more = 10): Promise<void> {
		const key = `${userId} ${source}`;
		const enough = (await this.do<number>('frameCount', key)) + more;
		await until(
			async () => (await this.do<number>('frameCount', key)) >= enough,
			`${this.userId} sees ${key}`,
			60_000,
			() => this.explain(),
		);
	}

	/** Waits until something holds of the others. */
	async untilUsers(what: string, check: (users: UserReport[]) => boolean): Promise<void> {
		await until(
			async () => check(await this.users()),
			`${this.userId}: ${what}`,
			30_000,
			() => this.explain(),
		);
	}

	async untilState(state: string): Promise<void> {
		await until(
			async () => (await this.state()) === state,
			`${this.userId} is ${state}`,
			60_000,
			() => this.explain(),
		);
	}

	async explain(): Promise<string> {
		const about = { state: await this.do('state'), users: await this.users(), locals: await this.do('locals') };
		const happened = await this.do<{ event: string; at: number; about: unknown }[]>('happened');
		const begun = happened[0]?.at ?? 0;
		const lines = happened.slice(-60).map(({ event, at, about }) => `${at - begun} ${event} ${JSON.stringify(about)}`);
		return [JSON.stringify(about), ...lines].join('\n');
	}
}

/** Waits until something holds. */
export async function until(
	check: () => boolean | Promise<boolean>,
	what: string,
	within = 30_000,
	explain: () => Promise<string> = () => Promise.resolve(''),
): Promise<void> {
	const deadline = Date.now() + within;
	while (!(await check())) {
		if (Date.now() > deadline) assert.fail(`not within ${within} ms: ${what}\n${await explain()}`);
		await sleep(50);
	}
}

/** A server of rooms on a WebSocket of its own. */
export async function startRoomServer(options: SfuOptions = {}, protooOptions: ProtooOptions = {}, port = 0) {
	const { debug, info, warn } = console;
	const sfu = await Sfu.create({
		webRtc: { listen: [{ ip: mediaAddress }] },
		workers: { count: 1 },
		logger: { debug, info, warn, error: () => undefined },
		...options,
	});
	return serveRooms(sfu, protooOptions, port);
}

/** Lets clients reach an Sfu by a WebSocket. */
export async function serveRooms(sfu: Sfu, protooOptions: ProtooOptions = {}, port = 0) {
	const adapter = new ProtooAdapter(sfu, protooOptions);
	const server = createServer();
	const sockets = new WebSocketServer({ server, maxPayload: 4_194_304 });
	sockets.on('connection', (socket) => {
		adapter.accept(fromWebSocket(socket), undefined);
	});
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	return {
		sfu,
		adapter,
		sockets,
		url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
		close() {
			adapter.close();
			sfu.close();
			for (const socket of sockets.clients) socket.terminate();
			server.close();
			server.closeAllConnections();
		},
	};
}
