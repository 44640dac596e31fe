import type { Connection } from '../connections/Connection.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import type { UserEvents } from './UserEvents.js';

type Emit = <Event extends keyof UserEvents>(event: Event, ...args: Parameters<UserEvents[Event]>) => void;

/** What a user sends and receives. Its user repeats the events of each. */
export class UserTracks {
	readonly pushers = new Map<string, AnyPusher>();
	readonly pullers = new Map<string, AnyPuller>();
	readonly #emit: Emit;

	/** @param emit - emits an event of the user */
	constructor(emit: Emit) {
		this.#emit = emit;
	}

	/** Adds what a connection brings. */
	follow(connection: Connection): void {
		connection.on('pushersAdded', ({ pushers }) => {
			this.addPushers(pushers);
		});
		connection.on('pullersAdded', ({ pullers, inBand }) => {
			for (const puller of pullers) this.#addPuller(puller, inBand);
		});
	}

	/** Adds what one push or data channel brought, until it closes. */
	addPushers(pushers: readonly AnyPusher[]): void {
		for (const pusher of pushers) this.#followPusher(pusher);
		const tracks = pushers.filter((pusher) => pusher.kind !== 'data');
		for (const pusher of pushers) if (pusher.kind === 'data') this.#emit('pusherAdded', { pusher });
		for (const pusher of tracks) this.#emit('pusherAdded', { pusher });
		if (tracks.length > 0) this.#emit('pushed', { pushers: tracks });
	}

	/** Adds a puller, until it closes. */
	#addPuller(puller: AnyPuller, inBand: boolean): void {
		this.pullers.set(puller.pullerId, puller);
		puller.on('paused', ({ cause }) => {
			this.#emit('pullerPaused', { puller, cause });
		});
		puller.on('resumed', ({ cause }) => {
			this.#emit('pullerResumed', { puller, cause });
		});
		puller.on('changed', ({ layers }) => {
			this.#emit('pullerChanged', { puller, layers });
		});
		puller.once('closed', ({ reason }) => {
			this.pullers.delete(puller.pullerId);
			this.#emit('pullerClosed', { puller, reason });
		});
		this.#emit('pullerAdded', { puller, inBand });
	}

	#followPusher(pusher: AnyPusher): void {
		this.pushers.set(pusher.pusherId, pusher);
		pusher.on('paused', ({ cause }) => {
			this.#emit('pusherPaused', { pusher, cause });
		});
		pusher.on('resumed', ({ cause }) => {
			this.#emit('pusherResumed', { pusher, cause });
		});
		pusher.on('changed', () => {
			this.#emit('pusherChanged', { pusher });
		});
		pusher.once('closed', ({ reason }) => {
			this.pushers.delete(pusher.pusherId);
			this.#emit('pusherClosed', { pusher, reason });
		});
		if (pusher.kind === 'data') return;
		pusher.on('stalled', () => {
			this.#emit('pusherStalled', { pusher });
		});
		pusher.on('recovered', () => {
			this.#emit('pusherRecovered', { pusher });
		});
		pusher.on('layersWanted', ({ encodings }) => {
			this.#emit('layersWanted', { pusher, encodings });
		});
	}
}
