import { isOpen } from '../isOpen.js';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import type { CodecPolicy } from '../media/codecs.js';
import type { RoomMedia } from '../media/RoomMedia.js';
import { parseOffer } from '../sdp/parseOffer.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { Belongings } from './Belongings.js';
import type { Negotiated } from '../connections/AnsweringConnection.js';
import type { Connection } from '../connections/Connection.js';
import type { ConnectionContext } from '../connections/ConnectionContext.js';
import type { OfferingConnection } from '../connections/OfferingConnection.js';
import type { ServerOffer } from '../connections/ServerOffer.js';
import { UserConnections } from '../connections/UserConnections.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { LayerController } from '../layers/LayerController.js';
import type { ResolvedOptions } from '../options.js';
import {
	checkPullOptions,
	findDataPushers,
	findPushers,
	isOfData,
	type PullOptions,
	type ServerPullOptions,
} from '../tracks/PullOptions.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import { readPushOptions, type PushOptions } from '../tracks/PushOptions.js';
import type { QualityMonitor } from '../stats/QualityMonitor.js';
import { Quota } from './Quota.js';
import type { UserCloseReason, UserEvents } from './UserEvents.js';

export interface PushResult {
	/** The SDP answer. */
	answer: string;
	/** All that is received through the connection now, in the order of the offer's m-lines. */
	pushers: Pusher[];
	/** The data channels that the client has opened on the connection so far. */
	dataPushers: DataPusher[];
	connection: Connection;
}

export interface PullResult {
	/** The SDP answer. The m-line of a pusher without a codec in common, or that has just gone, is `inactive`. */
	answer: string;
	/** All that is sent through the connection now, in the order of the offer's m-lines. */
	pullers: Puller[];
	/** The data channels that are sent through the connection now. */
	dataPullers: DataPuller[];
	connection: Connection;
}

/** @internal */
export interface UserContext {
	fabric: RoomMedia;
	codecs: CodecPolicy;
	layerController: LayerController;
	quality: QualityMonitor;
	options: ResolvedOptions;
	/** @throws {@link SfuError} `not_found` */
	findUser: (userId: string) => User;
	/** All in the room but `user`. */
	othersThan: (user: User) => User[];
	logger: Logger;
}

