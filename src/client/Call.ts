import { errorCodes, type ClientRequests, type PermissionsData } from '../protocol/index.js';
import type { CallEvents, ConnectionState } from './CallEvents.js';
import { cameraConstraints, capture, captureAnother } from './capture.js';
import { Emitter } from './Emitter.js';
import type { MediaState } from './Link.js';
import { LocalChannel, type ChannelOptions } from './LocalChannel.js';
import { LocalTrack, type PublishOptions } from './LocalTrack.js';
import type { ConnectOptions } from './options.js';
import type { RemoteTrack } from './RemoteTrack.js';
import type { RemoteUser } from './RemoteUser.js';
import { RoomError, toRoomError } from './RoomError.js';
import { Session } from './Session.js';

/** Something of each of the two RTCPeerConnections. */
export interface Directions<Value> {
	/** Of the one that sends. */
	send: Value;
	/** Of the one that receives. */
	receive: Value;
}

/**
 * One user's stay in one room. It joins, publishes, receives, and comes back after a lost socket, a change of network, a lost media
 * connection, a dead media worker, or another server. Tracks and users are the same objects all the while.
 *
 * @example
 * ```ts
 * const call = await Call.connect({ url: 'wss://example.com/rooms', roomId: 'studio', userId: 'alice' });
 * call.on('trackReady', (track) => track.attach(elementOf(track)));
 * const microphone = await call.publishMicrophone();
 * await microphone.mute();
 * ```
 */
export class Call extends Emitter<CallEvents> {
	/** The room. */
	readonly roomId: string;
	/** This user. */
	readonly userId: string;
	/** The name of this user. */
	readonly userName: string;
	/** What the others see of this user beside its name. */
	readonly metadata: unknown;
	/** Whether there is a connection to the server. */
	readonly state: ConnectionState = 'connecting';
	/** Who speaks. The server needs `audioObservers`. */
	readonly speaker: RemoteUser | 'me' | null = null;
	/** What this user may do, once the app has changed it. */
	readonly permissions: PermissionsData | undefined;
	/** Another number after each `change`: the snapshot for React's `useSyncExternalStore`. */
	readonly version: number = 0;
	readonly #session: Session;
	#isTelling = false;

	/**
	 * Joins a room. There is one attempt; once joined, the call comes back by itself whenever it is lost.
	 *
	 * @throws {@link RoomError} `forbidden`, `conflict` if the user is there already, `closed` if the server cannot be reached, and
	 *   others
	 */
	static async connect(options: ConnectOptions): Promise<Call> {
		const call = new Call(options);
		const { signal } = options;
		const abort = () => {
			call.leave();
		};
		signal?.addEventListener('abort', abort);
		try {
			if (signal?.aborted) abort();
			await call.#session.signaling.connect();
			return call;
		} catch (error) {
			abort();
			throw toRoomError(error, 'join');
		} finally {
			signal?.removeEventListener('abort', abort);
		}
	}

	private constructor(options: ConnectOptions) {
		super();
		this.roomId = options.roomId;
		this.userId = options.userId;
		this.userName = options.userName ?? options.userId;
		this.metadata = options.metadata;
		this.#session = new Session(options, this);
	}

