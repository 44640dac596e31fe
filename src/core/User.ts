import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import type { CodecPolicy } from '../media/codecs.js';
import type { MediaFabric } from '../media/MediaFabric.js';
import type { Offer } from '../sdp/Offer.js';
import { parseOffer } from '../sdp/parseOffer.js';
import { quote } from '../quote.js';
import { SfuError } from '../SfuError.js';
import { AnsweringConnection, type Negotiated } from './connections/AnsweringConnection.js';
import type { Connection, ConnectionCloseReason } from './connections/Connection.js';
import { OfferingConnection, type ServerOffer } from './connections/OfferingConnection.js';
import type { ConnectionContext } from './connections/ConnectionContext.js';
import type { DataPuller, DataPullerCloseReason } from './data/DataPuller.js';
import type { DataPusher, DataPusherCloseReason } from './data/DataPusher.js';
import type { LayerController } from './pullers/LayerController.js';
import type { Layers } from './pullers/LayerSelection.js';
import type { ResolvedOptions } from './options.js';
import type { PauseCause } from './Pauses.js';
import {
	checkPullOptions,
	findDataPushers,
	findPushers,
	isOfData,
	type PullOptions,
	type ServerPullOptions,
} from './pullers/PullOptions.js';
import type { Puller, PullerCloseReason } from './pullers/Puller.js';
import type { Pusher, PusherCloseReason } from './pushers/Pusher.js';
import { readPushOptions, type PushOptions } from './pushers/PushOptions.js';
import type { Quality } from './quality/quality.js';
import type { QualityMonitor } from './quality/QualityMonitor.js';
import { Quota } from './Quota.js';

/** Why a user has left. */
export type UserCloseReason =
	/** {@link User.close} without a reason. */
	| 'left'
	/** {@link User.kick} without a reason. */
	| 'kicked'
	/** Its room has been closed. */
	| 'roomClosed'
	| (string & {});

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

export type UserEvents = {
	/** A push was accepted: before its caller has the answer. */
	pushed: (event: { pushers: readonly Pusher[] }) => void;
	/** A pusher of this user sends nothing any more, because the client or the app has paused it. */
	pusherPaused: (event: { pusher: Pusher; cause: PauseCause }) => void;
	/** It sends again. */
	pusherResumed: (event: { pusher: Pusher; cause: PauseCause }) => void;
	/** The source or the metadata of a pusher of this user has changed. */
	pusherChanged: (event: { pusher: Pusher }) => void;
	/** A pusher of this user has closed. */
	pusherClosed: (event: { pusher: Pusher; reason: PusherCloseReason }) => void;
	/** The client has opened a data channel, or announced one. */
	dataPusherAdded: (event: { dataPusher: DataPusher }) => void;
	/** The source or the metadata of a data pusher of this user has changed. */
	dataPusherChanged: (event: { dataPusher: DataPusher }) => void;
	/** A data pusher of this user has closed. */
	dataPusherClosed: (event: { dataPusher: DataPusher; reason: DataPusherCloseReason }) => void;
	/** A data puller of this user has closed. */
	dataPullerClosed: (event: { dataPuller: DataPuller; reason: DataPullerCloseReason }) => void;
	/** The client has to answer an offer that no call has asked for: what it pulls by offers of the server has changed. */
	offer: (event: { offer: ServerOffer }) => void;
	/** A puller of this user receives nothing any more, because the client or the app has paused it. */
	pullerPaused: (event: { puller: Puller; cause: PauseCause }) => void;
	/** It receives again. */
	pullerResumed: (event: { puller: Puller; cause: PauseCause }) => void;
	/** Other layers of it are sent to this user than before; `undefined` for none. */
	layersChanged: (event: { puller: Puller; layers: Layers | undefined }) => void;
	/** A puller of this user has closed. */
	pullerClosed: (event: { puller: Puller; reason: PullerCloseReason }) => void;
	/** How well an RTCPeerConnection of this user carries what it carries has changed. */
	qualityChanged: (event: { connection: Connection; quality: Quality }) => void;
	/** An RTCPeerConnection of this user is gone. */
	connectionClosed: (event: { connection: Connection; reason: ConnectionCloseReason }) => void;
	/** The user has left the room. Emitted once, last. */
	closed: (event: { reason: UserCloseReason }) => void;
};