/** A member of a room, which sends by its pushers and receives by its pullers. */
export class User extends Emitter<UserEvents> {
	readonly userId: string;
	readonly userName: string;
	/** The app's own, never looked into. */
	readonly metadata: unknown;
	readonly #context: UserContext;
	readonly #connections: UserConnections;
	readonly #belongings = new Belongings((event, ...args) => {
		this.emit(event, ...args);
	});
	#closed = false;

	/** @internal */
	constructor(member: { userId: string; userName: string; metadata: unknown }, context: UserContext) {
		super(context.logger);
		const { limits } = context.options;
		this.userId = member.userId;
		this.userName = member.userName;
		this.metadata = member.metadata;
		this.#context = context;
		const connectionContext: ConnectionContext = {
			userId: this.userId,
			fabric: context.fabric,
			codecs: context.codecs,
			pusherQuota: new Quota(limits.pushersPerUser, 'pushers of one user'),
			dataPusherQuota: new Quota(limits.dataPushersPerUser, 'data channels that one user pushes'),
			pullerQuota: new Quota(limits.pullersPerUser, 'pullers of one user'),
			layerController: context.layerController,
			options: context.options,
			logger: context.logger,
		};
		this.#connections = new UserConnections(connectionContext, context.quality, {
			dataChannelOpened: (pusher) => {
				this.#belongings.addDataPusher(pusher);
			},
			offered: (offer, asked) => {
				for (const puller of offer.added) this.#belongings.addPuller(puller);
				if (!asked) this.emit('offer', { offer });
			},
			dataPulled: (dataPuller) => {
				this.#belongings.addPuller(dataPuller);
				this.emit('dataPullerAdded', { dataPuller });
			},
			qualityChanged: (connection, quality) => {
				this.emit('qualityChanged', { connection, quality });
			},
			closed: (connection, reason) => {
				this.emit('connectionClosed', { connection, reason });
			},
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** What the user sends, by pusher id. */
	get pushers(): ReadonlyMap<string, Pusher> {
		return this.#belongings.pushers;
	}

	/** What the user receives, by puller id. */
	get pullers(): ReadonlyMap<string, Puller> {
		return this.#belongings.pullers;
	}

	/** The data channels that the user sends on, by pusher id. */
	get dataPushers(): ReadonlyMap<string, DataPusher> {
		return this.#belongings.dataPushers;
	}

	/** The data channels that the user receives, by puller id. */
	get dataPullers(): ReadonlyMap<string, DataPuller> {
		return this.#belongings.dataPullers;
	}

	/** The user's RTCPeerConnections. */
	get connections(): readonly Connection[] {
		return this.#connections.all;
	}

	/** The offer of the server that waits for the client's answer: to be told again when its socket was lost meanwhile. */
	get outstandingOffer(): ServerOffer | undefined {
		return this.#connections.offering?.outstanding;
	}

	/** Leaves the room, and closes all that is the user's. */
	close(reason: UserCloseReason = 'left'): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const connection of this.connections) connection.close('userLeft');
		this.emit('closed', { reason });
	}

	/** Makes the user leave the room, for a reason that the client is told. */
	kick(reason: UserCloseReason = 'kicked'): void {
		this.close(reason);
	}

	/**
	 * Receives what an RTCPeerConnection begins to send. Each RTCPeerConnection has a {@link Connection}, which is told
	 * by the DTLS fingerprint, and by the session id of the offer or the ICE credentials; a later offer of the same one
	 * changes it. An m-line that stops sending is a paused pusher; one that has stopped, or is used for something else, a
	 * closed one.
	 *
	 * @param offer - an SDP offer
	 * @param options - what the offer itself does not say
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `unsupported`, `conflict`, `limit_exceeded`,
	 *   `unavailable`, `closed`, `internal`; nothing has changed then
	 */
	async push(offer: string, options: PushOptions = {}): Promise<PushResult> {
		this.#assertOpen();
		const { limits } = this.#context.options;
		const checked = readPushOptions(options, limits);
		const parsed = parseOffer(offer, limits);
		const connection = this.#connections.toAnswer(parsed);
		const { answer, pushers, dataPushers } = this.#adopt(connection, await connection.push(parsed, checked));
		return { answer, pushers, dataPushers, connection };
	}

	/**
	 * Sends pushers of a user of the same room to an RTCPeerConnection that offers to receive. What it receives already
	 * goes on, whether `specs` names it again or not; specs that name something that it received, and that has closed
	 * since, are passed over.
	 *
	 * @throws {@link SfuError} (rejects) `not_found`, `invalid_argument`, `too_large`, `unsupported`, `conflict`,
	 *   `limit_exceeded`, `unavailable`, `closed`, `internal`; nothing has changed then
	 */
	pull(options: PullOptions): Promise<PullResult>;
	/**
	 * Offers pushers of a user of the same room to the client. One RTCPeerConnection holds all that a user pulls so, from
	 * any number of users, with a bandwidth estimate; what has been offered already goes on. While an offer waits for its
	 * answer, the next one waits, too.
	 *
	 * @throws {@link SfuError} (rejects) `not_found`, `invalid_argument`, `limit_exceeded`, `unavailable`, `closed`,
	 *   `internal`; nothing has changed then
	 */
	pull(options: ServerPullOptions): Promise<ServerOffer>;
	async pull(options: ServerPullOptions & { offer?: string }): Promise<PullResult | ServerOffer> {
		this.#assertOpen();
		const { targetUserId, specs, offer } = checkPullOptions(options);
		const target = this.#context.findUser(targetUserId);
		const mediaSpecs = specs.filter((spec) => !isOfData(target, spec));
		const dataSpecs = specs.filter((spec) => isOfData(target, spec));
		if (offer === undefined) {
			const targets = audioFirst(findPushers(target, mediaSpecs, () => false));
			const dataTargets = findDataPushers(target, dataSpecs, () => false);
			return this.#connections.toOffer().pull(targets, dataTargets);
		}
		const parsed = parseOffer(offer, this.#context.options.limits);
		const known = this.#connections.find(parsed);
		const isFormer = (pusherId: string) => known?.hasPulled(pusherId);
		const targets = findPushers(target, mediaSpecs, isFormer);
		const dataTargets = findDataPushers(target, dataSpecs, isFormer);
		const connection = this.#connections.toAnswer(parsed);
		const negotiated = await connection.pull(parsed, targets, dataTargets);
		const { answer, pullers, dataPullers } = this.#adopt(connection, negotiated);
		return { answer, pullers, dataPullers, connection };
	}

	/**
	 * Offers everything that the others push to the client, now and from now on, until the connection closes. What the
	 * client stops itself stays away. Each offer comes by the event `offer`, audio first. The first data channel comes with
	 * an offer, too; the next ones need none, and are told by `dataPullerAdded`.
	 *
	 * @throws {@link SfuError} `limit_exceeded`, `closed`
	 */
	autoPull(): Connection {
		this.#assertOpen();
		const connection = this.#connections.toOffer();
		const others = this.#context.othersThan(this);
		connection.add(
			audioFirst(others.flatMap(({ pushers }) => [...pushers.values()])),
			others.flatMap(({ dataPushers }) => [...dataPushers.values()]),
		);
		return connection;
	}

	/**
	 * Answers the offer that waits on a connection; the same as {@link ServerOffer.answer}.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` when there is no such connection, `conflict` when no offer waits, and
	 *   those of {@link ServerOffer.answer}
	 */
	async answer({ connectionId, answer }: { connectionId: string; answer: string }): Promise<void> {
		const { outstanding } = this.#offeringConnectionOf(connectionId);
		if (!outstanding) throw new SfuError('conflict', 'no offer waits for an answer');
		await outstanding.answer(answer);
	}

	/**
	 * Restarts ICE on a connection for which the server offers; the others restart with an offer of the client.
	 *
	 * @throws {@link SfuError} `not_found` when there is no such connection, `conflict` when nothing has been offered yet
	 */
	restartIce(connectionId: string): void {
		this.#offeringConnectionOf(connectionId).restartIce();
	}

	/** @internal Others push. */
	othersPush({
		pushers = [],
		dataPushers = [],
	}: {
		pushers?: readonly Pusher[];
		dataPushers?: readonly DataPusher[];
	}): void {
		const { offering } = this.#connections;
		if (offering?.follows) offering.add(audioFirst(pushers), dataPushers);
	}

	#offeringConnectionOf(connectionId: string): OfferingConnection {
		this.#assertOpen();
		const { offering } = this.#connections;
		if (offering?.connectionId === connectionId) return offering;
		throw new SfuError('not_found', `the user has no connection ${quoted(connectionId)} for which the server offers`);
	}

	/** What has closed since it was negotiated was never the user's, and nobody will be told of its end. */
	#adopt(connection: Connection, { answer, ...negotiated }: Negotiated): Omit<Negotiated, 'added'> {
		this.#assertOpen();
		connection.assertOpen();
		const added = negotiated.added.filter(isOpen);
		const pushers: Pusher[] = [];
		for (const child of added) {
			if ('pullerId' in child) {
				this.#belongings.addPuller(child);
			} else if (child.kind === 'data') {
				this.#belongings.addDataPusher(child);
			} else {
				this.#belongings.addPusher(child);
				pushers.push(child);
			}
		}
		if (pushers.length > 0) this.emit('pushed', { pushers });
		return {
			answer,
			pushers: negotiated.pushers.filter(isOpen),
			pullers: negotiated.pullers.filter(isOpen),
			dataPushers: negotiated.dataPushers.filter(isOpen),
			dataPullers: negotiated.dataPullers.filter(isOpen),
		};
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the user has left the room');
	}
}

/** The first m-line is one for audio. */
const audioFirst = (pushers: readonly Pusher[]): Pusher[] =>
	[...pushers].sort((a, b) => Number(b.kind === 'audio') - Number(a.kind === 'audio'));
