import type { Connection } from '../connections/Connection.js';
import type { ServerOffer } from '../connections/ServerOffer.js';
import { UserConnections } from '../connections/UserConnections.js';
import { SfuError } from '../SfuError.js';
import { worstOf, type Quality } from '../stats/quality.js';
import type { PullOptions, ServerPullOptions } from '../tracks/PullOptions.js';
import type { PushOptions } from '../tracks/PushOptions.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import type { FollowedMutes } from './AppPauses.js';
import { AutoPull } from './AutoPull.js';
import { Participant } from './Participant.js';
import type { Permissions } from './Permissions.js';
import type { RoomMember } from './RoomMember.js';
import type { UserContext } from './UserContext.js';
import type { UserCloseReason } from './UserEvents.js';
import { Tickets } from './Tickets.js';
import { UserGate } from './UserGate.js';
import { UserNegotiations } from './UserNegotiations.js';
import { UserTracks } from './UserTracks.js';
import { userQuotas } from './userQuotas.js';
import {
	checkAutoPullOptions,
	type AutoPullOptions,
	type KickOptions,
	type PullResult,
	type PushResult,
} from './userCalls.js';

/** A member of a room. It sends by its pushers, and receives by its pullers. */
export class User extends Participant {
	/** Whether it has joined on another server: then it sends and receives there alone. */
	readonly isRemote: boolean = false;
	/** @internal What vouches for its client on another server. */
	readonly tickets = new Tickets();
	readonly #context: UserContext;
	readonly #connections: UserConnections;
	readonly #gate: UserGate;
	readonly #tracks = new UserTracks((event, ...args) => {
		this.emit(event, ...args);
	});
	readonly #negotiations: UserNegotiations;
	readonly #autoPull: AutoPull;
	#quality: Quality | undefined;
	#closed = false;

	/** @internal */
	constructor(member: RoomMember & { permissions: Partial<Permissions> }, context: UserContext) {
		super({ ...member, limits: context.options.limits, logger: context.logger });
		const { userId, permissions } = member;
		this.#context = context;
		const { pauses, findUser, logger, options } = context;
		this.#gate = new UserGate({ user: this, userId, permissions, pauses, findUser, logger });
		this.#connections = new UserConnections(
			{
				...context,
				userId,
				gate: this.#gate,
				...userQuotas(options.limits, context.sharedQuota),
			},
			{
				opened: (connection) => {
					this.#follow(connection);
				},
				offered: (offer) => {
					this.emit('offer', { offer });
				},
			},
		);
		this.#negotiations = new UserNegotiations(this, this.#connections, context);
		this.#autoPull = new AutoPull({
			user: this,
			gate: this.#gate,
			connections: this.#connections,
			keptSources: options.webRtc.keptSources,
			others: () => context.othersThan(this).flatMap((other) => [...other.pushers.values()]),
		});
	}

	/** Whether it has left. */
	get closed(): boolean {
		return this.#closed;
	}

	/** The tracks and data channels that it sends, by pusher id. */
	get pushers(): ReadonlyMap<string, AnyPusher> {
		return this.#tracks.pushers;
	}

	/** The tracks and data channels that it receives, by puller id. */
	get pullers(): ReadonlyMap<string, AnyPuller> {
		return this.#tracks.pullers;
	}

	/** What it may do. {@link User.setPermissions} changes it. */
	get permissions(): Readonly<Permissions> {
		return this.#gate.permissions;
	}

	/** Its RTCPeerConnections. */
	get connections(): readonly Connection[] {
		return this.#connections.all;
	}

	/** @internal What a {@link Watch} is made of. */
	get parts(): readonly [UserConnections, UserContext] {
		return [this.#connections, this.#context];
	}

	/** The quality of its worst connection. Undefined before it is measured, without connections, and without `qualityInterval`. */
	get quality(): Quality | undefined {
		return this.#quality;
	}

	/** The offer of the server that waits for an answer. After a lost socket the client must be told of it again. */
	get pendingOffer(): ServerOffer | undefined {
		return this.#connections.offering?.pendingOffer;
	}

	/**
	 * Makes it leave the room, and closes its connections.
	 * @param reason - default `left`
	 */
	close(reason: UserCloseReason = 'left'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#autoPull.close();
		for (const connection of this.connections) connection.close('userLeft');
		this.emit('closed', { reason });
	}

	/**
	 * Makes it leave the room, as {@link User.close} does. The client is told the reason. It never throws.
	 * @param options - the reason, or the reason and whether the user is banned, too; default: the reason `kicked`
	 */
	kick(options: UserCloseReason | KickOptions = {}): void {
		const { reason = 'kicked', ban = false } = typeof options === 'string' ? { reason: options } : options;
		if (ban) this.#context.ban(this.userId);
		this.close(reason);
	}

	/**
	 * Changes what it may do. Tracks, data channels and pullers that are no longer allowed close (`notPermitted`). With
	 * {@link User.autoPull}, what was denied and is allowed now is offered. The client is told. A user that has left is past
	 * that.
	 *
	 * @param changes - the permissions to change; the others stay
	 * @throws {@link SfuError} `invalid_argument`
	 */
	setPermissions(changes: Partial<Permissions>): void {
		const before = this.permissions;
		this.#gate.change(changes);
		if (this.#closed) return;
		const { permissions } = this;
		this.#gate.enforce();
		for (const connection of this.connections) void connection.followPermissions();
		this.#autoPull.add(this.#gate.takeDenied());
		this.emit('permissionsChanged', { permissions, before });
	}

	/**
	 * Receives the tracks that an RTCPeerConnection begins to send. Each RTCPeerConnection has one {@link Connection}. It is
	 * recognised by `connectionId`, or by what its offers have in common: the DTLS fingerprint, and the `o=` line, the ICE
	 * credentials or the sources. An offer of one whose connection has closed gets `conflict`. A later offer
	 * changes it: an m-line that stops sending pauses its pusher; an m-line that is stopped, or used for something else,
	 * closes its pusher.
	 *
	 * @param offer - the SDP offer
	 * @param options - facts that the offer itself does not tell
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `unsupported`, `forbidden`, `conflict`,
	 *   `limit_exceeded`, `unavailable`, `closed`, `internal`; nothing has changed then
	 * @example
	 * ```ts
	 * const { answer, pushers } = await user.push(offer, { media: { '0': { source: 'camera' } } });
	 * ```
	 */
	push(offer: string, options: PushOptions = {}): Promise<PushResult> {
		return this.#negotiations.push(offer, options);
	}

	/**
	 * Sends pushers of a user of the room to an RTCPeerConnection that offers to receive. Pullers that it has already go on,
	 * whether `specs` names them again or not. A spec may name a former puller's pusher that has closed since; it is passed
	 * over.
	 *
	 * @throws {@link SfuError} (rejects) `not_found`, `invalid_argument`, `too_large`, `unsupported`, `conflict`,
	 *   `limit_exceeded`, `unavailable`, `closed`, `internal`; nothing has changed then
	 */
	pull(options: PullOptions): Promise<PullResult>;
	/**
	 * Offers pushers of a user of the room to the client. One RTCPeerConnection carries everything that a user pulls this
	 * way, from any number of users, with a bandwidth estimate. Pullers that have been offered already go on. While an offer
	 * waits for its answer, the next one waits, too.
	 *
	 * @throws {@link SfuError} (rejects) `not_found`, `invalid_argument`, `limit_exceeded`, `unavailable`, `closed`,
	 *   `internal`; nothing has changed then
	 */
	pull(options: ServerPullOptions): Promise<ServerOffer>;
	pull(options: PullOptions | ServerPullOptions): Promise<PullResult | ServerOffer> {
		return this.#negotiations.pull(options);
	}

	/**
	 * Offers everything that the others push to the client, now and from now on, until the connection closes. A puller that
	 * the client stops does not come back. Each offer comes by the event `offer`, audio first. The first data channel comes
	 * with an offer, too; further ones need none, and come by `pullerAdded` with `inBand`.
	 *
	 * @param options - how much of it
	 * @returns the connection, which has no transport until there is something to offer
	 * @throws {@link SfuError} `invalid_argument`, `limit_exceeded`, `closed`
	 */
	autoPull(options: AutoPullOptions = {}): Connection {
		this.#assertOpen();
		const { videos = Infinity } = checkAutoPullOptions(options);
		this.#context.follows(this.userId);
		return this.#autoPull.begin(videos);
	}

	/**
	 * Answers the offer that waits on a connection, as {@link ServerOffer.answer} does.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` if there is no such connection, `conflict` if no offer waits, and the
	 *   errors of {@link ServerOffer.answer}
	 */
	answer(options: { connectionId: string; answer: string }): Promise<void> {
		return this.#negotiations.answer(options);
	}

	/**
	 * Restarts ICE on a connection for which the server offers. On other connections the client restarts it by an offer.
	 *
	 * @throws {@link SfuError} `not_found` if there is no such connection, `conflict` if nothing has been offered yet
	 */
	restartIce(connectionId: string): void {
		this.#negotiations.restartIce(connectionId);
	}

	/** @internal Another server has muted something of it, or has taken that back. */
	followMutes(mutes: FollowedMutes): void {
		this.#gate.followMutes(mutes);
	}

	/** @internal Others push. */
	othersPushed(pushers: readonly AnyPusher[]): void {
		this.#autoPull.add(pushers);
	}

	/**
	 * Prefers the videos of a user when {@link AutoPullOptions.videos} chooses, before those of who spoke last.
	 * @throws {@link SfuError} `not_found`
	 */
	pin(userId: string): void {
		this.#autoPull.pin(this.#negotiations.findTarget(userId).userId, true);
	}

	/** Takes {@link User.pin} back. */
	unpin(userId: string): void {
		this.#autoPull.pin(userId, false);
	}

	/** @internal Another user speaks. */
	otherSpoke(userId: string): void {
		this.#autoPull.spoke(userId);
	}

	#follow(connection: Connection): void {
		for (const monitor of this.#context.monitors) monitor.add(connection);
		this.#tracks.follow(connection);
		connection.on('qualityChanged', ({ quality }) => {
			this.emit('qualityChanged', { connection, quality });
			this.#rate();
		});
		connection.once('closed', ({ reason }) => {
			this.#rate();
			if (reason !== 'negotiationFailed') this.emit('connectionClosed', { connection, reason });
		});
		this.emit('connectionOpened', { connection });
	}

	protected addPushers(pushers: readonly AnyPusher[]): void {
		this.#tracks.addPushers(pushers);
	}

	protected setQuality(quality: Quality | undefined): void {
		if (this.#closed || quality === this.#quality) return;
		this.#quality = quality;
		this.emit('rated', { quality });
	}

	#rate(): void {
		this.setQuality(worstOf(this.connections.map((connection) => connection.quality)));
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the user has left the room');
	}
}
