import type { Logger } from '../../Logger.js';

interface Observer {
	on(event: 'close' | 'pause' | 'resume', listener: () => void): unknown;
}

/** Takes a source in, on one end of a pair of pipe transports: a Consumer or a DataConsumer. */
export interface Entry {
	readonly closed: boolean;
	readonly observer: Observer;
	resume(): Promise<void>;
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
	readonly #entry: Entry;
	readonly #exit: Exit;
	readonly #follow: () => void;
	readonly #failed: (error: unknown) => void;
	#held: boolean;
	#leases = 0;

	/**
	 * @param isPaused - whether the source is paused at the moment
	 * @param held - whether the entry is paused until {@link Pipe.start} is called
	 */
	constructor(entry: Entry, exit: Exit, isPaused: () => boolean, logger: Logger, held = false) {
		this.#entry = entry;
		this.#exit = exit;
		this.#held = held;
		this.#failed = (error) => {
			if (!exit.closed) logger.warn('a pipe could not follow its source', { error });
		};
		const follow = () => {
			(isPaused() ? exit.pause() : exit.resume()).catch(this.#failed);
		};
		this.#follow = follow;
		entry.observer.on('close', () => {
			exit.close();
		});
		entry.observer.on('pause', () => {
			exit.pause().catch(this.#failed);
		});
		entry.observer.on('resume', () => {
			exit.resume().catch(this.#failed);
		});
		exit.observer.on('close', () => {
			entry.close();
			this.onClosed?.();
		});
		if (entry.closed) exit.close();
		// The source may have been paused or resumed while the exit was being created.
		else if (isPaused() !== exit.paused) follow();
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

	/** Follows its source before {@link Pipe.start}. */
	followHeld(): void {
		if (this.#held && !this.closed) this.#follow();
	}

	/** Lets it flow, and asks for a keyframe. Calling it again does nothing. */
	start(): void {
		if (!this.#held || this.closed) return;
		this.#held = false;
		// The pauses of the source are not told by an entry that is paused itself.
		this.#entry.resume().then(this.#follow).catch(this.#failed);
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
