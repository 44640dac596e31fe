import { errorCodes, type OwnConnectionData, type PermissionsData, type PushSuccess } from '../protocol/index.js';
import { Link } from './Link.js';
import type { LocalChannel } from './LocalChannel.js';
import type { LocalTrack } from './LocalTrack.js';
import { wait } from './retry.js';
import { isPassing, RoomError, toRoomError } from './RoomError.js';

/** For so long packets are counted, to find out whether a track is sent, in ms. */
const SENDING = 500;
/** An ICE restart has so long to help, in ms. */
const PATIENCE = 6000;

/** Pushes tracks and data channels on one RTCPeerConnection, for which this client makes the offers. */
export class Uplink extends Link {
	/** By source. */
	readonly locals = new Map<string, LocalTrack>();
	readonly channels = new Set<LocalChannel>();
	#queue: Promise<void> = Promise.resolve();
	#scheduled: Promise<void> | undefined;
	/** How many new tracks the next offer may have: one, after the server has refused several. */
	#batch = Infinity;
	#isReady = false;
	/** Whether there is something to offer that no answer has come to. */
	#isChanged = false;

	/** Publishes a track. Resolves when the server has it, maybe after a reconnection. */
	add(local: LocalTrack): Promise<void> {
		this.locals.set(local.source, local);
		const published = new Promise<void>((resolve, reject) => {
			local.settle = { resolve, reject };
		});
		void this.negotiateSoon();
		return published;
	}

	/** Takes a track off the connection. */
	async remove(local: LocalTrack, pusherId: string | undefined): Promise<void> {
		if (this.locals.get(local.source) === local) this.locals.delete(local.source);
		local.settle?.reject(new RoomError('push', errorCodes.closed, 'stopped'));
		const { pc } = this;
		const { transceiver } = local;
		if (!pc || !transceiver) return;
		local.detach();
		if (transceiver === pc.getTransceivers()[0]) {
			// Browsers drop their transport with the first m-line.
			transceiver.direction = 'inactive';
			await transceiver.sender.replaceTrack(null);
			if (pusherId) await this.#unpush([pusherId]);
		} else {
			transceiver.stop();
		}
		await this.negotiateSoon();
	}

