import { StreamIds } from '../connections/StreamIds.js';
import { Emitter } from '../Emitter.js';
import { withFields } from '../Logger.js';
import { LayerController } from '../layers/LayerController.js';
import type { CodecPolicy } from '../media/codecs.js';
import { RoomMedia } from '../media/RoomMedia.js';
import type { WorkerPool } from '../media/WorkerPool.js';
import type { ResolvedOptions } from '../options.js';
import { Quota } from '../Quota.js';
import { quoted } from '../quoted.js';
import { bitrate, checkLength, codecNames, nonEmpty, strict, validator } from '../schemas.js';
import { SfuError } from '../SfuError.js';
import { QualityMonitor } from '../stats/QualityMonitor.js';
import { checkMessage } from '../tracks/DataPusher.js';
import type { PauseCause } from '../tracks/Pauses.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import type { AnyPusher } from '../tracks/tracks.js';
import { Speakers, type AudioLevel, type Speaker } from './Speakers.js';
import { User } from './User.js';
import type { UserCloseReason } from './UserEvents.js';

/** Why a room has closed. */
export type RoomCloseReason =
	/** {@link Room.close} was called without a reason. */
	| 'closed'
	/** Nobody was in the room for `emptyRoomTimeout`. */
	| 'empty'
	/** The Sfu has been closed. */
	| 'sfuClosed'
	| (string & {});

/** How to add a user to a room. */
export interface JoinOptions {
	/** The id of the user. It must be unique in the room. */
	userId: string;
	/** The name of the user, for people to read. Default: the user id. */
	userName?: string;
	/** A value of the app's own. The library never looks into it. */
	metadata?: unknown;
	/**
	 * The codecs that the user's pushers may send, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Codecs
	 * that the room does not have are ignored. If the list has none of a kind, that kind stays as the room has it.
	 */
	codecs?: readonly string[];
	/** Replaces `webRtc.maxIncomingBitrate` for each connection of the user. In bit/s. */
	maxIncomingBitrate?: number;
	/** Replaces `webRtc.maxOutgoingBitrate` for each connection of the user. In bit/s. */
	maxOutgoingBitrate?: number;
}

/** How to open a room. */
export interface RoomOptions {
	/**
	 * The codecs that pushers may send, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Codecs that the
	 * Sfu does not have are ignored. If the list has none of a kind, that kind stays as the Sfu has it. Default: all codecs
	 * of the Sfu, in the order of the offer.
	 */
	codecs?: readonly string[];
}

