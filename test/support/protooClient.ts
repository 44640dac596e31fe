import {
	createSocketPair,
	type JoinData,
	type JoinSuccess,
	type Notifications,
	type PullOffered,
	type PullSuccess,
	type PushSuccess,
	type ServerRequests,
	type Socket,
} from 'sfu-rooms/protoo';
import type { WebSocket } from 'ws';

interface Description {
	type: 'offer';
	sdp: string;
}

interface Membership {
	roomId: string;
	userId: string;
}

export interface Spec {
	type: 'audio' | 'video' | 'data';
	pusher_id: string;
	negotiated?: boolean;
}

/** What a client may ask, and what it is answered. */
export interface Requests {
	join: { data: JoinData; success: JoinSuccess };
	push: { data: Membership & { sdp: Description }; success: PushSuccess };
	pull: { data: Membership & { sdp: Description; targetUserId: string; specs: Spec[] }; success: PullSuccess };
	leave: { data: Membership; success: { code: 0; message: 'leave success' } };
	heartbeat: { data: Membership; success: Membership & { code: 0; message: 'ok' } };
}

export interface Response {
	response: true;
	id: number;
	ok: boolean;
	data?: unknown;
	errorCode?: number;
	errorReason?: string;
}

export type Notification = {
	[Method in keyof Notifications]: { notification: true; method: Method; data: Notifications[Method] };
}[keyof Notifications];

/** What the server has asked. */
export type ServerRequest = {
	[Method in keyof ServerRequests]: { request: true; id: number; method: Method; data: ServerRequests[Method]['data'] };
}[keyof ServerRequests];

/** A request was answered with `ok: false`. */
export class RequestError extends Error {
	readonly errorCode: number | undefined;
	readonly errorReason: string | undefined;

	constructor({ errorCode, errorReason }: Response) {
		super(`${String(errorCode)} ${String(errorReason)}`);
		this.errorCode = errorCode;
		this.errorReason = errorReason;
	}
}

interface Link {
	send(frame: string | Buffer): void;
	close(code: number): void;
	terminate(): void;
}

/** A client of the protocol: all that it sends is up to the test, all that it gets is kept. */
export class ProtooClient {
	/** How long a message is waited for, in ms. What is awaited comes within milliseconds, or never. */
	static patience = 5000;
	/** Every message that has come, oldest first. */
	readonly received: unknown[] = [];
	/** The resume token of its last join. */
	token: string | undefined;
	#link!: Link;
	#closeCode: number | undefined;
	#responses: Response[] = [];
	#notifications: Notification[] = [];
	#requests: ServerRequest[] = [];
	#membership: Membership = { roomId: '', userId: '' };
	#lastId = 0;
	readonly #waiting = new Set<() => void>();

	private constructor() {
		// Made by the functions below, each of which gives it a link.
	}

