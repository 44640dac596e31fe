import {
	errorCodes,
	type DataPullerData,
	type OfferData,
	type OfferResponse,
	type OwnConnectionData,
} from '../protocol/index.js';
import { Link, type LinkContext } from './Link.js';
import { RoomError, toRoomError } from './RoomError.js';

/** Something that is received. */
export interface Pulled {
	readonly pullerId: string;
	readonly pusherId: string;
	readonly track: MediaStreamTrack;
}

/** What the client wants to receive: of whom, which pushers. */
export interface Wanted {
	targetUserId: string;
	specs: { type: 'audio' | 'video' | 'data'; pusher_id: string }[];
}

/** What a downlink needs of the call. */
export interface DownlinkContext extends LinkContext {
	/** What comes by itself: everything, so many videos, or nothing. */
	readonly autoPull: true | { videos: number } | undefined;
	/** What is to be asked for by name. */
	wanted(): Wanted[];
	/** What is received has changed. `isComplete`: what is not there will not come over this connection by itself. */
	pulled(pulled: ReadonlyMap<string, Pulled>, isComplete: boolean): void;
	/** Something has come on a data channel. */
	received(pusherId: string, data: string | ArrayBuffer): void;
}

/** The connection before gives its pictures for so long after the next one has connected, in ms. */
const HANDOVER = 3000;
const MOST_EARLY = 100;

/** Receives on one RTCPeerConnection, for which the server makes the offers. */
export class Downlink extends Link {
	/** By pusher id. */
	#pulled = new Map<string, Pulled>();
	/** The pusher ids, by the id of the RTCDataChannel. */
	readonly #channels = new Map<number, string>();
	#queue: Promise<unknown> = Promise.resolve();
	#pulls: Promise<unknown> = Promise.resolve();
	/** Messages on channels that the server has not told of yet, by their ids. */
	readonly #early = new Map<number, (string | ArrayBuffer)[]>();
	/** What gives pictures until the new connection does. */
	#previous: RTCPeerConnection | undefined;
	#handover: ReturnType<typeof setTimeout> | undefined;
	readonly #down: DownlinkContext;

	constructor(context: DownlinkContext) {
		super(context);
		this.#down = context;
	}

	/** Answers the server's request `offer`, after an earlier one. */
	answer(offer: OfferData): Promise<OfferResponse> {
		return this.#inTurn(() => this.#answer(offer));
	}

	/**
	 * Asks for what is wanted and not there.
	 *
	 * @throws {@link RoomError} if the server refuses any of it
	 */
	async pull(): Promise<void> {
		// It pulls as soon as it is open.
		if (!this.pc) await this.open();
		if (!this.pc) return;
		const pulling = this.#pulls.then(() => this.#pull());
		this.#pulls = pulling.catch(() => undefined);
		await pulling;
	}

	/** Asks for this no more. */
	async unpull(pusherId: string): Promise<void> {
		const { pullerId } = this.#pulled.get(pusherId) ?? {};
		if (pullerId) await this.context.request('unpull', { pullerIds: [pullerId] });
	}

	/** Whether a track or a data channel is received. */
	has(pusherId: string): boolean {
		return this.#pulled.has(pusherId) || [...this.#channels.values()].includes(pusherId);
	}