/** The events of a room. */
export type RoomEvents = {
	/** A user has joined. */
	userJoined: (event: { user: User }) => void;
	/** A user has left. Its connections have closed already. */
	userLeft: (event: { user: User; reason: UserCloseReason }) => void;
	/** A push with tracks was accepted. It comes once, after `pusherAdded` for each track. */
	pushed: (event: { user: User; pushers: readonly Pusher[] }) => void;
	/** A user sends a new track, or has opened or announced a data channel. */
	pusherAdded: (event: { user: User; pusher: AnyPusher }) => void;
	/** A pusher sends nothing anymore, because the client or the app has paused it. */
	pusherPaused: (event: { user: User; pusher: AnyPusher; cause: PauseCause }) => void;
	/** A pusher sends again. */
	pusherResumed: (event: { user: User; pusher: AnyPusher; cause: PauseCause }) => void;
	/** The source or the metadata of a pusher has changed. */
	pusherChanged: (event: { user: User; pusher: AnyPusher }) => void;
	/** A pusher has closed. When a user leaves, it comes for each of its pushers (`userLeft`), before the event `userLeft`. */
	pusherClosed: (event: { user: User; pusher: AnyPusher; reason: PusherCloseReason }) => void;
	/** Another user speaks. Both are undefined if nobody speaks. Only with the option `audioObservers`. */
	activeSpeakerChanged: (event: { user: User | undefined; pusher: Pusher | undefined }) => void;
	/**
	 * The levels of all who are louder than `audioObservers.threshold`, every `audioObservers.interval`, the loudest first.
	 * When nobody is anymore, it comes once without levels. Only with the option `audioObservers`.
	 */
	audioLevels: (event: { levels: readonly AudioLevel[] }) => void;
	/** The room has closed. Emitted once, last. */
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

/** The receivers of a message. */
export interface SendDataOptions {
	/** The users to send to. Default: all users of the room. */
	userIds?: readonly string[];
	/** The label of the data channels to send on. Default: any. */
	label?: string;
}

const checkSendData = validator<SendDataOptions>(
	strict({ userIds: { type: 'array', items: { type: 'string' } }, label: { type: 'string' } }),
	'to',
);

/** A room: users who see and hear each other. */
export class Room extends Emitter<RoomEvents> {
	/** Its id. It is unique in the Sfu. */
	readonly roomId: string;
	readonly #options: ResolvedOptions;
	readonly #media: RoomMedia;
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
	readonly #streamIds = new StreamIds();
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
		this.#media = new RoomMedia(pool, logger, settings && { settings, listener: this.#speakers });
		this.#codecs = codecs;
		this.#layerController = new LayerController(options.webRtc.initialOutgoingBitrate, options.logger);
		this.#quality = new QualityMonitor(options.qualityInterval);
		this.#userQuota = new Quota(options.limits.usersPerRoom, 'users in one room');
	}

	/** Whether it has closed. */
	get closed(): boolean {
		return this.#closed;
	}

	/** Its users, by user id, in the order of joining. */
	get users(): ReadonlyMap<string, User> {
		return this.#users;
	}

	/** The user who speaks at the moment. Always undefined without the option `audioObservers`. */
	get activeSpeaker(): Readonly<Speaker> | undefined {
		return this.#speakers.active;
	}

	/**
	 * Makes all users leave, and frees the media.
	 *
	 * @param reason - default `closed`; the clients are told
	 */
	close(reason: RoomCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		clearTimeout(this.#emptyTimer);
		for (const user of this.#users.values()) user.close('roomClosed');
		this.#media.close();
		this.emit('closed', { reason });
	}

	/** @internal Makes sure that a worker carries the room, and starts to wait for somebody. */
	async open(): Promise<void> {
		await this.#media.open();
		this.#closeWhenEmpty();
	}

	/**
	 * Adds a user.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `unsupported` if the room has none of its codecs, `conflict` if
	 *   the user id is in the room already, `limit_exceeded`, `closed`
	 */
	join(options: JoinOptions): Promise<User> {
		return new Promise((resolve) => {
			resolve(this.#join(options));
		});
	}

	/**
	 * Sends a message of the app on data channels that the users have opened. A client that reads too slowly does not get it.
	 *
	 * @param message - a string or bytes
	 * @param to - the receivers; default: all data channels of all users
	 * @returns the number of data channels that the message was sent on
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `not_found` if a user is not in the room, `closed`
	 */
	async sendData(message: string | Uint8Array, to: SendDataOptions = {}): Promise<number> {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
		const { userIds, label } = checkSendData(to);
		checkMessage(message, this.#options.limits.dataMessageBytes);
		const users = userIds ? [...new Set(userIds)].map((userId) => this.#findUser(userId)) : [...this.#users.values()];
		const channels = users
			.flatMap(({ pushers }) => [...pushers.values()])
			.filter((pusher) => pusher.kind === 'data')
			.filter((pusher) => label === undefined || pusher.label === label);
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
				media: this.#media,
				codecs: policy,
				layerController: this.#layerController,
				streamIds: this.#streamIds,
				quality: this.#quality,
				options: { ...this.#options, webRtc: { ...webRtc, maxIncomingBitrate, maxOutgoingBitrate } },
				findUser: (id) => this.#findUser(id),
				othersThan: (self) => this.#others(self),
				logger: withFields(this.#options.logger, { roomId: this.roomId, userId }),
			},
		);
		clearTimeout(this.#emptyTimer);
		this.#users.set(userId, user);
		this.#follow(user);
		user.once('closed', ({ reason }) => {
			this.#users.delete(userId);
			giveBack();
			this.emit('userLeft', { user, reason });
			this.#closeWhenEmpty();
		});
		this.emit('userJoined', { user });
		return user;
	}

	/** Repeats the events of a user's pushers, and offers the pushers to the others. */
	#follow(user: User): void {
		user.on('pusherAdded', ({ pusher }) => {
			if (pusher.kind === 'audio') this.#speakers.add(user, pusher);
			this.emit('pusherAdded', { user, pusher });
			if (pusher.kind === 'data') this.#tellOthers(user, [pusher]);
		});
		user.on('pushed', ({ pushers }) => {
			this.emit('pushed', { user, pushers });
			this.#tellOthers(user, pushers);
		});
		user.on('pusherPaused', (event) => {
			this.emit('pusherPaused', { user, ...event });
		});
		user.on('pusherResumed', (event) => {
			this.emit('pusherResumed', { user, ...event });
		});
		user.on('pusherChanged', (event) => {
			this.emit('pusherChanged', { user, ...event });
		});
		user.on('pusherClosed', (event) => {
			this.emit('pusherClosed', { user, ...event });
		});
	}

	#tellOthers(user: User, pushers: readonly AnyPusher[]): void {
		for (const other of this.#others(user)) other.othersPushed(pushers);
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
