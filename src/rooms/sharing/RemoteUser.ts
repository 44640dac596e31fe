import type { DataProducer, Producer, Router } from 'mediasoup/types';
import type { Connection } from '../../connections/Connection.js';
import type { Arrived } from '../../media/pipes/IncomingPipes.js';
import type { PayloadTypes } from '../../media/remap/payloadTypes.js';
import { SfuError } from '../../SfuError.js';
import type { PusherOwner } from '../../tracks/PusherOwner.js';
import type { PusherState } from '../../tracks/PusherState.js';
import { RemoteDataPusher } from '../../tracks/RemoteDataPusher.js';
import { RemotePusher } from '../../tracks/RemotePusher.js';
import type { AppMessage } from '../AppLine.js';
import { changePermissions, type Permissions } from '../Permissions.js';
import { User } from '../User.js';
import type { UserContext } from '../UserContext.js';
import { readUserDetails, type UserDetails } from '../UserDetails.js';
import type { UserCloseReason } from '../UserEvents.js';
import type { UserState } from './UserState.js';

/** The server of a user, as seen from another one. */
export interface UserOwner {
	nodeId: string;
	/** Asks it to do something with the user, whatever comes of it. */
	tell(call: string, params: object): void;
	/** Asks it to do something with the user, and waits for so many ms at least. */
	ask(call: string, params: object, timeout: number): Promise<unknown>;
	/** Reaches it for one of the user's pushers. */
	pusher(pusherId: string): PusherOwner & {
		bring(router: Router, payloadTypes: PayloadTypes): Promise<Arrived<Producer>>;
		bringData(router: Router): Promise<Arrived<DataProducer>>;
		/** Tells what those who pull it here can take. */
		demand(bitrate: number, spatialLayer: number | undefined): void;
	};
}

/** A user who has joined on another server. What the app asks of it, that server does. */
export class RemoteUser extends User {
	override readonly isRemote = true;
	readonly #owner: UserOwner;
	readonly #context: UserContext;
	readonly #remotes = new Map<string, RemotePusher | RemoteDataPusher>();

	constructor(userId: string, state: UserState, context: UserContext, owner: UserOwner) {
		const { userName, metadata, appData, permissions } = state;
		super({ userId, userName, metadata, appData, permissions }, context);
		this.#owner = owner;
		this.#context = context;
	}

	/** The id of its server, as in `sfu.cluster.nodes`. */
	get nodeId(): string {
		return this.#owner.nodeId;
	}

	override close(reason: UserCloseReason = 'left'): void {
		if (!this.closed) this.#owner.tell('close', { reason });
	}

	override setPermissions(changes: Partial<Permissions>): void {
		changePermissions(this.permissions, changes);
		if (typeof changes.pull === 'function') {
			throw new SfuError('unsupported', 'a function must be set on the server of the user');
		}
		if (!this.closed) this.#owner.tell('setPermissions', { changes });
	}

	override update(details: UserDetails): void {
		const checked = readUserDetails(details, this.#context.options.limits);
		if (!this.closed) this.#owner.tell('update', { details: checked });
	}

	protected override deliver(message: AppMessage): void {
		this.#owner.tell('send', { ...message });
	}

	protected override ask(message: AppMessage, timeout: number): Promise<unknown> {
		return this.#owner.ask('request', { ...message, timeout }, timeout);
	}

	override push(): Promise<never> {
		return Promise.reject(notHere());
	}

	override pull(): Promise<never> {
		return Promise.reject(notHere());
	}

	override autoPull(): Connection {
		throw notHere();
	}

	override answer(): Promise<never> {
		return Promise.reject(notHere());
	}

	override pin(): void {
		throw notHere();
	}

	override othersPushed(): void {
		// Its own server offers it what others push.
	}

	/** Follows what its server tells of it. */
	follow(state: UserState): void {
		this.tickets.follow(state.tickets);
		if (JSON.stringify(state.permissions) !== JSON.stringify(this.permissions)) super.setPermissions(state.permissions);
		this.change({ userName: state.userName, metadata: state.metadata ?? null }, state.changedBy ?? 'app');
		this.setQuality(state.quality);
		const told = new Set(state.pushers.map(({ pusherId }) => pusherId));
		const reasons = new Map(state.ended);
		for (const [pusherId, pusher] of this.#remotes)
			if (!told.has(pusherId)) this.#end(pusher, reasons.get(pusherId) ?? 'closed');
		const added = state.pushers.flatMap((one) => this.#followPusher(one));
		if (added.length > 0) this.addPushers(added);
	}

	/** It has left. */
	end(reason: UserCloseReason): void {
		if (this.closed) return;
		for (const pusher of this.#remotes.values()) this.#end(pusher, 'userLeft');
		super.close(reason);
	}

	/** @returns the pusher if it is new */
	#followPusher(state: PusherState): (RemotePusher | RemoteDataPusher)[] {
		const known = this.#remotes.get(state.pusherId);
		if (known) {
			if (known.kind === 'data' && state.kind === 'data') known.follow(state);
			else if (known.kind !== 'data' && state.kind !== 'data') known.follow(state);
			return [];
		}
		const created = state.kind === 'data' ? this.#createChannel(state) : this.#createTrack(state);
		this.#remotes.set(state.pusherId, created);
		return [created];
	}

	#createChannel(state: PusherState & { kind: 'data' }): RemoteDataPusher {
		const { userId } = this;
		const { logger, options } = this.#context;
		const owner = this.#owner.pusher(state.pusherId);
		const { connectionId } = state;
		return new RemoteDataPusher({ userId, connectionId, logger, limits: options.limits, state, owner });
	}

	#createTrack(state: PusherState & { kind: 'audio' | 'video' }): RemotePusher {
		const { userId } = this;
		const { logger, options, streamIds } = this.#context;
		const { connectionId, streamId, pusherId } = state;
		const { id: toldStreamId, release } = streamIds.take(connectionId, streamId);
		const owner = this.#owner.pusher(pusherId);
		const { limits } = options;
		const pusher = new RemotePusher({ userId, connectionId, logger, limits, toldStreamId, state, owner });
		pusher.once('closed', release);
		const { demand } = pusher.pullSource;
		const tell = () => {
			const isPulled = demand.bitrate < Infinity || demand.spatialLayer !== undefined;
			// Its server may have missed that it has gone here.
			if (!pusher.closed || !isPulled) owner.demand(demand.bitrate, demand.spatialLayer);
		};
		demand.on('changed', tell).on('layerChanged', tell);
		return pusher;
	}

	#end(pusher: RemotePusher | RemoteDataPusher, reason: string): void {
		this.#remotes.delete(pusher.pusherId);
		pusher.end(reason);
	}
}

const notHere = (): SfuError => new SfuError('unsupported', 'the user has joined on another server');
