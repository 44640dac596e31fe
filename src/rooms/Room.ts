import { Emitter } from '../Emitter.js';
import type { CodecPolicy } from '../media/codecs.js';
import type { WorkerPool } from '../media/WorkerPool.js';
import type { ResolvedOptions } from '../options.js';
import type { Observers } from '../Observers.js';
import { Quota } from '../Quota.js';
import { SfuError } from '../SfuError.js';
import type { Mute } from './AppPauses.js';
import { checkJoinOptions, type JoinOptions } from './JoinOptions.js';
import { Access, isBanned } from './Access.js';
import { Lobby, type WaitingUser } from './Lobby.js';
import { repeatEvents } from './repeatEvents.js';
import type { RoomCloseReason, RoomEvents, TextOfUser } from './RoomEvents.js';
import { readAppMessage } from './AppLine.js';
import { roomContext, userContext, type RoomContext } from './roomContext.js';
import { checkRoomSend, type RoomOptions, type RoomSendOptions, type SendDataOptions } from './RoomOptions.js';
import { SharedQuota } from './SharedQuota.js';
import type { RoomSharing, SharedPart } from './sharing/RoomSharing.js';
import { resumeAll, sendToChannels, sendToClients } from './roomCalls.js';
import { codecsOf, SharedSettings } from './SharedSettings.js';
import { Speakers, type Speaker } from './Speakers.js';
import { RoomUsers } from './RoomUsers.js';
import { User } from './User.js';

/** A room: users who see and hear each other. */
export class Room extends Emitter<RoomEvents> {
	/** Its id. It is unique in the Sfu. */
	readonly roomId: string;
	#context: RoomContext;
	readonly #speakers: Speakers = new Speakers({
		activeChanged: (active) => {
			if (active) for (const other of this.#users.others(active.user)) other.otherSpoke(active.user.userId);
			this.emit('activeSpeakerChanged', { user: active?.user, pusher: active?.pusher });
		},
		levels: (levels) => {
			if (!this.#closed) this.emit('audioLevels', { levels });
		},
		ownChanged: (speaking) => this.#sharing?.setFact('speaker', speaking),
		ownLevels: (levels) => this.#sharing?.send({ levels }),
	});
	readonly #users = new RoomUsers();
	readonly #userQuota: Quota;
	readonly #lobby: Lobby;
	readonly #access: Access;
	readonly #settings: SharedSettings;
	#sharing: RoomSharing | undefined;
	#emptyTimer: NodeJS.Timeout | undefined;
	#closed = false;

