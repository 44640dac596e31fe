import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { UserEvents } from './UserEvents.js';

/** Emits an event of a user. */
export type EmitUserEvent = <Event extends keyof UserEvents>(
	event: Event,
	...args: Parameters<UserEvents[Event]>
) => void;

/** What a user sends and receives, as long as it is open; what happens to it becomes events of the user. */
export class Belongings {
	/** By pusher id, as the next one. */
	readonly pushers = new Map<string, Pusher>();
	readonly dataPushers = new Map<string, DataPusher>();
	/** By puller id, as the next one. */
	readonly pullers = new Map<string, Puller>();
	readonly dataPullers = new Map<string, DataPuller>();
	readonly #emit: EmitUserEvent;

	constructor(emit: EmitUserEvent) {
		this.#emit = emit;
	}

	addPusher(pusher: Pusher): void {
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
	}

	addDataPusher(dataPusher: DataPusher): void {
		this.dataPushers.set(dataPusher.pusherId, dataPusher);
		dataPusher.on('paused', ({ cause }) => {
			this.#emit('dataPusherPaused', { dataPusher, cause });
		});
		dataPusher.on('resumed', ({ cause }) => {
			this.#emit('dataPusherResumed', { dataPusher, cause });
		});
		dataPusher.on('changed', () => {
			this.#emit('dataPusherChanged', { dataPusher });
		});
		dataPusher.once('closed', ({ reason }) => {
			this.dataPushers.delete(dataPusher.pusherId);
			this.#emit('dataPusherClosed', { dataPusher, reason });
		});
		this.#emit('dataPusherAdded', { dataPusher });
	}

	addPuller(puller: Puller | DataPuller): void {
		if (puller.kind === 'data') this.#addDataPuller(puller);
		else this.#addMediaPuller(puller);
	}

	#addMediaPuller(puller: Puller): void {
		this.pullers.set(puller.pullerId, puller);
		puller.on('paused', ({ cause }) => {
			this.#emit('pullerPaused', { puller, cause });
		});
		puller.on('resumed', ({ cause }) => {
			this.#emit('pullerResumed', { puller, cause });
		});
		puller.on('layersChanged', ({ layers }) => {
			this.#emit('layersChanged', { puller, layers });
		});
		puller.once('closed', ({ reason }) => {
			this.pullers.delete(puller.pullerId);
			this.#emit('pullerClosed', { puller, reason });
		});
	}

	#addDataPuller(dataPuller: DataPuller): void {
		this.dataPullers.set(dataPuller.pullerId, dataPuller);
		dataPuller.on('paused', ({ cause }) => {
			this.#emit('dataPullerPaused', { dataPuller, cause });
		});
		dataPuller.on('resumed', ({ cause }) => {
			this.#emit('dataPullerResumed', { dataPuller, cause });
		});
		dataPuller.once('closed', ({ reason }) => {
			this.dataPullers.delete(dataPuller.pullerId);
			this.#emit('dataPullerClosed', { dataPuller, reason });
		});
	}
}