/** @internal */
export interface UserContext {
	fabric: MediaFabric;
	codecs: CodecPolicy;
	layerController: LayerController;
	quality: QualityMonitor;
	options: ResolvedOptions;
	/** @throws {@link SfuError} `not_found` */
	findUser: (userId: string) => User;
	/** All that is pushed in the room, but by `user`. */
	pushersOfOthers: (user: User) => Pusher[];
	logger: Logger;
}

/** A member of a room, which sends by its pushers and receives by its pullers. */
export class User extends Emitter<UserEvents> {
	readonly userId: string;
	readonly userName: string;
	/** The app's own, never looked into. */
	readonly metadata: unknown;
	readonly #context: UserContext;
	readonly #connectionContext: ConnectionContext;
	readonly #connectionQuota: Quota;
	readonly #answering = new Set<AnsweringConnection>();
	#offering: OfferingConnection | undefined;
	#pullsAll = false;
	readonly #pushers = new Map<string, Pusher>();
	readonly #pullers = new Map<string, Puller>();
	readonly #dataPushers = new Map<string, DataPusher>();
	readonly #dataPullers = new Map<string, DataPuller>();
	#closed = false;

	/** @internal */
	constructor(member: { userId: string; userName: string; metadata: unknown }, context: UserContext) {
		super(context.logger);
		const { limits } = context.options;
		this.userId = member.userId;
		this.userName = member.userName;
		this.metadata = member.metadata;
		this.#context = context;
		this.#connectionQuota = new Quota(limits.connectionsPerUser, 'connections of one user');
		this.#connectionContext = {
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
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** What the user sends, by pusher id. */
	get pushers(): ReadonlyMap<string, Pusher> {
		return this.#pushers;
	}

	/** What the user receives, by puller id. */
	get pullers(): ReadonlyMap<string, Puller> {
		return this.#pullers;
	}

	/** The data channels that the user sends on, by pusher id. */
	get dataPushers(): ReadonlyMap<string, DataPusher> {
		return this.#dataPushers;
	}

	/** The data channels that the user receives, by puller id. */
	get dataPullers(): ReadonlyMap<string, DataPuller> {
		return this.#dataPullers;
	}

	/** The user's RTCPeerConnections. */
	get connections(): readonly Connection[] {
		return [...this.#answering, this.#offering ?? []].flat();
	}

	/** The offer of the server that waits for the client's answer: to be told again when its socket was lost meanwhile. */
	get outstandingOffer(): ServerOffer | undefined {
		return this.#offering?.outstanding;
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
		const connection = this.#answeringConnection(parsed);
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
			if (dataSpecs.length > 0) throw new SfuError('unsupported', 'the server offers no data channels');
			const targets = audioFirst(findPushers(target, mediaSpecs, () => false));
			return this.#offeringConnection().pull(targets);
		}
		const parsed = parseOffer(offer, this.#context.options.limits);
		const known = this.#find(parsed);
		const isFormer = (pusherId: string) => known?.hasPulled(pusherId);
		const targets = findPushers(target, mediaSpecs, isFormer);
		const dataTargets = findDataPushers(target, dataSpecs, isFormer);
		const connection = this.#answeringConnection(parsed);
		const negotiated = await connection.pull(parsed, targets, dataTargets);
		const { answer, pullers, dataPullers } = this.#adopt(connection, negotiated);
		return { answer, pullers, dataPullers, connection };
	}

	/**
	 * Offers everything that the others push to the client, now and from now on, until the connection closes. What the
	 * client stops itself stays away. Each offer comes by the event `offer`, audio first.
	 *
	 * @throws {@link SfuError} `limit_exceeded`, `closed`
	 */
	autoPull(): Connection {
		this.#assertOpen();
		const connection = this.#offeringConnection();
		this.#pullsAll = true;
		connection.add(audioFirst(this.#context.pushersOfOthers(this)));
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
	othersPush(pushers: readonly Pusher[]): void {
		if (this.#pullsAll) this.#offering?.add(audioFirst(pushers));
	}

	#offeringConnectionOf(connectionId: string): OfferingConnection {
		this.#assertOpen();
		if (this.#offering?.connectionId === connectionId) return this.#offering;
		throw new SfuError('not_found', `the user has no connection ${quote(connectionId)} for which the server offers`);
	}

	/** What has closed since it was negotiated was never the user's, and nobody will be told of its end. */
	#adopt(connection: Connection, { answer, ...negotiated }: Negotiated): Omit<Negotiated, 'added'> {
		this.#assertOpen();
		connection.assertOpen();
		const added = negotiated.added.filter(isOpen);
		const pushers: Pusher[] = [];
		for (const child of added) {
			if (child.kind === 'data') {
				if ('pullerId' in child) this.#addDataPuller(child);
				else this.#addDataPusher(child);
			} else if ('pullerId' in child) {
				this.#addPuller(child);
			} else {
				this.#addPusher(child);
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

	/** The connection of the RTCPeerConnection that an offer comes from, if it has made one before. */
	#find(offer: Offer): AnsweringConnection | undefined {
		return [...this.#answering].find((connection) => connection.isOf(offer));
	}

	#answeringConnection(offer: Offer): AnsweringConnection {
		const known = this.#find(offer);
		if (known) return known;
		return this.#open(
			() => new AnsweringConnection(this.#connectionContext, offer, this.#addDataPusher.bind(this)),
			(connection) => {
				this.#answering.add(connection);
				return () => this.#answering.delete(connection);
			},
		);
	}

	/** The one RTCPeerConnection for which we offer. */
	#offeringConnection(): OfferingConnection {
		if (this.#offering) return this.#offering;
		return this.#open(
			() => new OfferingConnection(this.#connectionContext, this.#offered.bind(this)),
			(connection) => {
				this.#offering = connection;
				return () => {
					this.#offering = undefined;
					this.#pullsAll = false;
				};
			},
		);
	}

	#offered(offer: ServerOffer, asked: boolean): void {
		for (const puller of offer.added) this.#addPuller(puller);
		if (!asked) this.emit('offer', { offer });
	}

	/** @param keep - keeps the connection, and returns how to forget it */
	#open<Kind extends Connection>(create: () => Kind, keep: (connection: Kind) => () => void): Kind {
		const giveBack = this.#connectionQuota.take();
		const connection = create();
		const forget = keep(connection);
		this.#context.quality.add(connection);
		connection.on('qualityChanged', ({ quality }) => {
			this.emit('qualityChanged', { connection, quality });
		});
		connection.once('closed', ({ reason }) => {
			forget();
			giveBack();
			if (reason !== 'negotiationFailed') this.emit('connectionClosed', { connection, reason });
		});
		return connection;
	}

	#addPusher(pusher: Pusher): void {
		this.#pushers.set(pusher.pusherId, pusher);
		pusher.on('paused', ({ cause }) => {
			this.emit('pusherPaused', { pusher, cause });
		});
		pusher.on('resumed', ({ cause }) => {
			this.emit('pusherResumed', { pusher, cause });
		});
		pusher.on('changed', () => {
			this.emit('pusherChanged', { pusher });
		});
		pusher.once('closed', ({ reason }) => {
			this.#pushers.delete(pusher.pusherId);
			this.emit('pusherClosed', { pusher, reason });
		});
	}

	#addDataPusher(dataPusher: DataPusher): void {
		this.#dataPushers.set(dataPusher.pusherId, dataPusher);
		dataPusher.on('changed', () => {
			this.emit('dataPusherChanged', { dataPusher });
		});
		dataPusher.once('closed', ({ reason }) => {
			this.#dataPushers.delete(dataPusher.pusherId);
			this.emit('dataPusherClosed', { dataPusher, reason });
		});
		this.emit('dataPusherAdded', { dataPusher });
	}

	#addDataPuller(dataPuller: DataPuller): void {
		this.#dataPullers.set(dataPuller.pullerId, dataPuller);
		dataPuller.once('closed', ({ reason }) => {
			this.#dataPullers.delete(dataPuller.pullerId);
			this.emit('dataPullerClosed', { dataPuller, reason });
		});
	}

	#addPuller(puller: Puller): void {
		this.#pullers.set(puller.pullerId, puller);
		puller.on('paused', ({ cause }) => {
			this.emit('pullerPaused', { puller, cause });
		});
		puller.on('resumed', ({ cause }) => {
			this.emit('pullerResumed', { puller, cause });
		});
		puller.on('layersChanged', ({ layers }) => {
			this.emit('layersChanged', { puller, layers });
		});
		puller.once('closed', ({ reason }) => {
			this.#pullers.delete(puller.pullerId);
			this.emit('pullerClosed', { puller, reason });
		});
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the user has left the room');
	}
}

/** The first m-line is one for audio. */
const audioFirst = (pushers: readonly Pusher[]): Pusher[] =>
	[...pushers].sort((a, b) => Number(b.kind === 'audio') - Number(a.kind === 'audio'));

const isOpen = ({ closed }: { closed: boolean }): boolean => !closed;
