import { Emitter } from '../Emitter.js';
import type { CodecPolicy } from '../media/codecs.js';
import { RoomMedia } from '../media/RoomMedia.js';
import type { WorkerPool } from '../media/WorkerPool.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { bitrate, checkLength, codecNames, nonEmpty, strict, validator } from '../schemas.js';
import { checkMessage, type DataPusher, type DataPusherCloseReason } from '../tracks/DataPusher.js';
import { LayerController } from '../layers/LayerController.js';
import type { ResolvedOptions } from '../options.js';
import type { PauseCause } from '../tracks/Pauses.js';
import type { Pusher, PusherCloseReason } from '../tracks/Pusher.js';
import { QualityMonitor } from '../stats/QualityMonitor.js';
import { Quota } from './Quota.js';
import { Speakers, type AudioLevel, type Speaker } from './Speakers.js';
import { User } from './User.js';
import type { UserCloseReason } from './UserEvents.js';

/** Why a room has closed. */
export type RoomCloseReason =
	/** {@link Room.close} without a reason. */
	| 'closed'
	/** Nobody was in it for `emptyRoomTimeout`. */
	| 'empty'
	/** The Sfu has been closed. */
	| 'sfuClosed'
	| (string & {});

export interface JoinOptions {
	/** Unique in the room. */
	userId: string;
	/** For people to read. Default: the user id. */
	userName?: string;
	/** The app's own, never looked into. */
	metadata?: unknown;
	/**
	 * The codecs that its pushers may send, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Others than
	 * the room has are passed over; a kind of which none is named stays as the room has it.
	 */
	codecs?: readonly string[];
	/** In place of `webRtc.maxIncomingBitrate`, for each of its RTCPeerConnections. */
	maxIncomingBitrate?: number;
	/** In place of `webRtc.maxOutgoingBitrate`, for each of its RTCPeerConnections. */
	maxOutgoingBitrate?: number;
}

export interface RoomOptions {
	/**
	 * The codecs that pushers may send, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Others than the
	 * Sfu has are passed over; a kind of which none is named stays as the Sfu has it. Default: all of the Sfu's, in the
	 * order of the offer.
	 */
	codecs?: readonly string[];
}

export type RoomEvents = {
	userJoined: (event: { user: User }) => void;
	/** With everything of the user's closed already. */
	userLeft: (event: { user: User; reason: UserCloseReason }) => void;
	/** A push was accepted; once for all pushers of one offer, after `pusherAdded` for each. */
	pushed: (event: { user: User; pushers: readonly Pusher[] }) => void;
	pusherAdded: (event: { user: User; pusher: Pusher }) => void;
	/** It sends nothing any more, because the client or the app has paused it. */
	pusherPaused: (event: { user: User; pusher: Pusher; cause: PauseCause }) => void;
	pusherResumed: (event: { user: User; pusher: Pusher; cause: PauseCause }) => void;
	/** Its source or its metadata has. */
	pusherChanged: (event: { user: User; pusher: Pusher }) => void;
	/** Also for each pusher of a user who leaves (`userLeft`), before `userLeft`. */
	pusherClosed: (event: { user: User; pusher: Pusher; reason: PusherCloseReason }) => void;
	/** A user has opened a data channel, or announced one. */
	dataPusherAdded: (event: { user: User; dataPusher: DataPusher }) => void;
	/** Its source or its metadata has. */
	dataPusherChanged: (event: { user: User; dataPusher: DataPusher }) => void;
	/** What is sent on it reaches nobody any more, because the client or the app has paused it. */
	dataPusherPaused: (event: { user: User; dataPusher: DataPusher; cause: PauseCause }) => void;
	dataPusherResumed: (event: { user: User; dataPusher: DataPusher; cause: PauseCause }) => void;
	/** As `pusherClosed`. */
	dataPusherClosed: (event: { user: User; dataPusher: DataPusher; reason: DataPusherCloseReason }) => void;
	/** Somebody else speaks now; nobody, when both are `undefined`. With `audioObservers` alone. */
	activeSpeakerChanged: (event: { user: User | undefined; pusher: Pusher | undefined }) => void;
	/**
	 * How loud those are that are above `audioObservers.threshold`, every `audioObservers.interval`, the loudest first; with
	 * none of them once when nobody is any more. With `audioObservers` alone.
	 */
	audioLevels: (event: { levels: readonly AudioLevel[] }) => void;
	/** Emitted once, last. */
	closed: (event: { reason: RoomCloseReason }) => void;
};

