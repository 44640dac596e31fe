import type { IceServer } from '../protocol/iceServers.js';
import { readAppMessage } from './AppLine.js';
import { AppRequests, type AppRequestHandler, type HandleOptions } from './AppRequests.js';
import { IceServers } from './IceServers.js';
import type { RoomMember } from './RoomMember.js';
import type { User } from './User.js';
import type { WorkerDump } from 'mediasoup/types';
import { Emitter } from '../Emitter.js';
import { guarded, limited, type Logger } from '../Logger.js';
import type { ClusterOptions } from '../clusterOptions.js';
import { CodecPolicy } from '../media/codecs.js';
import type { WorkerLoad } from '../media/placement.js';
import { WorkerPool } from '../media/WorkerPool.js';
import { SfuError } from '../SfuError.js';
import { checkLength, codecNames, milliseconds, nonEmpty, strict, validator } from '../schemas.js';
import { toSfuError } from '../media/callWorker.js';
import type { WorkerUsage } from '../media/workerUsage.js';
import type { MessageFailure, Observer } from '../Observer.js';
import { Observers } from '../Observers.js';
import type { Limits, ResolvedOptions, SfuOptions } from '../options.js';
import { Quota } from '../Quota.js';
import { resolveOptions } from '../resolveOptions.js';
import { drained, untilEmpty, type DrainOptions } from './Drain.js';
import { countAll, type SfuCounts } from './inspection/counts.js';
import { healthOf, type Health } from './inspection/health.js';
import { inspect } from './inspection/inspect.js';
import type { Inspection, InspectOptions } from './inspection/Inspection.js';
import { logOperations, logRoom } from './RoomLog.js';
import { Room } from './Room.js';
import type { RoomCloseReason } from './RoomEvents.js';
import type { ClusterOverrides, SfuCluster } from './sharing/SfuCluster.js';
import type { RoomOptions } from './RoomOptions.js';

/** The events of an Sfu. */
export type SfuEvents = {
	/** A room was opened. */
	roomOpened: (event: { room: Room }) => void;
	/** A room has closed. */
	roomClosed: (event: { room: Room; reason: RoomCloseReason }) => void;
	/** A media worker has died. Its connections have closed, and a new worker is being started. */
	workerDied: (event: { pid: number; error: Error }) => void;
	/** A new worker replaces one that died. */
	workerReplaced: (event: { pid: number }) => void;
	/** The Sfu has closed. Emitted once, last. */
	closed: () => void;
};

const checkRoomId = validator<string>(nonEmpty, 'roomId');

const checkDrainOptions = validator<DrainOptions>(strict({ timeout: milliseconds }), 'options');

const checkRoomOptions = validator<RoomOptions>(strict({ codecs: codecNames, lobby: { type: 'boolean' } }), 'options');

/**
 * An SFU (selective forwarding unit): media workers, and the rooms on them. A process needs only one.
 *
 * @example
 * ```ts
 * const sfu = await Sfu.create({ webRtc: { listen: [{ ip: '0.0.0.0', announcedAddress: '203.0.113.7' }] } });
 * const room = await sfu.getOrCreateRoom('lobby');
 * const user = await room.join({ userId: 'alice' });
 * ```
 */
export class Sfu extends Emitter<SfuEvents> {
	readonly #options: ResolvedOptions;
	readonly #codecs: CodecPolicy;
	readonly #pool: WorkerPool;
	readonly #rooms = new Map<string, Room>();
	readonly #opening = new Map<string, Promise<Room>>();
	readonly #roomQuota: Quota;
	readonly #appRequests: AppRequests;
	readonly #iceServers: IceServers;
	readonly #observers: Observers;
	#cluster: SfuCluster | undefined;
	#draining = false;
	#closed = false;

	/**
	 * Starts the media workers.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument` with the name of the option, `unavailable` if a worker cannot be
	 *   started
	 */
	static create(options: SfuOptions = {}): Promise<Sfu> {
		return Sfu.createWith(options, ({ workers, webRtc, logger }) =>
			WorkerPool.create({ ...workers, listen: webRtc.listen }, logger),
		);
	}