	/** @internal */
	constructor(
		roomId: string,
		pool: WorkerPool,
		{ codecs, given, observers }: { codecs: CodecPolicy; given: RoomOptions; observers: Observers },
		options: ResolvedOptions,
	) {
		super(options.logger);
		this.roomId = roomId;
		const share = (key: string, value: unknown) => this.#sharing?.setSetting(key, value);
		this.#context = roomContext(
			roomId,
			{ pool, codecs: codecsOf(given, codecs), listener: this.#speakers, options, observers, mutesChanged: share },
			{
				ban: (userId) => {
					this.#access.ban(userId);
				},
				findUser: (userId) => this.#users.find(userId),
				follows: (userId) => {
					this.#users.addFollower(userId);
				},
				othersThan: (user) => this.#users.others(user),
			},
		);
		this.#userQuota = new Quota(options.limits.usersPerRoom, 'users in one room');
		this.#access = new Access(given.lobby === true, share);
		this.#settings = new SharedSettings(given, {
			access: this.#access,
			pauses: this.#context.pauses,
			codecs,
			setCodecs: (narrowed) => {
				this.#context = { ...this.#context, codecs: narrowed };
			},
			mutesChanged: (mutes) => this.#users.all.get(mutes.userId)?.followMutes(mutes),
			banned: (userId) => {
				this.#lobby.refuse(userId, isBanned);
			},
			logger: this.#context.logger,
		});
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
		return this.#users.all;
	}

	/** The user who speaks at the moment. Always undefined without the option `audioObservers`. */
	get activeSpeaker(): Readonly<Speaker> | undefined {
		return this.#speakers.active;
	}

	/** Whether nobody new may join. */
	get locked(): boolean {
		return this.#access.locked;
	}

	/** Whether nobody new may join because the Sfu will stop: see {@link Sfu.drain}. */
	get draining(): boolean {
		return this.#access.draining;
	}

	/** Whether users wait in the lobby until the app admits them. */
	get lobby(): boolean {
		return this.#access.lobby;
	}

	/** The users who wait in the lobby, by user id, in the order of coming. While there are any, the room stays open. */
	get waiting(): ReadonlyMap<string, WaitingUser> {
		return this.#lobby.waiting;
	}

	/** The users who may not join. */
	get bans(): ReadonlySet<string> {
		return this.#access.bans;
	}

	/** What the app has muted by `pusher.pause()`. It holds when the user pushes the source again, and when it comes again. */
	get mutes(): readonly Mute[] {
		return this.#context.pauses.mutes;
	}

	/** Lets nobody new join: `room.join()` rejects with `forbidden`. Those who are in the room stay. */
	lock(): void {
		this.#access.locked = true;
	}

	/** Takes {@link Room.lock} back. */
	unlock(): void {
		this.#access.locked = false;
	}

	/** Chooses whether users who join from now on wait in the lobby. Those who wait already go on waiting. */
	setLobby(lobby: boolean): void {
		this.#access.lobby = lobby;
	}

	/** Makes a user leave, if it is there, and lets none with its id join again until {@link Room.unban} is called. */
	ban(userId: string, reason = 'kicked'): void {
		this.#access.ban(userId);
		this.#lobby.refuse(userId, isBanned);
		this.#users.all.get(userId)?.close(reason);
	}

	/** Takes a ban back. @returns whether there was one */
	unban(userId: string): boolean {
		return this.#access.unban(userId);
	}

	/**
	 * Takes back what the app has muted of a user, and resumes its pushers.
	 *
	 * @param source - which source; default: all of the user. A kind alone stands for all sources of the kind
	 */
	unmute(userId: string, source: { kind?: Mute['kind']; source?: string } = {}): void {
		this.#context.pauses.unmute(userId, source.kind, source.source);
		resumeAll(this.#users.all.get(userId), source);
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
		if (reason !== 'empty' && reason !== 'sfuClosed') this.#sharing?.send({ closed: reason });
		for (const user of this.#users.all.values()) if (!user.isRemote) user.close('roomClosed');
		this.#sharing?.close();
		this.#context.media.close();
		this.emit('closed', { reason });
	}

	/** @internal Lets nobody new join, and tells so. */
	drain(timeout: number | undefined): void {
		this.#access.draining = true;
		this.emit('draining', { timeout });
	}

	/** @internal Makes sure that a worker carries the room, shares it with other servers, and starts to wait for somebody. */
	async open(share?: (part: SharedPart) => Promise<RoomSharing>): Promise<void> {
		const [sharing] = await Promise.all([share?.(this.#part), this.#context.media.open()]);
		this.#sharing = sharing;
		if (this.#closed) sharing?.close();
		this.#settings.assertFollowed();
		this.#closeWhenEmpty();
	}

	/**
	 * Adds a user. If the room has a lobby, it resolves when the app has admitted the user.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `unsupported` if the room has none of its codecs, `conflict` if
	 *   the user id is in the room already, `forbidden` if it is banned, the room is locked or the app refuses it,
	 *   `limit_exceeded`, `closed`
	 */
	join(options: JoinOptions): Promise<User> {
		return this.#context.observers.run('join', {}, async (operation) => {
			const checked = { ...checkJoinOptions(options, this.#context.options.limits, this.#sharing !== undefined) };
			operation.userId = checked.userId;
			this.#assertJoinable(checked);
			const { sharedQuota = new SharedQuota({}), admitted = false } = checked;
			return sharedQuota.countUser(async () => {
				if (!this.#access.lobby || admitted) return this.#join(checked);
				operation.waited = true;
				return this.#lobby.wait(checked, (options) => this.#join(options));
			});
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
		return sendToChannels(this.#users, message, to, this.#context.options.limits);
	}

	/**
	 * Sends a message of the app's own to the clients of all users (`appMessage`), those on other servers, too. What
	 * {@link User.send} says of a lost socket holds for each of them. A room that has closed is past that.
	 *
	 * @param name - what kind of message it is, of at most {@link Limits.idLength}
	 * @param data - any JSON value, of at most {@link Limits.appMessageBytes}; default: none
	 * @param options - who does not get it
	 * @throws {@link SfuError} `invalid_argument`, `too_large`
	 */
	send(name: string, data?: unknown, options: RoomSendOptions = {}): void {
		const message = readAppMessage(name, data, this.#context.options.limits);
		const { except = [] } = checkRoomSend(options);
		sendToClients(this.#users.all.values(), message, except);
		this.#sharing?.send({ message, except });
	}

	/** @internal How many users have joined here. */
	get ownUsers(): number {
		return this.#users.here;
	}

	/** @internal What goes to other servers, and comes from them. Undefined if no others share the room. */
	get serverPipes(): RoomSharing['counts'] | undefined {
		return this.#sharing?.counts;
	}

	/** @internal Brings a text of a user, or of the app, to all others. */
	relayText(text: TextOfUser): void {
		this.emit('textMessage', text);
		this.#sharing?.send({ text });
	}

	/** @internal Answers another server. */
	async answerNode(method: string, params: Record<string, unknown>, nodeId: string): Promise<unknown> {
		if (!this.#sharing) throw new SfuError('unavailable', 'the room is being opened');
		return this.#sharing.answer(method, params, nodeId);
	}

	/** @throws {@link SfuError} `closed`, `unavailable`, `forbidden`, `conflict` */
	#assertJoinable(options: JoinOptions): void {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
		const before = this.#users.all.get(options.userId);
		this.#access.assertJoinable(options, before !== undefined && !(before.isRemote && options.takeOver));
	}

	#join(options: JoinOptions): User {
		this.#assertJoinable(options);
		const { userId, userName = userId, metadata, appData, permissions = {} } = options;
		const context = userContext(this.#context, options);
		const giveBack = this.#userQuota.take();
		const user = new User({ userId, userName, metadata, appData, permissions }, context);
		clearTimeout(this.#emptyTimer);
		user.once('closed', giveBack);
		this.#sharing?.takeOver(userId);
		this.#add(user);
		this.#sharing?.follow(user);
		return user;
	}

	#add(user: User): void {
		this.#users.add(user);
		repeatEvents(user, this.emit.bind(this), { users: this.#users, speakers: this.#speakers });
		user.once('closed', ({ reason }) => {
			this.emit('userLeft', { user, reason });
			this.#closeWhenEmpty();
		});
		this.emit('userJoined', { user });
	}

	/** What is shared with other servers. */
	get #part(): SharedPart {
		return {
			roomId: this.roomId,
			users: this.#users.all,
			contextOf: (userId) => userContext(this.#context, { userId }),
			add: (user) => {
				this.#add(user);
			},
			options: this.#settings.given,
			settingChanged: (key, value) => {
				this.#settings.follow(key, value);
			},
			heard: (event) => {
				if ('text' in event) this.emit('textMessage', event.text);
				else if ('message' in event) sendToClients(this.#users.all.values(), event.message, event.except);
				else this.close(event.closed);
			},
			speakers: this.#speakers,
			logger: this.#context.logger,
		};
	}

	#closeWhenEmpty(): void {
		clearTimeout(this.#emptyTimer);
		if (this.#closed || this.#users.here > 0 || this.waiting.size > 0) return;
		this.#emptyTimer = setTimeout(() => {
			this.close('empty');
		}, this.#context.options.emptyRoomTimeout);
	}
}
