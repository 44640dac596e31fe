import type { Logger } from '../../Logger.js';

interface Observer {
	on(event: 'close' | 'pause' | 'resume', listener: () => void): unknown;
}

/** Takes a source in, on one end of a pair of pipe transports: a Consumer or a DataConsumer. */
export interface Entry {
	readonly closed: boolean;
	readonly observer: Observer;
	close(): void;
}

/** Brings out on the other end what the entry takes in: a Producer or a DataProducer. */
export interface Exit {
	readonly id: string;
	readonly closed: boolean;
	readonly paused: boolean;
	readonly observer: Observer;
	pause(): Promise<void>;
	resume(): Promise<void>;
	close(): void;
}

/** Carries a source to a second producer: with other payload types, or on another worker. It closes with its source, or with its last lease. */
export class Pipe {
	/** Called once, when the pipe has closed. */
	onClosed: (() => void) | undefined;
	readonly #exit: Exit;
	#leases = 0;

	/** @param isPaused - whether the source is paused at the moment */
	constructor(entry: Entry, exit: Exit, isPaused: () => boolean, logger: Logger) {
		this.#exit = exit;
		const failed = (error: unknown) => {
			if (!exit.closed) logger.warn('a pipe could not follow its source', { error });
		};
		entry.observer.on('close', () => {
			exit.close();
		});
		entry.observer.on('pause', () => {
			exit.pause().catch(failed);
		});
		entry.observer.on('resume', () => {
			exit.resume().catch(failed);
		});
		exit.observer.on('close', () => {
			entry.close();
			this.onClosed?.();
		});
		if (entry.closed) exit.close();
		// The source may have been paused or resumed while the exit was being created.
		else if (isPaused() !== exit.paused) (isPaused() ? exit.pause() : exit.resume()).catch(failed);
	}

	/** The id of the second producer. */
	get producerId(): string {
		return this.#exit.id;
	}

	get closed(): boolean {
		return this.#exit.closed;
	}

	close(): void {
		this.#exit.close();
	}

	/** Keeps the pipe open until the returned function is called. Returns undefined if it has closed already. */
	lease(): (() => void) | undefined {
		if (this.closed) return undefined;
		this.#leases++;
		let released = false;
		return () => {
			if (released) return;
			released = true;
			this.#leases--;
			if (this.#leases === 0) this.close();
		};
	}
}