	/** @internal Creates an Sfu on another pool of workers, and in another cluster. */
	static async createWith(
		options: SfuOptions,
		createPool: (options: ResolvedOptions) => Promise<WorkerPool>,
		overrides?: ClusterOverrides,
	): Promise<Sfu> {
		const given = resolveOptions(options);
		const resolved = { ...given, logger: limited(guarded(given.logger)) };
		// Unknown codecs must fail before a worker is started.
		const codecs = new CodecPolicy(resolved.codecs);
		const sfu = new Sfu(resolved, codecs, await createPool(resolved));
		try {
			if (resolved.cluster) await sfu.#joinCluster(resolved.cluster, overrides);
			return sfu;
		} catch (error) {
			sfu.close();
			throw toSfuError(error);
		}
	}

	private constructor(options: ResolvedOptions, codecs: CodecPolicy, pool: WorkerPool) {
		super(options.logger);
		this.#options = options;
		this.#codecs = codecs;
		this.#pool = pool;
		this.#roomQuota = new Quota(options.limits.rooms, 'rooms');
		this.#appRequests = new AppRequests(options.limits);
		this.#iceServers = new IceServers(options.iceServers, options.iceServersTimeout, options.logger);
		this.#observers = new Observers(options.logger);
		this.#observers.add(logOperations(options.logger));
		pool.on('workerDied', (event) => {
			this.emit('workerDied', event);
		});
		pool.on('workerReplaced', (event) => {
			this.emit('workerReplaced', event);
		});
	}

	/** Whether it has closed. */
	get closed(): boolean {
		return this.#closed;
	}

	/** The open rooms, by room id. */
	get rooms(): ReadonlyMap<string, Room> {
		return this.#rooms;
	}

	/** How busy each running media worker is, as measured within the last seconds. */
	get workers(): readonly WorkerLoad[] {
		return this.#pool.loads;
	}

	/** The servers that share rooms. Undefined without the option `cluster`. */
	get cluster(): SfuCluster | undefined {
		return this.#cluster;
	}

	/** The limits in force. */
	get limits(): Readonly<Limits> {
		return this.#options.limits;
	}

	/** The logger, for adapters. It never throws. */
	get logger(): Logger {
		return this.#options.logger;
	}

	/** Whether nobody new may join: see {@link Sfu.drain}. */
	get draining(): boolean {
		return this.#draining;
	}

