import type { Connection } from '../connections/Connection.js';
import type { UserConnections } from '../connections/UserConnections.js';
import type { Emitter } from '../Emitter.js';
import { isOpen } from '../isOpen.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import { ChosenVideos } from './ChosenVideos.js';
import { audioFirst } from './userCalls.js';
import type { UserEvents } from './UserEvents.js';
import type { UserGate } from './UserGate.js';

interface AutoPullContext {
	user: Emitter<UserEvents> & { readonly pullers: ReadonlyMap<string, AnyPuller> };
	gate: UserGate;
	connections: UserConnections;
	/** The sources of the videos that always come. */
	keptSources: readonly string[];
	/** All that the others push. */
	others: () => AnyPusher[];
}

/** Pulls for a user what the others push: all of it, or only the videos that are chosen. */
export class AutoPull {
	readonly #context: AutoPullContext;
	readonly #videos: ChosenVideos;

	constructor(context: AutoPullContext) {
		this.#context = context;
		const { user, connections, keptSources } = context;
		this.#videos = new ChosenVideos({
			isCounted: ({ source = '' }) => !keptSources.includes(source),
			isPulled: ({ pusherId }) => this.#pulledBy(pusherId) !== undefined,
			pull: (pushers) => connections.offering?.follow(pushers),
			drop: ({ pusherId }) => {
				this.#pulledBy(pusherId)?.close('notChosen');
			},
		});
		user.on('pullerAdded', ({ puller }) => {
			// Others were chosen while it was created.
			if (this.#isAutomatic(puller) && this.#videos.isDropped(puller.pusherId)) puller.close('notChosen');
		});
		user.on('pullerClosed', ({ puller, reason }) => {
			if (!this.#isAutomatic(puller)) return;
			this.#videos.pullerClosed(puller.pusherId, reason);
			if (reason === 'interrupted') this.#pullAgain(puller.pusherId);
		});
	}

	/**
	 * Begins, or begins anew, with all that the others push already.
	 *
	 * @param videos - how many videos that count to choose at most
	 * @returns the connection
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	begin(videos: number): Connection {
		this.#videos.begin(videos);
		const connection = this.#context.connections.toOffer();
		const pushers = this.#context.others();
		connection.follow([]);
		this.add(pushers);
		return connection;
	}

	/** Follows nothing any more. */
	close(): void {
		this.#videos.close();
	}

	/** Pulls what others push from now on, if the user has asked for that. */
	add(pushers: readonly AnyPusher[]): void {
		const { connections, gate } = this.#context;
		if (!connections.offering?.follows) return;
		if (gate.permissions.pull === false) gate.deny(pushers);
		else this.#videos.add(audioFirst(pushers.filter(isOpen)));
	}

	/** Prefers the videos of another user, or no more. */
	pin(userId: string, pinned: boolean): void {
		this.#videos.pin(userId, pinned);
	}

	/** Notes that another user speaks. */
	spoke(userId: string): void {
		this.#videos.spoke(userId);
	}

	#pullAgain(pusherId: string): void {
		const pusher = this.#context.others().find((other) => other.pusherId === pusherId);
		if (pusher) this.#context.connections.offering?.follow([pusher]);
	}

	#isAutomatic({ connectionId }: AnyPuller): boolean {
		const { offering } = this.#context.connections;
		return offering?.follows === true && offering.connectionId === connectionId;
	}

	#pulledBy(pusherId: string): AnyPuller | undefined {
		const { pullers } = this.#context.user;
		return [...pullers.values()].find((puller) => puller.pusherId === pusherId && this.#isAutomatic(puller));
	}
}