	/** The RTCPeerConnections. */
	get media(): Directions<MediaState> {
		return { send: this.#session.uplink.state, receive: this.#session.downlink.state };
	}

	/** The others, by their ids. */
	get users(): ReadonlyMap<string, RemoteUser> {
		return this.#session.roster.users;
	}

	/** All tracks of all others. */
	get tracks(): RemoteTrack[] {
		return this.#session.roster.tracks();
	}

	/** What this user publishes, by source. */
	get local(): ReadonlyMap<string, LocalTrack> {
		return this.#session.uplink.locals;
	}

	/**
	 * Publishes a track. Resolves when the server has it; without a connection, when there is one again. Tracks that are published at
	 * the same moment share an offer. A track that is not `enabled` begins muted.
	 *
	 * @throws {@link RoomError} `conflict` if there is a track with this source; `forbidden`, `unsupported`, `limit_exceeded`
	 */
	async publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<LocalTrack> {
		return this.#publish(track, options, false);
	}

	/** Captures a camera and publishes it. When it is unplugged, another one takes over. Throws as `getUserMedia()` and `publish()`. */
	publishCamera(constraints = cameraConstraints, options: PublishOptions = {}): Promise<LocalTrack> {
		return this.#publishCaptured('video', constraints, { source: 'camera', ...options });
	}

	/** Captures a microphone and publishes it. When it is unplugged, another one takes over. Throws as `publishCamera()`. */
	publishMicrophone(constraints: MediaTrackConstraints = {}, options: PublishOptions = {}): Promise<LocalTrack> {
		return this.#publishCaptured('audio', constraints, { source: 'microphone', ...options });
	}

	/**
	 * Asks for a screen, a window or a tab, and publishes it with its sound, if there is any. It stops by itself when the user ends
	 * it in the browser. Throws as `getDisplayMedia()` and `publish()`.
	 */
	async shareScreen(options?: DisplayMediaStreamOptions): Promise<LocalTrack[]> {
		const wanted = { video: { frameRate: { ideal: 15, max: 30 } }, audio: true, ...options };
		const tracks = (await navigator.mediaDevices.getDisplayMedia(wanted)).getTracks();
		const stop = () => {
			for (const local of [...this.local.values()]) if (tracks.includes(local.track)) void local.stop();
			for (const track of tracks) track.stop();
		};
		try {
			const published = tracks.map((track) => {
				const isVideo = track.kind === 'video';
				// Text has to be sharp; a few frames less do not matter.
				if (isVideo) track.contentHint ||= 'detail';
				track.addEventListener('ended', stop);
				return this.#publish(track, { source: isVideo ? 'screen' : 'screenAudio' }, true);
			});
			return await Promise.all(published);
		} catch (error) {
			stop();
			throw error;
		}
	}

	/** Opens a data channel, on which the others can receive. It is opened again after a reconnection. */
	openChannel(label: string, options: ChannelOptions = {}): LocalChannel {
		const channel = new LocalChannel(label, options, () => this.#session.uplink.channels.delete(channel));
		this.#session.uplink.channels.add(channel);
		void this.#session.uplink.negotiateSoon();
		return channel;
	}

	/** Writes to the others. Resolves when the server has it. Throws {@link RoomError}. */
	async send(message: string): Promise<void> {
		await this.#session.signaling.request('textMessage', { message, time: Date.now() });
	}

	/** Changes the name or the metadata of this user, which the others see. `null` removes the metadata. Throws {@link RoomError}. */
	async update(changes: { userName?: string; metadata?: unknown }): Promise<void> {
		await this.#session.signaling.request('updateUser', changes);
		this.#session.setOwn(changes);
	}

	/** Prefers the videos of a user, if not all are received (`subscribe: { videos }`). Throws {@link RoomError}. */
	async pin(user: RemoteUser): Promise<void> {
		await this.#session.signaling.request('pin', { targetUserId: user.userId });
	}

	/** Prefers them no more. Throws {@link RoomError}. */
	async unpin(user: RemoteUser): Promise<void> {
		await this.#session.signaling.request('unpin', { targetUserId: user.userId });
	}

	/** Tells the app on the server something of its own. Without a connection it is dropped. */
	sendAppMessage(name: string, data?: unknown): void {
		this.#session.signaling.notify('appMessage', { name, data });
	}

	/** Asks the app on the server something of its own. Throws {@link RoomError}. */
	async sendAppRequest(name: string, data?: unknown): Promise<unknown> {
		return (await this.#session.signaling.request('appRequest', { name, data })).data;
	}

	/** Answers what the app on the server asks under this name. A RoomError that the handler throws becomes the failure. */
	handleAppRequest(name: string, handler: (data: unknown) => unknown): () => void {
		const { answers } = this.#session;
		answers.set(name, handler);
		return () => answers.delete(name);
	}

	/** Sends a request of the protocol, for what this class has no method. Throws {@link RoomError}. */
	request(method: keyof ClientRequests, data: object = {}): Promise<unknown> {
		return this.#session.signaling.request(method, data as never);
	}

	/** The stats of the RTCPeerConnections, of those that there are. */
	async getStats(): Promise<Directions<RTCStatsReport | undefined>> {
		const [send, receive] = await Promise.all([this.#session.uplink.getStats(), this.#session.downlink.getStats()]);
		return { send, receive };
	}

	/** Leaves the room, and stops what the call has captured itself. */
	leave(): void {
		this.#session.end('left', '');
	}

	/** @internal */
	override emit<Event extends keyof CallEvents>(event: Event, payload: CallEvents[Event]): void {
		super.emit(event, payload);
		if (event !== 'change') this.changed();
	}

	async #publish(
		track: MediaStreamTrack,
		options: PublishOptions,
		isCaptured: boolean,
		recapture?: () => Promise<MediaStreamTrack>,
	): Promise<LocalTrack> {
		if (this.state === 'closed') throw new RoomError('push', 0, 'closed');
		const local = new LocalTrack(track, options, {
			request: this.#session.signaling.request,
			changed: (changed) => {
				this.emit('localChanged', changed);
			},
			remove: async (removed, pusherId) => {
				const done = this.#session.uplink.remove(removed, pusherId);
				this.emit('localChanged', removed);
				await done;
			},
			isCaptured,
			recapture,
		});
		if (this.local.has(local.source)) {
			throw new RoomError('push', errorCodes.conflict, `published already: ${local.source}`);
		}
		const published = this.#session.uplink.add(local);
		this.emit('localChanged', local);
		await published;
		return local;
	}

	async #publishCaptured(
		kind: 'audio' | 'video',
		constraints: MediaTrackConstraints,
		options: PublishOptions,
	): Promise<LocalTrack> {
		const track = await capture(kind, constraints);
		try {
			return await this.#publish(track, options, true, () => captureAnother(kind, constraints));
		} catch (error) {
			track.stop();
			throw error;
		}
	}

	/** @internal Tells once for all that changes at the moment. */
	changed(): void {
		Object.assign(this, { version: this.version + 1 });
		if (this.#isTelling) return;
		this.#isTelling = true;
		queueMicrotask(() => {
			this.#isTelling = false;
			this.emit('change', undefined);
		});
	}
}
