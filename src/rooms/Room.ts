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
import { SfuError } from '../SfuError.js';
import type { Connection } from '../connections/Connection.js';
import { ConnectionMonitor } from '../stats/ConnectionMonitor.js';
import { checkMessage } from '../tracks/DataPusher.js';
import type { AnyPusher } from '../tracks/tracks.js';
import { AppPauses, type Mute } from './AppPauses.js';
import { checkJoinOptions, type JoinOptions } from './JoinOptions.js';
import { drained } from './Drain.js';
import { Lobby, type WaitingUser } from './Lobby.js';
import type { RoomMember } from './Permissions.js';
import { repeatEvents } from './repeatEvents.js';
import type { RoomCloseReason, RoomEvents } from './RoomEvents.js';
import { checkSendData, type SendDataOptions } from './RoomOptions.js';
import { SharedQuota } from './SharedQuota.js';
import { Speakers, type Speaker } from './Speakers.js';
import { User } from './User.js';

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
			if (active) for (const other of this.#others(active.user)) other.otherSpoke(active.user.userId);
			this.emit('activeSpeakerChanged', { user: active?.user, pusher: active?.pusher });
		},
		levels: (levels) => {
			if (!this.#closed) this.emit('audioLevels', { levels });
		},
	});
	readonly #streamIds = new StreamIds();
	readonly #users = new Map<string, User>();
	readonly #monitors: ConnectionMonitor<Connection>[];
	readonly #userQuota: Quota;
	readonly #pauses = new AppPauses();
	readonly #bans = new Set<string>();
	readonly #lobby: Lobby;
	#hasLobby: boolean;
	#locked = false;
	#draining = false;
	#emptyTimer: NodeJS.Timeout | undefined;
	#closed = false;

	/** @internal */
	constructor(
		roomId: string,
		pool: WorkerPool,
		{ codecs, lobby }: { codecs: CodecPolicy; lobby: boolean },
		options: ResolvedOptions,
	) {
		super(options.logger);
		this.roomId = roomId;
		this.#options = options;
		const { audioObservers: settings, logger, limits } = options;
		const audio = settings && { settings, listener: this.#speakers };
		this.#media = new RoomMedia(pool, logger, { roomId, audio, limits });
		this.#codecs = codecs;
		this.#layerController = new LayerController(options.webRtc.initialOutgoingBitrate, options.logger);
		this.#monitors = [
			new ConnectionMonitor(options.qualityInterval, (connection) => connection.measure()),
			new ConnectionMonitor(options.stallInterval, (connection) => connection.watchArrival()),
		];
		this.#userQuota = new Quota(options.limits.usersPerRoom, 'users in one room');
		this.#hasLobby = lobby;
		this.#lobby = new Lobby(options.limits, {
			waiting: (waiting) => {
				clearTimeout(this.#emptyTimer);
				this.emit('userWaiting', { waiting });
			},
			ended: (waiting, outcome) => {
				this.emit('waitingEnded', { waiting, outcome });
				this.#closeWhenEmpty();
			},
		});
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

	/** Whether nobody new may join. */
	get locked(): boolean {
		return this.#locked;
	}

	/** Whether nobody new may join because the Sfu will stop: see {@link Sfu.drain}. */
	get draining(): boolean {
		return this.#draining;
	}

	/** Whether users wait in the lobby until the app admits them. */
	get lobby(): boolean {
		return this.#hasLobby;
	}

	/** The users who wait in the lobby, by user id, in the order of coming. While there are any, the room stays open. */
	get waiting(): ReadonlyMap<string, WaitingUser> {
		return this.#lobby.waiting;
	}

	/** The ids of the users who may not join. */
	get bans(): ReadonlySet<string> {
		return this.#bans;
	}

	/** What the app has muted by `pusher.pause()`. It holds when the user pushes the source again, and when it comes again. */
	get mutes(): readonly Mute[] {
		return this.#pauses.mutes;
	}

	/** Lets nobody new join: `room.join()` rejects with `forbidden`. Those who are in the room stay. */
	lock(): void {
		this.#locked = true;
	}

	/** Takes {@link Room.lock} back. */
	unlock(): void {
		this.#locked = false;
	}

	/** Chooses whether users who join from now on wait in the lobby. Those who wait already go on waiting. */
	setLobby(lobby: boolean): void {
		this.#hasLobby = lobby;
	}

	/** Makes a user leave, if it is there, and lets none with its id join again until {@link Room.unban} is called. */
	ban(userId: string, reason = 'kicked'): void {
		this.#bans.add(userId);
		this.#lobby.refuse(userId, 'the user is banned from the room');
		this.#users.get(userId)?.close(reason);
	}

	/** Takes a ban back. @returns whether there was one */
	unban(userId: string): boolean {
		return this.#bans.delete(userId);
	}

	/**
	 * Takes back what the app has muted of a user, and resumes its pushers.
	 *
	 * @param source - which source; default: all of the user. A kind alone stands for all sources of the kind
	 */
	unmute(userId: string, source: { kind?: Mute['kind']; source?: string } = {}): void {
		this.#pauses.unmute(userId, source.kind, source.source);
		for (const pusher of this.#users.get(userId)?.pushers.values() ?? []) {
			const isMeant = source.kind === undefined || source.kind === pusher.kind;
			if (!isMeant || (source.source !== undefined && source.source !== pusher.source)) continue;
			// This fails only if it closes meanwhile, or its worker has died.
			pusher.resume().catch(() => undefined);
		}
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
		this.#lobby.close();
		for (const user of this.#users.values()) user.close('roomClosed');
		this.#media.close();
		this.emit('closed', { reason });
	}

	/** @internal Lets nobody new join, and tells so. */
	drain(timeout: number | undefined): void {
		this.#draining = true;
		this.emit('draining', { timeout });
	}

	/** @internal Makes sure that a worker carries the room, and starts to wait for somebody. */
	async open(): Promise<void> {
		await this.#media.open();
		this.#closeWhenEmpty();
	}

	/**
	 * Adds a user. If the room has a lobby, it resolves when the app has admitted the user.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `unsupported` if the room has none of its codecs, `conflict` if
	 *   the user id is in the room already, `forbidden` if it is banned, the room is locked or the app refuses it,
	 *   `limit_exceeded`, `closed`
	 */
	async join(options: JoinOptions): Promise<User> {
		const checked = { ...checkJoinOptions(options, this.#options.limits) };
		this.#assertJoinable(checked);
		const { sharedQuota = new SharedQuota({}), admitted = false } = checked;
		return sharedQuota.countUser(async () => {
			if (!this.#hasLobby || admitted) return this.#join(checked);
			return this.#lobby.wait(checked, (options) => this.#join(options));
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

	/** @throws {@link SfuError} `closed`, `forbidden`, `conflict` */
	#assertJoinable({ userId, admitted }: JoinOptions): void {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
		if (this.#draining) throw drained();
		if (this.#bans.has(userId)) throw new SfuError('forbidden', 'the user is banned from the room');
		if (this.#users.has(userId)) throw new SfuError('conflict', `user ${quoted(userId)} is in the room already`);
		if (this.#locked && !admitted) throw new SfuError('forbidden', 'the room is locked');
	}

	#join(options: JoinOptions): User {
		this.#assertJoinable(options);
		const { userId, userName = userId, metadata, codecs, permissions = {}, sharedQuota, ...bitrates } = options;
		const { webRtc } = this.#options;
		const { maxIncomingBitrate = webRtc.maxIncomingBitrate, maxOutgoingBitrate = webRtc.maxOutgoingBitrate } = bitrates;
		const policy = codecs ? this.#codecs.narrow(codecs) : this.#codecs;
		const giveBack = this.#userQuota.take();
		const user = new User(
			{ userId, userName, metadata, permissions },
			{
				sharedQuota,
				pauses: this.#pauses,
				ban: (id) => this.#bans.add(id),
				media: this.#media,
				codecs: policy,
				layerController: this.#layerController,
				streamIds: this.#streamIds,
				monitors: this.#monitors,
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

	/** Repeats the events of a user, and offers its pushers to the others. */
	#follow(user: User): void {
		repeatEvents(user, (event, ...args) => {
			this.emit(event, ...args);
		});
		user.on('pusherAdded', ({ pusher }) => {
			if (pusher.kind === 'audio') this.#speakers.add(user, pusher);
			this.emit('pusherAdded', { user, pusher });
			if (pusher.kind === 'data') this.#tellOthers(user, [pusher]);
		});
		user.on('pushed', ({ pushers }) => {
			this.emit('pushed', { user, pushers });
			this.#tellOthers(user, pushers);
		});
	}

	#tellOthers(user: User, pushers: readonly AnyPusher[]): void {
		for (const other of this.#others(user)) other.othersPushed(pushers);
	}

	#others(user: RoomMember): User[] {
		return [...this.#users.values()].filter((other) => other !== user);
	}

	#findUser(userId: string): User {
		const user = this.#users.get(userId);
		if (!user) throw new SfuError('not_found', `no user ${quoted(userId)} in the room`);
		return user;
	}

	#closeWhenEmpty(): void {
		clearTimeout(this.#emptyTimer);
		if (this.#closed || this.#users.size > 0 || this.waiting.size > 0) return;
		this.#emptyTimer = setTimeout(() => {
			this.close('empty');
		}, this.#options.emptyRoomTimeout);
	}
}
