import {
	errorCodes,
	type ClientNotifications,
	type ClientRequests,
	type MemberData,
	type Notifications,
	type RequestData,
	type RequestMessage,
	type RequestTypes,
	type ServerMessage,
	type ServerRequests,
} from '../protocol/index.js';
import { RoomError, toRoomError } from './RoomError.js';
import type { LostSocket } from './retry.js';
import { wait } from './retry.js';
import type { SocketLike } from './SocketLike.js';

/** The properties that may be left out. */
type OptionalKeys<Data> = { [Key in keyof Data]-?: object extends Pick<Data, Key> ? Key : never }[keyof Data];

/** Data as JSON takes it, which leaves out what is undefined. */
export type AsJson<Data> = Data extends readonly (infer Item)[]
	? readonly AsJson<Item>[]
	: Data extends object
		? { [Key in Exclude<keyof Data, OptionalKeys<Data>>]: AsJson<Data[Key]> } & {
				[Key in OptionalKeys<Data>]?: AsJson<Data[Key]> | undefined;
			}
		: Data;

/** Without the ids of the room and the user, which every message has. */
export type Own<Data> = Data extends unknown ? AsJson<Omit<Data, keyof MemberData>> : never;

/** The success data of a request with such data. */
export type Answer<Method extends keyof ClientRequests, Data> = ClientRequests[Method] extends infer Form
	? Form extends RequestTypes<infer Accepted, infer Response>
		? Data extends Own<Accepted>
			? Response
			: never
		: never
	: never;

/** What takes notifications, by their names. */
export type NotificationHandlers = { [Method in keyof Notifications]?: (data: Notifications[Method]) => void };

/** A request of the server. */
export type ServerRequest = {
	[Method in keyof ServerRequests]: RequestMessage<Method, ServerRequests[Method]['data']>;
}[keyof ServerRequests];

/** What a wire tells its owner. */
export interface WireHandlers {
	/** The server has notified. */
	notified(method: keyof Notifications, data: never): void;
	/** The server asks; the result is the data of the response. A RoomError becomes the failure. */
	asked(request: ServerRequest): Promise<unknown>;
	/** The socket is lost. Not called after `close()`. */
	lost(how: LostSocket): void;
}

interface Pending {
	method: string;
	resolve: (data: never) => void;
	reject: (error: RoomError) => void;
}

/** So often something has to come from the server, in ms. If nothing does, it is asked, and has as long to answer. */
const HEARTBEAT = 5000;
const OPEN_TIMEOUT = 10_000;
/** Closes a dead socket. It is not 1000, which tells the server that the user has left. */
export const CODE_COMING_BACK = 4001;

/**
 * The messages of protoo on one socket. A request has no time limit of its own: its response comes, or the socket is lost. So
 * the socket is watched by heartbeats.
 */
export class Wire {
	readonly opened: Promise<void>;
	readonly #socket: SocketLike;
	readonly #member: MemberData;
	readonly #handlers: WireHandlers;
	readonly #pending = new Map<number, Pending>();
	readonly #closing = new AbortController();
	#lastId = 0;
	#heard = 0;
	#check: Promise<boolean> | undefined;

	constructor(socket: SocketLike, member: MemberData, handlers: WireHandlers) {
		this.#socket = socket;
		this.#member = member;
		this.#handlers = handlers;
		const { signal } = this.#closing;
		this.opened = new Promise((resolve, reject) => {
			socket.onopen = () => {
				socket.onmessage = ({ data }) => {
					this.#receive(data);
				};
				resolve();
				void this.#watch();
			};
			signal.addEventListener('abort', () => {
				reject(new RoomError('join'));
			});
		});
		socket.onclose = (how) => {
			this.#lose(how);
		};
		void wait(OPEN_TIMEOUT, signal).then(() => {
			if (!socket.onmessage) this.#lose({ code: 1006, reason: 'no answer' });
		});
	}

	get isClosed(): boolean {
		return this.#closing.signal.aborted;
	}

	request<Method extends keyof ClientRequests, const Data extends Own<RequestData<Method>>>(
		method: Method,
		data: Data,
	): Promise<Answer<Method, Data>> {
		return new Promise((resolve, reject) => {
			if (this.isClosed) {
				reject(new RoomError(method));
				return;
			}
			const id = (this.#lastId = (this.#lastId + 1) % 2 ** 32);
			this.#pending.set(id, { method, resolve, reject });
			this.#send({ request: true, id, method, data: { ...this.#member, ...(data as object) } });
		});
	}

	notify<Method extends keyof ClientNotifications>(method: Method, data: Own<ClientNotifications[Method]>): void {
		if (!this.isClosed) this.#send({ notification: true, method, data: { ...this.#member, ...data } });
	}

	/** Asks the server for a sign of life. Without one in time, the socket is given up. */
	check(timeout: number): Promise<boolean> {
		this.#check ??= this.#answers(timeout).finally(() => (this.#check = undefined));
		return this.#check;
	}

	/** Closes the socket without waiting for the other side, which a dead network never lets answer. */
	close(code: number): void {
		if (this.isClosed) return;
		this.#closing.abort();
		this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
		for (const { method, reject } of this.#pending.values()) {
			reject(new RoomError(method));
		}
		this.#pending.clear();
		this.#socket.close(code);
	}

	async #answers(timeout: number): Promise<boolean> {
		const begun = this.#heard;
		// A refusal is an answer, too.
		const answered = this.request('heartbeat', {}).catch(() => undefined);
		await Promise.race([answered, wait(timeout, this.#closing.signal)]);
		if (this.#heard === begun) this.#lose({ code: 1006, reason: 'no answer' });
		return !this.isClosed;
	}

	async #watch(): Promise<void> {
		while (!this.isClosed) {
			const before = this.#heard;
			await wait(HEARTBEAT, this.#closing.signal);
			if (this.#heard === before) await this.check(HEARTBEAT);
		}
	}

	#lose(how: LostSocket): void {
		if (this.isClosed) return;
		this.close(CODE_COMING_BACK);
		this.#handlers.lost(how);
	}

	#send(message: object): void {
		this.#socket.send(JSON.stringify(message));
	}

	#receive(text: unknown): void {
		this.#heard++;
		let message: ServerMessage;
		try {
			message = JSON.parse(String(text)) as ServerMessage;
		} catch {
			return;
		}
		if ('response' in message) {
			const pending = this.#pending.get(message.id);
			this.#pending.delete(message.id);
			if (message.ok) pending?.resolve(message.data as never);
			else pending?.reject(new RoomError(pending.method, message.errorCode, message.errorReason));
		} else if ('notification' in message) {
			this.#handlers.notified(message.method, message.data as never);
		} else {
			void this.#answer(message);
		}
	}

	async #answer(request: ServerRequest): Promise<void> {
		const { id, method } = request;
		const response = await this.#handlers.asked(request).then(
			(data) => ({ ok: true, data }),
			(error: unknown) => {
				const { status, message } = toRoomError(error, method);
				return { ok: false, errorCode: status || errorCodes.internal, errorReason: message };
			},
		);
		// The server asks again on the next socket.
		if (!this.isClosed) this.#send({ response: true, id, ...response });
	}
}
