import type { MediaKind } from 'mediasoup/types';
import { isOpen } from '../isOpen.js';
import type { Logger } from '../Logger.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import type { MediaGate, PushGrant } from '../tracks/MediaGate.js';
import type { PusherDetails } from '../tracks/PushOptions.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import { sourceOf, type AppPauses, type FollowedMutes } from './AppPauses.js';
import { changePermissions, defaultPermissions, effective, type Permissions } from './Permissions.js';
import type { RoomMember } from './RoomMember.js';

interface GateOptions {
	userId: string;
	/** The user, for the app's predicate. */
	user: RoomMember;
	findUser: (userId: string) => RoomMember;
	pauses: AppPauses;
	permissions: Partial<Permissions>;
	logger: Logger;
}

/** Enforces the permissions of a user, and keeps paused what the app has paused. */
export class UserGate implements MediaGate {
	readonly #options: GateOptions;
	#granted: Readonly<Permissions>;
	#permissions: Readonly<Permissions>;
	/** Counts the changes of the permissions. */
	#revision = 0;
	#tracks = 0;
	readonly #pushers = new Set<AnyPusher>();
	readonly #pullers = new Map<AnyPuller, AnyPusher>();
	/** What was denied to the user, and may be allowed later. */
	readonly #denied = new Set<AnyPusher>();
	/** The pushers whose closing is noticed. */
	readonly #noticed = new WeakSet<AnyPusher>();

	/** @throws {@link SfuError} `invalid_argument` */
	constructor(options: GateOptions) {
		this.#options = options;
		this.#granted = changePermissions(defaultPermissions, options.permissions);
		this.#permissions = effective(this.#granted);
	}

	get permissions(): Readonly<Permissions> {
		return this.#permissions;
	}

	get maxBitrate(): number {
		const { push } = this.#permissions;
		return (typeof push === 'object' ? push.maxBitrate : undefined) ?? 0;
	}

