import {
	type closeCodes,
	errorCodes,
	type ClientNotifications,
	type ClientRequests,
	type JoinData,
	type JoinSuccess,
	type MemberData,
	type Notifications,
	type RequestData,
} from '../protocol/index.js';
import { backOff, wait, type LostSocket } from './retry.js';
import { isPassing, RoomError, toRoomError } from './RoomError.js';
import type { SocketLike } from './SocketLike.js';
import { CODE_COMING_BACK, Wire, type Answer, type Own, type ServerRequest } from './Wire.js';

/** Sends a request for the user. */
export type SendRequest = <Method extends keyof ClientRequests, const Data extends Own<RequestData<Method>>>(
	method: Method,
	data: Data,
) => Promise<Answer<Method, Data>>;

/** Where and how to connect. */
export interface SignalingOptions {
	url: string | (() => string | Promise<string>);
	webSocket?: (url: string) => SocketLike;
	retry?: (attempt: number, lost: LostSocket) => number | false;
}

/** Whose socket it is. */
export interface SignalingOwner {
	readonly member: MemberData;
	/** What the next `join` says. */
	joinData(): Own<JoinData>;
	/** There is a socket that has joined. `moved`: in place of another one that still lives. */
	joined(success: JoinSuccess, moved: boolean): void;
	notified(method: keyof Notifications, data: never): void;
	asked(request: ServerRequest): Promise<unknown>;
	/** The socket is lost, and another one follows. */
	lost(): void;
	/** There will be no other socket: another client has joined, the server refuses, or there were attempts enough. */
	end(reason: 'duplicateUser' | 'forbidden' | 'gaveUp', message: string): void;
}

/** The numbers of the protocol; its object would bring all of them. */
const CODE_LEAVING: typeof closeCodes.normal = 1000;
const CODE_REPLACED: typeof closeCodes.replaced = 4000;
/** A connection that has lasted for so long is stable: the delays begin anew. In ms. */
const STABLE = 10_000;
/** After so long another server is looked for again, in ms. */
const MOVE_AGAIN = 3000;

/** Keeps a socket that has joined: opens another one when it is lost, and moves to another server. */
export class Signaling {
	readonly #options: SignalingOptions;
	readonly #owner: SignalingOwner;
	readonly #closing = new AbortController();
	/** The socket that has joined. */
	#wire: Wire | undefined;
	/** A socket that is to join. */
	#next: Wire | undefined;
	#attempt = 0;
	#since = 0;
	#isMoving = false;
	#isJoining = false;
	/** Ends the wait for the next attempt. */
	#hurry: AbortController | undefined;

	constructor(options: SignalingOptions, owner: SignalingOwner) {
		this.#options = options;
		this.#owner = owner;
	}

	/** Joins for the first time. There is one attempt. */
	async connect(): Promise<void> {
		await this.#join(false);
	}

	readonly request: SendRequest = (method, data) =>
		this.#wire?.request(method, data) ?? Promise.reject(new RoomError(method));

	/** Does nothing while there is no connection. */
	notify<Method extends keyof ClientNotifications>(method: Method, data: Own<ClientNotifications[Method]>): void {
		this.#wire?.notify(method, data);
	}

	/** Whether the server answers within so many ms. If not, another socket follows. */
	async check(timeout: number): Promise<boolean> {
		return (await this.#wire?.check(timeout)) ?? false;
	}

	/** Joins on another socket, as balancers lead it to another server, and then closes this one. */
	async move(): Promise<void> {
		if (this.#isMoving) return;
		this.#isMoving = true;
		while (this.#wire && !this.#isOver()) {
			try {
				// The same server resumes it.
				if (!(await this.#join(true)).resumed) break;
			} catch {
				// The socket before goes on, unless it was lost meanwhile.
				this.#reconnectIfLost();
			}
			await wait(backOff(0, MOVE_AGAIN), this.#closing.signal);
		}
		this.#isMoving = false;
	}

	/** There is a network again, or another one. */
	hurry(): void {
		this.#attempt = 0;
		this.#hurry?.abort();
		// What began to connect before may wait for a long time.
		if (!this.#wire) this.#next?.close(CODE_COMING_BACK);
	}

	#reconnectIfLost(): void {
		if (!this.#wire) void this.#reconnect({ code: 1006, reason: 'no connection' });
	}

	#isOver(): boolean {
		return this.#closing.signal.aborted;
	}

	/** Leaves. */
	close(): void {
		this.#closing.abort();
		this.#hurry?.abort();
		for (const wire of [this.#wire, this.#next]) wire?.close(CODE_LEAVING);
		this.#wire = this.#next = undefined;
	}

	async #join(moved: boolean): Promise<JoinSuccess> {
		if (this.#isJoining) throw new RoomError('join');
		this.#isJoining = true;
		try {
			return await this.#joinOn(await this.#open(), moved);
		} finally {
			this.#isJoining = false;
			this.#next = undefined;
		}
	}

	async #open(): Promise<Wire> {
		const { url, webSocket = (where: string) => new WebSocket(where, 'protoo') } = this.#options;
		const address = typeof url === 'function' ? await url() : url;
		this.#closing.signal.throwIfAborted();
		const wire: Wire = new Wire(webSocket(address), this.#owner.member, {
			notified: (method, data) => {
				if (method !== 'replaced' && wire === (this.#wire ?? this.#next)) this.#owner.notified(method, data);
			},
			asked: (request) => this.#owner.asked(request),
			lost: (how) => {
				if (wire === this.#wire) this.#lost(how);
			},
		});
		this.#next = wire;
		return wire;
	}

	async #joinOn(wire: Wire, moved: boolean): Promise<JoinSuccess> {
		try {
			await wire.opened;
			const success = await wire.request('join', this.#owner.joinData());
			this.#wire?.close(CODE_COMING_BACK);
			this.#wire = wire;
			this.#since = Date.now();
			this.#owner.joined(success, moved);
			return success;
		} catch (error) {
			wire.close(CODE_COMING_BACK);
			throw error;
		}
	}

	#lost(how: LostSocket): void {
		this.#wire = undefined;
		if (how.code === CODE_REPLACED) {
			// While it moves, its own other socket replaces this one.
			if (!this.#isJoining) this.#owner.end('duplicateUser', 'joined elsewhere');
			return;
		}
		this.#owner.lost();
		if (this.#isJoining) return;
		if (Date.now() - this.#since > STABLE) this.#attempt = 0;
		void this.#reconnect(how);
	}

	async #reconnect(how: LostSocket): Promise<void> {
		let lost = how;
		const { retry = (attempt: number) => backOff(attempt) } = this.#options;
		while (!this.#isOver()) {
			const delay = retry(this.#attempt++, lost);
			if (delay === false) {
				this.#owner.end('gaveUp', lost.reason);
				return;
			}
			this.#hurry = new AbortController();
			await wait(delay, this.#hurry.signal);
			if (this.#isOver() || this.#wire) return;
			try {
				await this.#join(false);
				return;
			} catch (error) {
				const refused = toRoomError(error, 'join');
				const { status, message } = refused;
				lost = { code: status || 1006, reason: message };
				if (this.#isOver() || isPassing(refused) || status === errorCodes.conflict) continue;
				this.#owner.end('forbidden', message);
				return;
			}
		}
	}
}