	/** Offers once for all that changes at the moment. */
	negotiateSoon(): Promise<void> {
		this.#isChanged = true;
		this.#scheduled ??= this.#queue = this.#queue.then(() => {
			this.#scheduled = undefined;
			return this.#negotiate();
		});
		return this.#scheduled;
	}

	override async open(): Promise<void> {
		this.#isReady = true;
		await super.open();
	}

	override close(): void {
		super.close();
		for (const local of this.locals.values()) local.detach();
		for (const channel of this.channels) channel.detach();
	}

	/** There is another socket, and the same user. */
	async resume(connections: readonly OwnConnectionData[], restart: boolean): Promise<void> {
		const known = connections.find(({ connectionId }) => connectionId === this.connectionId);
		const ids = known?.pushers.map(({ pusherId }) => pusherId) ?? [];
		const isKnown = ({ pusherId }: LocalTrack) => !pusherId || ids.includes(pusherId);
		if (this.connectionId && !(known && [...this.locals.values()].every(isKnown))) {
			await this.open();
			return;
		}
		for (const { pusherId, encodings = [] } of known?.pushers ?? []) this.localOf(pusherId)?.setWanted(encodings);
		for (const local of this.locals.values()) local.resume();
		// The answer to an offer went to a socket that is lost, or something was added meanwhile.
		if (this.#isChanged) await this.negotiateSoon();
		await this.#unpush(ids.filter((id) => !this.localOf(id)));
		await this.check(restart);
	}

	/** Gives up what the user may no longer push. The server has closed it already. */
	permit(push: PermissionsData['push']): void {
		for (const local of [...this.locals.values()]) {
			const { kind, source } = local;
			const { kinds = [kind], sources = [source] } = push === true ? {} : push || { kinds: [] };
			if (kinds.includes(kind) && sources.includes(source)) continue;
			this.#drop(local, new RoomError('push', errorCodes.forbidden, `not permitted: ${source}`));
		}
	}

	/** Closes it for good, and lets go of all tracks. */
	end(): void {
		this.#isReady = false;
		this.close();
		for (const local of this.locals.values()) {
			local.settle?.reject(new RoomError('push', 0, 'closed'));
			local.end();
		}
		this.locals.clear();
		this.channels.clear();
	}

	localOf(pusherId: string): LocalTrack | undefined {
		return [...this.locals.values()].find((local) => local.pusherId === pusherId);
	}

	/**
	 * The server gets nothing of these. Either the network loses them, or there is nothing to send: a camera may give no pictures.
	 * The browser takes longer to notice that the way to the server is closed, and may never do so.
	 */
	async setStalled(pusherIds: readonly string[]): Promise<void> {
		const stalled = pusherIds.flatMap((pusherId) => this.localOf(pusherId) ?? []);
		for (const local of stalled) local.isStalled = true;
		if (!(await this.#sendsInVain(stalled))) return;
		await this.restart();
		await wait(PATIENCE);
		if (await this.#sendsInVain(stalled)) await this.open();
	}

	/** The server gets these again. */
	setRecovered(pusherIds: readonly string[]): void {
		for (const local of this.locals.values()) if (pusherIds.includes(local.pusherId ?? '')) local.isStalled = false;
	}

	protected override get isNeeded(): boolean {
		return this.locals.size + this.channels.size > 0;
	}

	protected override async begin(): Promise<void> {
		this.expectConnected();
		await this.negotiateSoon();
	}

	protected override async restartIce(pc: RTCPeerConnection): Promise<void> {
		pc.restartIce();
		await this.negotiateSoon();
	}

	async #negotiate(): Promise<void> {
		const { pc } = this;
		if (!pc) {
			if (this.#isReady && this.isNeeded) void this.open();
			return;
		}
		await this.attempt(pc, async () => {
			const fresh = [...this.locals.values()].filter(({ pusherId }) => !pusherId).slice(0, this.#batch);
			for (const local of fresh) if (!local.transceiver) local.addTo(pc);
			for (const channel of this.channels) channel.openOn(pc);
			this.#isChanged = false;
			await pc.setLocalDescription();
			try {
				await this.#offer(pc, fresh);
			} catch (error) {
				this.#isChanged = true;
				await this.#refused(pc, fresh, toRoomError(error, 'push'));
			}
		});
	}

	async #offer(pc: RTCPeerConnection, fresh: readonly LocalTrack[]): Promise<void> {
		const { connectionId, connectionBefore } = this;
		const success = await this.context.request('push', {
			sdp: pc.localDescription as RTCSessionDescriptionInit & { type: 'offer'; sdp: string },
			media: fresh.flatMap((local) => local.describe() ?? []),
			connectionId,
			replaces: connectionId ? undefined : connectionBefore,
		});
		if (pc !== this.pc) return;
		this.connectionId = success.connectionId;
		this.connectionBefore = undefined;
		await pc.setRemoteDescription({ type: 'answer', sdp: success.sdp });
		this.#adopt(success, fresh);
		if (this.#batch === 1 && [...this.locals.values()].some(({ transceiver }) => !transceiver)) {
			void this.negotiateSoon();
		} else {
			this.#batch = Infinity;
		}
	}

	#adopt({ pushers, rejected = [] }: PushSuccess, fresh: readonly LocalTrack[]): void {
		const orphans: string[] = [];
		for (const pusher of pushers) {
			const local = [...this.locals.values()].find(({ transceiver }) => transceiver?.mid === pusher.mid);
			if (local) local.setPushed(pusher);
			else orphans.push(pusher.pusherId);
		}
		// These were stopped before the server had named them.
		void this.#unpush(orphans);
		for (const local of fresh) {
			const refusal = rejected.find(({ mid }) => mid === local.transceiver?.mid);
			if (!local.pusherId && refusal) {
				this.#drop(local, new RoomError('push', errorCodes.unsupported, refusal.reason));
			}
		}
	}

	/** The server has refused an offer. What it says of tracks that are new is told to whoever publishes them. */
	async #refused(pc: RTCPeerConnection, fresh: readonly LocalTrack[], error: RoomError): Promise<void> {
		const { status } = error;
		const isGone = status === errorCodes.not_found || status === errorCodes.conflict;
		// What the server had before it may have again in a moment.
		const mayPass = isPassing(error) && (status !== errorCodes.limit_exceeded || fresh.some((one) => one.wasPublished));
		if (fresh.length === 0 || isGone || mayPass || pc !== this.pc) throw error;
		if (this.connectionId) {
			await pc.setLocalDescription({ type: 'rollback' });
			for (const { transceiver } of fresh) transceiver?.stop();
		}
		for (const local of fresh) local.detach();
		// One of them may be refused, and the others taken.
		if (fresh.length > 1) this.#batch = 1;
		else for (const local of fresh) this.#drop(local, error);
		if (this.connectionId) void this.negotiateSoon();
		else void this.open();
	}

	#drop(local: LocalTrack, error: RoomError): void {
		const { settle } = local;
		local.settle = undefined;
		if (settle) settle.reject(error);
		else this.context.failed(error);
		void local.stop();
	}

	async #sendsInVain(stalled: readonly LocalTrack[]): Promise<boolean> {
		const before = await packetsSent(stalled);
		await wait(SENDING);
		const isStalled = stalled.some((local) => local.isStalled);
		return isStalled && this.pc?.connectionState === 'connected' && (await packetsSent(stalled)) > before;
	}

	async #unpush(pusherIds: string[]): Promise<void> {
		// What has closed already is not found.
		if (pusherIds.length > 0) await this.context.request('unpush', { pusherIds }).catch(() => undefined);
	}
}

async function packetsSent(locals: readonly LocalTrack[]): Promise<number> {
	let packets = 0;
	for (const { transceiver } of locals) {
		const reports = await transceiver?.sender.getStats();
		reports?.forEach(({ packetsSent: sent = 0 }: { packetsSent?: number }) => (packets += sent));
	}
	return packets;
}