	/** What was denied, and is still there. It is forgotten by that. */
	takeDenied(): AnyPusher[] {
		const denied = [...this.#denied].filter(isOpen);
		this.#denied.clear();
		return denied;
	}

	/** Notes pushers that are denied without a question. */
	deny(pushers: readonly AnyPusher[]): void {
		for (const pusher of pushers) {
			if (pusher.closed) continue;
			this.#denied.add(pusher);
			if (this.#noticed.has(pusher)) continue;
			this.#noticed.add(pusher);
			pusher.once('closed', () => this.#denied.delete(pusher));
		}
	}

	/**
	 * Changes the permissions, and closes what they no longer allow.
	 *
	 * @throws {@link SfuError} `invalid_argument`
	 */
	change(changes: Partial<Permissions>): void {
		this.#granted = changePermissions(this.#granted, changes);
		this.#permissions = effective(this.#granted);
		this.#revision++;
	}

	/** Closes what the permissions no longer allow. */
	enforce(): void {
		for (const pusher of [...this.#pushers]) {
			if (!this.#mayPush(pusher.kind, pusher.source)) pusher.close('notPermitted');
		}
		for (const pusher of this.#admittedTracks().slice(this.#maxPushers)) pusher.close('notPermitted');
		for (const [puller, pusher] of [...this.#pullers]) {
			if (puller.closed || pusher.closed || this.#mayPull(pusher)) continue;
			this.deny([pusher]);
			puller.close('notPermitted');
		}
	}

	assertPush(kind: MediaKind | 'data', source: string | null | undefined): void {
		if (this.#mayPush(kind, source)) return;
		throw new SfuError(
			'forbidden',
			kind === 'data'
				? 'the user may not open data channels'
				: `the user may not push ${kind}${source == null ? '' : ` of the source ${quoted(source)}`}`,
		);
	}

	assertUpdate(pusher: AnyPusher, { source = pusher.source, metadata = pusher.metadata }: PusherDetails): void {
		const isSame = (source ?? undefined) === pusher.source;
		if (isSame && JSON.stringify(metadata ?? undefined) === JSON.stringify(pusher.metadata)) return;
		if (!this.#permissions.updateMetadata) throw new SfuError('forbidden', 'the user may not change its pushers');
		if (!isSame) this.assertPush(pusher.kind, source);
	}

	beginPush(kind: MediaKind | 'data', source: string | null | undefined): PushGrant {
		this.assertPush(kind, source);
		const isTrack = kind !== 'data';
		const assertRoom = (tracks: number) => {
			if (!isTrack || tracks < this.#maxPushers) return;
			throw new SfuError('limit_exceeded', `the user may not push more than ${this.#maxPushers} tracks`);
		};
		assertRoom(this.#tracks);
		if (isTrack) this.#tracks++;
		return {
			admit: (pusher) => {
				// The permissions may have changed meanwhile.
				this.assertPush(kind, pusher.source);
				assertRoom(this.#admittedTracks().length);
				this.#keepPusher(pusher);
			},
			giveBack: () => {
				if (isTrack) this.#tracks--;
			},
		};
	}

	/** Another server has muted sources of the user, or has taken that back. */
	followMutes({ kind, wasMuted }: FollowedMutes): void {
		const { userId, pauses } = this.#options;
		for (const pusher of this.#pushers) {
			const source = sourceOf(pusher);
			const isMuted = pauses.isMuted(userId, kind, source);
			if (pusher.kind === kind && isMuted !== wasMuted(source)) this.#setPaused(pusher, isMuted);
		}
	}

	beginPull(pusher: AnyPusher): (puller: AnyPuller) => void {
		const ask = () => {
			if (this.#mayPull(pusher)) return;
			this.deny([pusher]);
			throw new SfuError('forbidden', `the user may not pull the pusher ${quoted(pusher.pusherId)}`);
		};
		ask();
		const revision = this.#revision;
		return (puller) => {
			if (this.#revision !== revision) ask();
			this.#keepPuller(puller, pusher);
		};
	}

	#keepPusher(pusher: AnyPusher): void {
		const { userId, pauses } = this.#options;
		const muteAgain = () => {
			if (pauses.isMuted(userId, pusher.kind, sourceOf(pusher))) this.#setPaused(pusher, true);
		};
		muteAgain();
		pusher.appPaused = (paused) => {
			for (const other of this.#namesakes(pusher)) this.#setPaused(other, paused);
			if (paused) pauses.mute(userId, pusher.kind, sourceOf(pusher));
			else if (!this.#isMutedBeside(pusher)) pauses.unmute(userId, pusher.kind, sourceOf(pusher));
		};
		pusher.assertUpdate = (details) => {
			this.assertUpdate(pusher, details);
		};
		pusher.on('changed', () => {
			// Another name is no way out.
			if (pusher.pausedBy.includes('app')) pauses.mute(userId, pusher.kind, sourceOf(pusher));
			else muteAgain();
		});
		this.#pushers.add(pusher);
		pusher.once('closed', () => {
			this.#pushers.delete(pusher);
			pauses.forget(pusher.pusherId);
		});
	}

	#keepPuller(puller: AnyPuller, pusher: AnyPusher): void {
		const { userId, pauses } = this.#options;
		if (pauses.isHeld(userId, pusher.pusherId)) this.#setPaused(puller, true);
		puller.appPaused = (paused) => {
			pauses.hold(userId, pusher.pusherId, paused);
			for (const [other, pulled] of this.#pullers) if (pulled === pusher) this.#setPaused(other, paused);
		};
		this.#pullers.set(puller, pusher);
		puller.once('closed', () => this.#pullers.delete(puller));
	}

	/** Whether another pusher without a name keeps the kind muted, to which this one belongs, too. */
	#isMutedBeside(pusher: AnyPusher): boolean {
		return sourceOf(pusher) === undefined && this.#like(pusher).some(({ pausedBy }) => pausedBy.includes('app'));
	}

	/** The other pushers that have the same source, by its name. Those without a name may be anything. */
	#namesakes(pusher: AnyPusher): AnyPusher[] {
		return sourceOf(pusher) === undefined ? [] : this.#like(pusher);
	}

	/** The other pushers of the same kind and source, or without one as this. */
	#like(pusher: AnyPusher): AnyPusher[] {
		return [...this.#pushers].filter(
			(other) => other !== pusher && other.kind === pusher.kind && sourceOf(other) === sourceOf(pusher),
		);
	}

	#setPaused(endpoint: AnyPusher | AnyPuller, paused: boolean): void {
		if (endpoint.pausedBy.includes('app') === paused) return;
		endpoint.setPaused('app', paused).catch((error: unknown) => {
			if (!endpoint.closed)
				this.#options.logger.warn('something could not be paused or resumed with its like', { error });
		});
	}

	#admittedTracks(): AnyPusher[] {
		return [...this.#pushers].filter(({ kind }) => kind !== 'data');
	}

	get #maxPushers(): number {
		const { push } = this.#permissions;
		return (typeof push === 'object' ? push.maxPushers : undefined) ?? Infinity;
	}

	#mayPush(kind: MediaKind | 'data', source: string | null | undefined): boolean {
		const { push, openDataChannels } = this.#permissions;
		if (kind === 'data') return openDataChannels;
		if (typeof push === 'boolean') return push;
		const { kinds, sources } = push;
		return (!kinds || kinds.includes(kind)) && (!sources || sources.includes(source ?? kind));
	}

	#mayPull(pusher: AnyPusher): boolean {
		const { pull } = this.#permissions;
		if (typeof pull === 'boolean') return pull;
		const { user, findUser, logger } = this.#options;
		try {
			const allowed: unknown = pull({ user, target: findUser(pusher.userId), pusher });
			return allowed === true;
		} catch (error) {
			logger.error('the permission to pull could not be asked', { error });
			return false;
		}
	}
}