	/**
	 * Prepares to stop without ending a call: no room opens any more, and nobody new joins (`unavailable`). Clients are told to
	 * go elsewhere (`migrate`). Those who are in a room stay, and come back to it after a lost socket, until they leave or the
	 * app calls {@link Sfu.close}. It cannot be taken back.
	 *
	 * @returns resolves when nobody is left, or at the timeout: whether all have left
	 * @throws {@link SfuError} (rejects) `invalid_argument`
	 */
	async drain(options: DrainOptions = {}): Promise<boolean> {
		const { timeout } = checkDrainOptions(options);
		if (!this.#draining) {
			this.#draining = true;
			this.#cluster?.tellLoad();
			for (const room of this.#rooms.values()) room.drain(timeout);
		}
		return untilEmpty(this.#rooms, timeout);
	}

	/** Closes all rooms and ends the workers. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const room of this.#rooms.values()) room.close('sfuClosed');
		this.#cluster?.close();
		this.#pool.close();
		this.emit('closed');
	}

	/**
	 * Gets the room with this id, and opens it if need be. Concurrent calls get the same room.
	 *
	 * @param options - how to open the room; a room that is open already stays as it is, on whatever server of a cluster it is
	 *   open. A warning is logged if it is open on another one with other options
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `unsupported` if the Sfu has none of `options.codecs`,
	 *   `limit_exceeded`, `unavailable` without a media worker or while it is drained, `closed`
	 */
	async getOrCreateRoom(roomId: string, options: RoomOptions = {}): Promise<Room> {
		if (this.#closed) throw this.#gone();
		checkLength(checkRoomId(roomId), 'roomId', this.limits.idLength);
		const given = { ...checkRoomOptions(options) };
		if (given.codecs) this.#codecs.narrow(given.codecs);
		const open = this.#rooms.get(roomId);
		if (open) return open;
		if (this.#draining) throw drained();
		let opening = this.#opening.get(roomId);
		if (!opening) {
			const open = () => this.#openRoom(roomId, given);
			opening = this.#observers.run('openRoom', { roomId }, open).finally(() => this.#opening.delete(roomId));
			this.#opening.set(roomId, opening);
		}
		return opening;
	}

	/** Whether a room is open, on this server or on another one of its cluster. It never rejects. */
	async hasRoom(roomId: string): Promise<boolean> {
		return this.#rooms.has(roomId) || ((await this.#cluster?.hasRoom(roomId)) ?? false);
	}

	/**
	 * Answers what clients ask the app (`appRequest`), in all rooms. A client that asks what nobody answers gets `not_found`.
	 *
	 * @param name - what is asked
	 * @param handler - answers it
	 * @param options - how long that may take
	 * @returns a function that takes the handler away
	 * @throws {@link SfuError} `invalid_argument`, `conflict` if the name has a handler already
	 * @example
	 * ```ts
	 * sfu.handle('raiseHand', ({ user, room }) => {
	 * 	room.send('handRaised', { userId: user.userId }, { except: [user.userId] });
	 * 	return { place: 1 };
	 * });
	 * ```
	 */
	handle(name: string, handler: AppRequestHandler, options: HandleOptions = {}): () => void {
		return this.#appRequests.handle(name, handler, options);
	}

	/**
	 * The `iceServers` for a client: what the option of that name says of a user, once more with each call.
	 *
	 * @returns none if the function of the option has failed or took too long, which is logged; it never rejects
	 */
	iceServersOf(user: RoomMember): Promise<IceServer[]> {
		return this.#iceServers.of(user);
	}

	/** @internal Asks the app on behalf of a client. @throws {@link SfuError} (rejects), and what the app throws */
	async answerClient(
		asker: { user: User; room: Room; gone: AbortSignal },
		name: string,
		data: unknown,
	): Promise<unknown> {
		return this.#appRequests.answer(readAppMessage(name, data, this.limits), asker, asker.gone);
	}

	/** Whether it can serve somebody new, and if not, why. For the probes of a load balancer or of Kubernetes. */
	get health(): Health {
		return healthOf(this);
	}

	/** How many there are of everything: what has joined on this server, and not what others share with it. */
	get counts(): SfuCounts {
		return countAll(this);
	}

	/** Measures what the processes of the media workers have used. A worker that does not answer is missing. */
	async measureWorkers(): Promise<WorkerUsage[]> {
		return this.#pool.measure();
	}

	/**
	 * A picture of everything, to look at: workers, other servers, rooms, users, connections, pushers and pullers. It is plain
	 * JSON. It has no SDP, no keys, passwords or tokens, and no metadata of the app unless it is asked for.
	 *
	 * @throws {@link SfuError} `invalid_argument`
	 */
	inspect(options: InspectOptions = {}): Inspection {
		return inspect(this, options);
	}

	/**
	 * Follows what the app and its clients wait for: rooms that open, joins, pushes, pulls, offers, answers and connecting.
	 * Also which messages of clients fail, and why connections close.
	 *
	 * @returns a function that ends this
	 */
	observe(observer: Observer): () => void {
		return this.#observers.add(observer);
	}

	/** @internal Tells the observers that a message of a client has failed. */
	messageFailed(failure: MessageFailure): void {
		this.#observers.messageFailed(failure);
	}

	/** Dumps the objects in each media worker, for diagnosis. */
	async dump(): Promise<WorkerDump[]> {
		return this.#pool.dump();
	}

	async #openRoom(roomId: string, given: RoomOptions): Promise<Room> {
		const giveBack = this.#roomQuota.take();
		const settings = { codecs: this.#codecs, given, observers: this.#observers };
		const room = new Room(roomId, this.#pool, settings, this.#options);
		room.once('closed', giveBack);
		try {
			const cluster = this.#cluster;
			await room.open(cluster && ((part) => cluster.share(part)));
			if (this.#closed) throw this.#gone();
			if (this.#draining) throw drained();
			if (room.closed) throw new SfuError('closed', 'the room has been closed');
		} catch (error) {
			room.close();
			throw this.#closed ? this.#gone() : toSfuError(error);
		}
		logRoom(room, this.#options.logger);
		this.#rooms.set(roomId, room);
		room.once('closed', ({ reason }) => {
			this.#rooms.delete(roomId);
			this.emit('roomClosed', { room, reason });
		});
		this.emit('roomOpened', { room });
		return room;
	}

	/** Whoever has no cluster does not load any of it. */
	async #joinCluster(options: ClusterOptions, overrides: ClusterOverrides | undefined): Promise<void> {
		const { SfuCluster } = await import('./sharing/SfuCluster.js');
		const part = {
			rooms: this.#rooms,
			workers: () => this.workers,
			isDraining: () => this.#draining,
			options: this.#options,
		};
		this.#cluster = await SfuCluster.join(options, part, overrides);
	}

	#gone(): SfuError {
		return new SfuError('closed', 'the Sfu has been closed');
	}
}