	removePuller(pullerId: string): void {
		for (const [pusherId, pulled] of this.#pulled) if (pulled.pullerId === pullerId) this.#pulled.delete(pusherId);
		this.#tell();
	}

	addChannels(pullers: readonly DataPullerData[] = []): void {
		for (const { id, pusherId } of pullers) {
			this.#channels.set(id, pusherId);
			for (const data of this.#early.get(id) ?? []) this.#down.received(pusherId, data);
			this.#early.delete(id);
		}
	}

	/** There is another socket, and the same user. */
	async resume(connections: readonly OwnConnectionData[], restart: boolean): Promise<void> {
		const isKnown = connections.some(({ connectionId }) => connectionId === this.connectionId);
		// What was asked for may not have come through.
		if (!isKnown) await this.open();
		else await this.check(restart);
	}

	override async open(): Promise<void> {
		const connectionId = this.connectionId ?? this.connectionBefore;
		// Otherwise the next pull would go over the same connection, which ends at another RTCPeerConnection.
		if (connectionId) void this.context.request('closeConnection', { connectionId }).catch(() => undefined);
		this.close();
		this.connectionBefore = undefined;
		await super.open();
	}

	override close(): void {
		super.close();
		this.#channels.clear();
		this.#early.clear();
		this.#pulled = new Map();
	}

	/** Closes it for good. */
	end(): void {
		this.close();
		this.#releasePrevious();
	}

	protected override get isNeeded(): boolean {
		return this.#down.autoPull !== undefined || this.#down.wanted().length > 0;
	}

	protected override async begin(pc: RTCPeerConnection): Promise<void> {
		pc.ondatachannel = ({ channel }) => {
			channel.binaryType = 'arraybuffer';
			channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
				this.#receive(channel.id ?? 0, data);
			};
		};
		const { autoPull } = this.#down;
		if (autoPull) this.connectionId = (await this.context.request('pull', { autoPull })).connectionId;
		else this.#pullSoon();
	}

	/** An offer with new ICE credentials follows. */
	protected override async restartIce(): Promise<void> {
		const { connectionId } = this;
		if (connectionId) await this.context.request('restartIce', { connectionId });
	}

	protected override release(pc: RTCPeerConnection): void {
		this.#releasePrevious();
		if (this.#pulled.size > 0) this.#previous = pc;
		else pc.close();
	}

	#releasePrevious(): void {
		clearTimeout(this.#handover);
		this.#previous?.close();
		this.#previous = undefined;
	}

	#receive(id: number, data: string | ArrayBuffer): void {
		const pusherId = this.#channels.get(id);
		if (pusherId) {
			this.#down.received(pusherId, data);
			return;
		}
		const early = this.#early.get(id) ?? [];
		this.#early.set(id, early);
		if (early.length < MOST_EARLY) early.push(data);
	}

	#pullSoon(): void {
		this.pull().catch((error: unknown) => {
			this.context.failed(toRoomError(error, 'pull'));
		});
	}

	#tell(): void {
		this.#down.pulled(this.#pulled, this.#previous === undefined);
	}

	/** Each of these brings an offer in its response. */
	async #pull(): Promise<void> {
		let refused: RoomError | undefined;
		for (const wanted of this.#down.wanted()) {
			try {
				const offered = await this.context.request('pull', wanted);
				await this.#inTurn(async () => {
					const { sdp } = await this.#answer(offered);
					await this.context.request('answer', { connectionId: offered.connectionId, sdp });
				});
			} catch (error) {
				refused ??= toRoomError(error, 'pull');
			}
		}
		// Without a socket, the next one asks again.
		if (refused && refused.status !== 0) throw refused;
	}

	#inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
		const done = this.#queue.then(step);
		this.#queue = done.catch(() => undefined);
		return done;
	}

	async #answer({ connectionId, sdp, pullers, dataPullers }: OfferData): Promise<OfferResponse> {
		const { pc } = this;
		const gone = new RoomError('offer', errorCodes.not_found, 'no such connection');
		if (!pc || connectionId !== (this.connectionId ??= connectionId)) throw gone;
		this.addChannels(dataPullers);
		await pc.setRemoteDescription(sdp);
		await pc.setLocalDescription();
		if (pc.connectionState === 'new') this.#expectFirst(pc);
		const receivers = new Map(pc.getTransceivers().map(({ mid, receiver }) => [mid, receiver]));
		if (pc !== this.pc) throw gone;
		this.#pulled = new Map();
		for (const { pullerId, pusherId, mid } of pullers) {
			const track = mid === undefined ? undefined : receivers.get(mid)?.track;
			if (track) this.#pulled.set(pusherId, { pullerId, pusherId, track });
		}
		this.#tell();
		return { sdp: pc.localDescription as RTCSessionDescription & { type: 'answer' } };
	}

	#expectFirst(pc: RTCPeerConnection): void {
		this.expectConnected();
		// What was asked for by name beside what comes by itself.
		if (this.#down.autoPull) this.#pullSoon();
		if (!this.#previous) return;
		pc.addEventListener('connectionstatechange', () => {
			if (pc.connectionState !== 'connected' || pc !== this.pc) return;
			clearTimeout(this.#handover);
			this.#handover = setTimeout(() => {
				this.#releasePrevious();
				this.#tell();
			}, HANDOVER);
		});
	}
}
