import type { TestContext } from 'node:test';
import { type Logger, Sfu } from 'sfu-rooms';
import type { JoinSuccess, ServerRequests } from 'sfu-rooms/protocol';
import {
	OutgoingRequests,
	Signaling,
	type RequestResult,
	type SignalingClient,
	type SignalingOptions,
} from 'sfu-rooms/signaling';
import { FakeWorkers } from '../support/fakeWorkers.js';

/** A notification as it is sent: an object of its own for each time that it was encoded. */
export interface Encoded {
	method: string;
	data: unknown;
}

/** An Sfu without media, for one test. */
export async function startSfu(t: TestContext) {
	const logged: { level: string; message: string; details: unknown }[] = [];
	const at = (level: string) => (message: string, details?: unknown) => void logged.push({ level, message, details });
	const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
	const sfu = await Sfu.createWith({ logger }, () => Promise.resolve(new FakeWorkers(logger).pool));
	t.after(() => {
		sfu.close();
	});
	return { sfu, logger, logged };
}

/** Signalling without a text format on an Sfu without media, for one test. */
export async function start(t: TestContext, options: SignalingOptions = {}) {
	const { sfu, logged } = await startSfu(t);
	const encoded: Encoded[] = [];
	const signaling = new Signaling<Encoded>(
		sfu,
		(method, data) => {
			const message = { method, data };
			encoded.push(message);
			return message;
		},
		options,
	);
	t.after(() => {
		signaling.close();
	});
	const connect = (context?: unknown) => new TestClient(signaling, context);
	const join = async (userId: string) => {
		const client = connect();
		await client.join(userId);
		return client;
	};
	return {
		sfu,
		logged,
		signaling,
		/** Each notification, as often as it was encoded. */
		encoded,
		connect,
		/** A client that has joined. */
		join,
	};
}

/** A client that an adapter would serve. */
export class TestClient implements SignalingClient<Encoded> {
	/** All that was sent to it, responses included, in order. */
	readonly received: (Encoded | RequestResult)[] = [];
	/** The requests of the server. */
	readonly asked: { id: number; method: string; data: unknown }[] = [];
	readonly outgoing = new OutgoingRequests(10, 1000);
	readonly session;
	closedWith: number | undefined;
	/** The success of its last join. */
	joined!: JoinSuccess;

	constructor(signaling: Signaling<Encoded>, context?: unknown) {
		this.session = signaling.open(this, context);
	}

	/** Joins the room `room`, and resolves to the error if it may not. */
	async join(userId: string, more: object = {}) {
		const result = await this.request('join', { roomId: 'room', userId, userName: userId, ...more });
		if ('error' in result) return result.error.code;
		this.joined = result.data as JoinSuccess;
		return undefined;
	}

	/** The names and data of all notifications so far. */
	get told(): Encoded[] {
		return this.received.filter((message) => 'method' in message);
	}

	send(message: Encoded): void {
		this.received.push(message);
	}

	request<Method extends keyof ServerRequests>(method: Method, data: ServerRequests[Method]['data']): never;
	request(method: string, data: unknown): Promise<RequestResult>;
	request(method: string, data: unknown): unknown {
		if (method === 'offer') return this.outgoing.start((id) => this.asked.push({ id, method, data }));
		return new Promise<RequestResult>((resolve) => {
			this.session.request(method, data, (result) => {
				this.received.push(result);
				resolve(result);
			});
		});
	}

	close(code: number): void {
		this.closedWith = code;
	}
}