const checkJoin = validator<JoinOptions>(
	{
		type: 'object',
		properties: {
			userId: nonEmpty,
			userName: { type: 'string' },
			codecs: codecNames,
			maxIncomingBitrate: bitrate,
			maxOutgoingBitrate: bitrate,
		},
		required: ['userId'],
	},
	'options',
);

/** To whom to send. */
export interface SendDataOptions {
	/** Default: all users of the room. */
	userIds?: readonly string[];
	/** Only on data channels with this label. Default: on all. */
	label?: string;
}

const checkSendData = validator<SendDataOptions>(
	strict({ userIds: { type: 'array', items: { type: 'string' } }, label: { type: 'string' } }),
	'to',
);

/** Users who see and hear each other. */
export class Room extends Emitter<RoomEvents> {
	readonly roomId: string;
	readonly #options: ResolvedOptions;
	readonly #fabric: RoomMedia;
	readonly #codecs: CodecPolicy;
	readonly #layerController: LayerController;
	readonly #speakers = new Speakers({
		activeChanged: (active) => {
			this.emit('activeSpeakerChanged', { user: active?.user, pusher: active?.pusher });
		},
		levels: (levels) => {
			if (!this.#closed) this.emit('audioLevels', { levels });
		},
	});
	readonly #users = new Map<string, User>();
	readonly #quality: QualityMonitor;
	readonly #userQuota: Quota;
	#emptyTimer: NodeJS.Timeout | undefined;
	#closed = false;

	/** @internal */
	constructor(roomId: string, pool: WorkerPool, codecs: CodecPolicy, options: ResolvedOptions) {
		super(options.logger);
		this.roomId = roomId;
		this.#options = options;
		const { audioObservers: settings, logger } = options;
		this.#fabric = new RoomMedia(pool, logger, settings && { settings, listener: this.#speakers });
		this.#codecs = codecs;
		this.#layerController = new LayerController(options.webRtc.initialOutgoingBitrate, options.logger);
		this.#quality = new QualityMonitor(options.qualityInterval);
		this.#userQuota = new Quota(options.limits.usersPerRoom, 'users in one room');
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** The members, by user id, in the order of joining. */
	get users(): ReadonlyMap<string, User> {
		return this.#users;
	}

	/** Who speaks at the moment, with `audioObservers`. */
	get activeSpeaker(): Readonly<Speaker> | undefined {
		return this.#speakers.active;
	}

	/** Closes it for everybody, and releases all its media. */
	close(reason: RoomCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		clearTimeout(this.#emptyTimer);
		for (const user of this.#users.values()) user.close('roomClosed');
		this.#fabric.close();
		this.emit('closed', { reason });
	}

	/** @internal Makes sure that a worker carries the room, and starts to wait for somebody. */
	async open(): Promise<void> {
		await this.#fabric.open();
		this.#closeWhenEmpty();
	}

	/**
	 * Adds a user.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `unsupported` when its codecs leave nothing of the room's,
	 *   `conflict` when the user id is in the room already, `limit_exceeded`, `closed`
	 */
	join(options: JoinOptions): Promise<User> {
		return new Promise((resolve) => {
			resolve(this.#join(options));
		});
	}

	/**
	 * Sends the app's own message to users, on each data channel that they have opened themselves and that `to` picks.
	 * Who reads too slowly, or closes meanwhile, is passed over.
	 *
	 * @param message - a string, or bytes
	 * @returns the number of data channels that take it
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `not_found` when a user is not in the room, `closed`
	 */
	async sendData(message: string | Uint8Array, to: SendDataOptions = {}): Promise<number> {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
		const { userIds, label } = checkSendData(to);
		checkMessage(message, this.#options.limits.dataMessageBytes);
		const users = userIds ? [...new Set(userIds)].map((userId) => this.#findUser(userId)) : [...this.#users.values()];
		const channels = users
			.flatMap(({ dataPushers }) => [...dataPushers.values()])
			.filter((channel) => label === undefined || channel.label === label);
		const sent = await Promise.allSettled(channels.map((channel) => channel.send(message)));
		return sent.filter(({ status }) => status === 'fulfilled').length;
	}

	#join(options: JoinOptions): User {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
		const { userId, userName = userId, metadata, codecs, ...bitrates } = checkJoin(options);
		const { webRtc, limits } = this.#options;
		const { maxIncomingBitrate = webRtc.maxIncomingBitrate, maxOutgoingBitrate = webRtc.maxOutgoingBitrate } = bitrates;
		const { idLength } = limits;
		checkLength(userId, 'options.userId', idLength);
		checkLength(userName, 'options.userName', idLength);
		if (this.#users.has(userId)) throw new SfuError('conflict', `user ${quoted(userId)} is in the room already`);
		const policy = codecs ? this.#codecs.narrow(codecs) : this.#codecs;
		const giveBack = this.#userQuota.take();
		const user = new User(
			{ userId, userName, metadata },
			{
				fabric: this.#fabric,
				codecs: policy,
				layerController: this.#layerController,
				quality: this.#quality,
				options: { ...this.#options, webRtc: { ...webRtc, maxIncomingBitrate, maxOutgoingBitrate } },
				findUser: (id) => this.#findUser(id),
				othersThan: (self) => this.#others(self),
				logger: this.#options.logger,
			},
		);
		clearTimeout(this.#emptyTimer);
		this.#users.set(userId, user);
		user.on('pushed', ({ pushers }) => {
			for (const pusher of pushers) this.#speakers.add(user, pusher);
			for (const pusher of pushers) this.emit('pusherAdded', { user, pusher });
			this.emit('pushed', { user, pushers });
			for (const other of this.#others(user)) other.othersPush({ pushers: pushers.filter(({ closed }) => !closed) });
		});
		user.on('pusherPaused', ({ pusher, cause }) => {
			this.emit('pusherPaused', { user, pusher, cause });
		});
		user.on('pusherResumed', ({ pusher, cause }) => {
			this.emit('pusherResumed', { user, pusher, cause });
		});
		user.on('pusherChanged', ({ pusher }) => {
			this.emit('pusherChanged', { user, pusher });
		});
		user.on('pusherClosed', ({ pusher, reason }) => {
			this.emit('pusherClosed', { user, pusher, reason });
		});
		user.on('dataPusherAdded', ({ dataPusher }) => {
			this.emit('dataPusherAdded', { user, dataPusher });
			if (dataPusher.closed) return;
			for (const other of this.#others(user)) other.othersPush({ dataPushers: [dataPusher] });
		});
		user.on('dataPusherPaused', ({ dataPusher, cause }) => {
			this.emit('dataPusherPaused', { user, dataPusher, cause });
		});
		user.on('dataPusherResumed', ({ dataPusher, cause }) => {
			this.emit('dataPusherResumed', { user, dataPusher, cause });
		});
		user.on('dataPusherChanged', ({ dataPusher }) => {
			this.emit('dataPusherChanged', { user, dataPusher });
		});
		user.on('dataPusherClosed', ({ dataPusher, reason }) => {
			this.emit('dataPusherClosed', { user, dataPusher, reason });
		});
		user.once('closed', ({ reason }) => {
			this.#users.delete(userId);
			giveBack();
			this.emit('userLeft', { user, reason });
			this.#closeWhenEmpty();
		});
		this.emit('userJoined', { user });
		return user;
	}

	#others(user: User): User[] {
		return [...this.#users.values()].filter((other) => other !== user);
	}

	#findUser(userId: string): User {
		const user = this.#users.get(userId);
		if (!user) throw new SfuError('not_found', `no user ${quoted(userId)} in the room`);
		return user;
	}

	#closeWhenEmpty(): void {
		clearTimeout(this.#emptyTimer);
		if (this.#closed || this.#users.size > 0) return;
		this.#emptyTimer = setTimeout(() => {
			this.close('empty');
		}, this.#options.emptyRoomTimeout);
	}
}
