import { errorCodes } from '../protocol/index.js';
import { backOff } from './retry.js';
import { isPassing, toRoomError, type RoomError } from './RoomError.js';
import type { SendRequest } from './Signaling.js';

/** How a connection carries its media, as the server measures it. */
export type Quality = 'excellent' | 'good' | 'poor' | 'lost';

/** The state of an RTCPeerConnection. `idle` if there is nothing to connect for. */
export type MediaState = 'idle' | 'connecting' | 'connected';

/** What a link needs of the call. */
export interface LinkContext {
	request: SendRequest;
	/** Whether the socket lives; another one follows if not. */
	checkSocket(): Promise<boolean>;
	configuration(): RTCConfiguration;
	changed: () => void;
	failed: (error: RoomError) => void;
}

/** Browsers themselves give up later, Chromium after 15 s. It doubles with each failure, for machines that are slow. In ms. */
const CONNECT_TIMEOUT = 12_000;
const LONGEST_CONNECT_TIMEOUT = 60_000;
/** So often it looks whether something arrives, in ms. */
const LISTEN = 1000;
/** So many looks in a row nothing has arrived on a connection that is silent. */
const SILENT = 2;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 15_000;

/** Keeps an RTCPeerConnection alive: restarts ICE when its network is gone, and begins with another one when that does not help. */
export abstract class Link {
	/** The server's id of the connection, once the server has given it. */
	connectionId: string | undefined;
	/** That of the connection before, which the server may still have. */
	protected connectionBefore: string | undefined;
	protected pc: RTCPeerConnection | undefined;
	protected readonly context: LinkContext;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#listening: ReturnType<typeof setInterval> | undefined;
	#bytes = 0;
	#silent = 0;
	#failures = 0;
	/** Whether a restart of ICE is being negotiated. */
	#isRestarting = false;
	/** Whether ICE was restarted, and has not connected since. */
	#hasRestarted = false;

	constructor(context: LinkContext) {
		this.context = context;
	}

	get state(): MediaState {
		const state = this.pc?.connectionState ?? (this.isNeeded ? 'connecting' : 'new');
		return state === 'new' ? 'idle' : state === 'connected' ? state : 'connecting';
	}

	/** Whether nothing has arrived for a while on a connection that is open. */
	get isSilent(): boolean {
		return this.#silent >= SILENT;
	}

	getStats(): Promise<RTCStatsReport> | undefined {
		return this.pc?.getStats();
	}

	/** Begins with a new RTCPeerConnection in place of the current one, if there is anything to carry. */
	async open(): Promise<void> {
		this.close();
		if (!this.isNeeded) return;
		const pc = new RTCPeerConnection(this.context.configuration());
		this.pc = pc;
		pc.onconnectionstatechange = () => {
			this.#follow(pc);
		};
		this.#listening = setInterval(() => void this.#listen(pc), LISTEN);
		await this.attempt(pc, () => this.begin(pc));
	}

	close(): void {
		clearTimeout(this.#timer);
		clearInterval(this.#listening);
		const { pc } = this;
		this.connectionBefore = this.connectionId ?? this.connectionBefore;
		this.pc = this.connectionId = undefined;
		this.#bytes = this.#silent = 0;
		this.#isRestarting = this.#hasRestarted = false;
		if (!pc) return;
		pc.onconnectionstatechange = pc.ontrack = pc.ondatachannel = null;
		this.release(pc);
	}

	/** The server has nothing of this client any more. */
	forget(): void {
		this.connectionId = this.connectionBefore = undefined;
	}

	/** Repairs what broke while there was no socket to repair it by. `restart`: although it seems to work. */
	async check(restart = false): Promise<void> {
		const state = this.pc?.connectionState;
		if (!state) await this.open();
		else if (restart || state === 'failed' || state === 'disconnected' || this.isSilent) await this.restart();
	}

	/** Restarts ICE, if it ever began, and is not being restarted. */
	async restart(): Promise<void> {
		const { pc } = this;
		if (!pc || pc.connectionState === 'new' || this.#isRestarting) return;
		// The last one has not helped.
		if (this.#hasRestarted && pc.connectionState === 'failed') {
			await this.open();
			return;
		}
		this.#isRestarting = this.#hasRestarted = true;
		this.expectConnected();
		await this.attempt(pc, () => this.restartIce(pc));
		if (pc === this.pc) this.#isRestarting = false;
	}

	/** Whether there is anything to carry. */
	protected abstract get isNeeded(): boolean;
	/** Begins to send or receive. */
	protected abstract begin(pc: RTCPeerConnection): Promise<void>;
	/** Has the ICE restart negotiated. */
	protected abstract restartIce(pc: RTCPeerConnection): Promise<void>;

	/** Closes an RTCPeerConnection that is no longer used. */
	protected release(pc: RTCPeerConnection): void {
		pc.close();
	}

	/** Does a step of the negotiation. When it fails, another RTCPeerConnection follows, if that may help. */
	protected async attempt(pc: RTCPeerConnection, step: () => Promise<unknown>): Promise<void> {
		try {
			await step();
		} catch (thrown) {
			if (pc === this.pc) this.#fail(toRoomError(thrown, 'push'));
		}
	}

	/** Begins anew unless it connects in time. */
	protected expectConnected(): void {
		this.#after(Math.min(CONNECT_TIMEOUT * 2 ** this.#failures, LONGEST_CONNECT_TIMEOUT), () => {
			if (this.state === 'connected' && !this.isSilent) return;
			this.#failures++;
			void this.context.checkSocket().then((alive) => {
				if (alive) void this.open();
			});
		});
	}

	#follow(pc: RTCPeerConnection): void {
		if (pc.connectionState === 'connected') {
			clearTimeout(this.#timer);
			this.#failures = 0;
			this.#hasRestarted = false;
		} else if (pc.connectionState === 'failed' || (pc.connectionState === 'disconnected' && !this.#hasRestarted)) {
			// After a socket that is dead, it is checked with the next one.
			void this.context.checkSocket().then((lives) => {
				if (lives) void this.check();
			});
		}
		this.context.changed();
	}

	/** Chromium takes 6 s to notice that the network is gone. Where it works, media or reports about media arrive all the time. */
	async #listen(pc: RTCPeerConnection): Promise<void> {
		if (pc.connectionState !== 'connected') return;
		let bytes = 0;
		for (const report of (await pc.getStats()).values() as Iterable<{ type: string; bytesReceived?: number }>) {
			if (report.type === 'candidate-pair') bytes += report.bytesReceived ?? 0;
		}
		if (pc !== this.pc) return;
		this.#silent = bytes > this.#bytes ? 0 : this.#silent + 1;
		this.#bytes = bytes;
		if (this.#silent === 0 && !this.#isRestarting) this.#hasRestarted = false;
		// The socket tells whether the network is gone, or only nobody sends.
		if (this.#silent === SILENT) void this.context.checkSocket();
	}

	#fail(error: RoomError): void {
		// It is checked when the socket is back.
		if (error.status === 0) return;
		this.close();
		// The server has no room for it now, or this connection is over: another one can succeed.
		if (isPassing(error) || error.status === errorCodes.conflict || error.status === errorCodes.not_found) {
			this.#after(backOff(this.#failures++, FIRST_RETRY, LONGEST_RETRY), () => void this.open());
		} else {
			this.context.failed(error);
		}
		this.context.changed();
	}

	#after(delay: number, action: () => void): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(action, delay);
	}
}
