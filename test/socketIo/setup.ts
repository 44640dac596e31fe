import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Logger } from 'sfu-rooms';
import {
	SocketIoAdapter,
	type ClosingData,
	type JoinSuccess,
	type SocketIoClientEvents,
	type SocketIoOptions,
	type SocketIoResponse,
	type SocketIoServerEvents,
} from 'sfu-rooms/socket.io';
import { Server, type ServerOptions } from 'socket.io';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

/** A client of the library itself. Nothing of it is typed loosely but what a test sends that is wrong. */
export type ClientSocket = Socket<SocketIoServerEvents, SocketIoClientEvents>;

type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** How long something is waited for, in ms. What is awaited comes within milliseconds, or never. */
const patience = 20_000;

/** An Sfu with one real worker behind a real server of Socket.IO, for one test. */
export async function serve(
	t: TestContext,
	options: SocketIoOptions = {},
	serverOptions: Partial<ServerOptions> = {},
	connected: (socket: Parameters<SocketIoAdapter['accept']>[0], adapter: SocketIoAdapter) => void = (
		socket,
		adapter,
	) => {
		adapter.accept(socket);
	},
) {
	const errors: unknown[] = [];
	const ignore = () => undefined;
	const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (...e) => void errors.push(e) };
	const sfu = await Sfu.create({ workers: { count: 1 }, logger });
	t.after(() => {
		sfu.close();
	});
	const adapter = new SocketIoAdapter(sfu, options);
	const http = createServer();
	const server = new Server<SocketIoClientEvents, SocketIoServerEvents>(http, serverOptions);
	server.on('connection', (socket) => {
		connected(socket, adapter);
	});
	await once(http.listen(0, '127.0.0.1'), 'listening');
	const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
	t.after(async () => {
		adapter.close();
		await server.close();
	});
	const connect = (more: ClientOptions = {}) => Client.connect(t, url, more);
	return {
		sfu,
		adapter,
		server,
		url,
		errors,
		/** A client that has joined nothing yet. */
		connect,
		/** A client that has joined the room `room`. */
		async join(userId: string, more: ClientOptions = {}) {
			const client = await connect(more);
			await client.join(userId);
			return client;
		},
	};
}

/** A client of Socket.IO that keeps all that it gets. */
export class Client {
	readonly socket: ClientSocket;
	/** Every event, with its first value, oldest first. */
	readonly received: [event: string, data: unknown][] = [];
	/** Why each of its sockets ended, as the client sees it. */
	readonly ends: string[] = [];
	joined: JoinSuccess | undefined;

	private constructor(socket: ClientSocket) {
		this.socket = socket;
		socket.onAny((event: string, data: unknown) => this.received.push([event, data]));
		socket.on('disconnect', (reason) => this.ends.push(reason));
	}

	static async connect(t: TestContext, url: string, options: ClientOptions) {
		const socket: ClientSocket = io(url, {
			forceNew: true,
			reconnection: false,
			transports: ['websocket'],
			...options,
		});
		t.after(() => socket.disconnect());
		const client = new Client(socket);
		await new Promise<void>((resolve, reject) => {
			socket.once('connect', resolve);
			socket.once('connect_error', reject);
		});
		return client;
	}

	/** Sends a request, and resolves to its acknowledgement. */
	async ask(event: string, ...args: unknown[]): Promise<SocketIoResponse> {
		const socket = this.socket.timeout(patience) as unknown as {
			emitWithAck(...args: unknown[]): Promise<SocketIoResponse>;
		};
		return socket.emitWithAck(event, ...args);
	}

	/** Sends whatever. */
	emit(event: unknown, ...args: unknown[]): void {
		(this.socket as unknown as { emit(...args: unknown[]): void }).emit(event, ...args);
	}

	async join(userId: string, more: object = {}): Promise<JoinSuccess> {
		const response = await this.ask('join', { roomId: 'room', userId, userName: userId, ...more });
		assert.ok(response.ok, JSON.stringify(response));
		this.joined = response.data as JoinSuccess;
		return this.joined;
	}

	/** The data of all events of that name so far. */
	told(event: string): unknown[] {
		return this.received.flatMap(([name, data]) => (name === event ? [data] : []));
	}

	/** Takes the next event of that name; each is given out once. */
	async next(event: string): Promise<unknown> {
		let taken: unknown;
		await until(
			() => {
				const index = this.received.findIndex(([name]) => name === event);
				if (index < 0) return false;
				taken = this.received.splice(index, 1)[0]![1];
				return true;
			},
			`no ${event} came; received: ${JSON.stringify(this.received).slice(0, 500)}`,
		);
		return taken;
	}

	/** How the server closed the socket, and what the library made of it. */
	async closing(): Promise<ClosingData> {
		const closing = (await this.next('closing')) as ClosingData;
		await until(() => !this.socket.connected, 'the socket stays open');
		return closing;
	}
}

/** Waits until the condition holds, for what there is no event for. */
export async function until(condition: () => boolean, message: string) {
	const deadline = performance.now() + patience;
	while (!condition()) {
		assert.ok(performance.now() < deadline, message);
		await sleep(5);
	}
}