	/** A client in this process; `accept` gets the server's end of its socket. */
	static overPair(accept: (socket: Socket) => void): ProtooClient {
		const client = new ProtooClient();
		const [near, far] = createSocketPair();
		near.listen({
			message: (text) => {
				client.#receive(String(text));
			},
			closed: (code) => {
				client.#gone(code);
			},
		});
		client.#link = {
			send: (frame) => {
				if (typeof frame !== 'string') throw new TypeError('a socket pair carries text alone');
				near.send(frame);
			},
			close: (code) => {
				near.close(code, '');
			},
			terminate: () => {
				near.close(1006, '');
			},
		};
		accept(far);
		return client;
	}

	/** A client over a WebSocket that is being opened. */
	static async overWebSocket(webSocket: WebSocket): Promise<ProtooClient> {
		const client = new ProtooClient();
		client.#link = webSocket;
		webSocket.on('message', (data) => {
			client.#receive((data as Buffer).toString());
		});
		webSocket.on('close', (code) => {
			client.#gone(code);
		});
		await new Promise((resolve, reject) => {
			webSocket.once('open', resolve);
			webSocket.once('error', reject);
		});
		// From here on `close` tells of everything.
		webSocket.on('error', () => undefined);
		return client;
	}

	/** The code that the socket is closed with. */
	get closed(): Promise<number> {
		return this.#until('close', () => this.#closeCode);
	}

	/** Sends a frame as it is. */
	send(frame: string | Buffer): void {
		this.#link.send(frame);
	}

	/** Sends a request with an id of the test's own choice. */
	sendRequest(id: unknown, method: unknown, data?: unknown): void {
		this.send(JSON.stringify({ request: true, id, method, data }));
	}

	notify(method: string, data: unknown): void {
		this.send(JSON.stringify({ notification: true, method, data }));
	}

	/** @throws {@link RequestError} when the request fails */
	request<Method extends keyof Requests>(
		method: Method,
		data: Requests[Method]['data'],
	): Promise<Requests[Method]['success']>;
	request(method: string, data?: unknown): Promise<unknown>;
	request(method: string, data?: unknown): Promise<unknown> {
		const id = ++this.#lastId;
		this.sendRequest(id, method, data);
		return handled(
			this.response(id).then((response) => {
				if (!response.ok) throw new RequestError(response);
				if (method === 'join') {
					const { roomId, userId } = data as Membership;
					this.#membership = { roomId, userId };
				}
				return response.data;
			}),
		);
	}

	/** The next response with that id. */
	response(id: number): Promise<Response> {
		return this.#until(`response ${id}`, () => {
			const index = this.#responses.findIndex((response) => response.id === id);
			return index < 0 ? undefined : this.#responses.splice(index, 1)[0];
		});
	}

	/** The data of the next notification of that method; each is given out once. */
	next<Method extends keyof Notifications>(method: Method): Promise<Notifications[Method]> {
		return this.#until(method, () => {
			const index = this.#notifications.findIndex((notification) => notification.method === method);
			return index < 0 ? undefined : (this.#notifications.splice(index, 1)[0]?.data as Notifications[Method]);
		});
	}

	/** The next request of the server of that method; each is given out once. */
	asked<Method extends keyof ServerRequests = 'offer'>(
		method: Method = 'offer' as Method,
	): Promise<Extract<ServerRequest, { method: Method }>> {
		return this.#until(`request ${method}`, () => {
			const index = this.#requests.findIndex((request) => request.method === method);
			return this.#requests.splice(index, index < 0 ? 0 : 1)[0] as
				Extract<ServerRequest, { method: Method }> | undefined;
		});
	}

	/** Responds to a request of the server. */
	respond(id: number, data: unknown): void {
		this.send(JSON.stringify({ response: true, id, ok: true, data }));
	}

	/** Responds to a request of the server that it has failed. */
	fail(id: number, errorCode = 500, errorReason = 'because'): void {
		this.send(JSON.stringify({ response: true, id, ok: false, errorCode, errorReason }));
	}

	/**
	 * The notifications that nobody has taken yet. The answer to the request that is made first comes after all that was
	 * sent before.
	 */
	async told(): Promise<Notification[]> {
		await this.heartbeat().catch((error: unknown) => {
			if (!(error instanceof RequestError)) throw error;
		});
		return this.#notifications.splice(0);
	}

	join(roomId: string, userId: string, userName = `User_${userId}`, resumeToken?: string | null): Promise<JoinSuccess> {
		this.#membership = { roomId, userId };
		const token = resumeToken === undefined ? {} : { resumeToken };
		const joined = this.request('join', { ...this.#membership, userName, ...token });
		return handled(
			joined.then((success) => {
				this.token = success.resumeToken;
				return success;
			}),
		);
	}

	/** Joins as the same client that has lost this socket. */
	comeBack(lost: ProtooClient): Promise<JoinSuccess> {
		const { roomId, userId } = lost.#membership;
		return this.join(roomId, userId, undefined, lost.token);
	}

	push(sdp: string): Promise<PushSuccess> {
		return this.request('push', { ...this.#membership, sdp: { type: 'offer', sdp } });
	}

	pull(sdp: string, targetUserId: string, specs: Spec[]): Promise<PullSuccess> {
		return this.request('pull', { ...this.#membership, sdp: { type: 'offer', sdp }, targetUserId, specs });
	}

	/** Pulls by an offer of the server. */
	pullOffered(targetUserId: string, specs: Spec[]): Promise<PullOffered> {
		return this.request('pull', { ...this.#membership, targetUserId, specs }) as Promise<PullOffered>;
	}

	answer(connectionId: string, sdp: string) {
		return this.request('answer', { ...this.#membership, connectionId, sdp: { type: 'answer', sdp } });
	}

	heartbeat() {
		return this.request('heartbeat', this.#membership);
	}

	leave() {
		return this.request('leave', this.#membership);
	}

	/** Closes the socket as a client does that has finished. */
	close(code = 1000): void {
		this.#link.close(code);
	}

	/** Loses the socket, without a closing handshake (1006). */
	lose(): void {
		this.#link.terminate();
	}

	#receive(text: string): void {
		const message = JSON.parse(text) as Response | Notification | ServerRequest;
		this.received.push(message);
		if ('request' in message) this.#requests.push(message);
		else if ('response' in message) this.#responses.push(message);
		else this.#notifications.push(message);
		this.#look();
	}

	#gone(code: number): void {
		this.#closeCode = code;
		this.#look();
	}

	#look(): void {
		for (const look of this.#waiting) look();
	}

	#until<Result>(what: string, find: () => Result | undefined): Promise<Result> {
		return handled(
			new Promise<Result>((resolve, reject) => {
				const stop = () => {
					clearTimeout(timer);
					this.#waiting.delete(look);
				};
				const fail = (reason: string) => {
					stop();
					reject(new Error(`no ${what}: ${reason}; received: ${JSON.stringify(this.received.slice(-5))}`));
				};
				const look = () => {
					const found = find();
					if (found !== undefined) {
						stop();
						resolve(found);
					} else if (this.#closeCode !== undefined) {
						fail(`the socket was closed (${this.#closeCode})`);
					}
				};
				const timer = setTimeout(() => {
					fail(`not within ${ProtooClient.patience} ms`);
				}, ProtooClient.patience);
				this.#waiting.add(look);
				look();
			}),
		);
	}
}

/** A test that closes a socket need not look after what it had asked. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
	promise.catch(() => undefined);
	return promise;
}
