import type { Consumer, Producer } from 'mediasoup/types';
import type { Logger } from '../../Logger.js';

/** Carries a producer to a second producer with other payload types. It closes with its source, or with its last lease. */
export class Pipe {
	/** Called once, when the pipe has closed. */
	onClosed: (() => void) | undefined;
	readonly #exit: Producer;
	#leases = 0;

	/**
	 * @param entry - consumes the source, on one end of a pair of pipe transports
	 * @param exit - produces what `entry` sends, on the other end
	 */
	constructor(entry: Consumer, exit: Producer, logger: Logger) {
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
		else if (entry.producerPaused !== exit.paused) (entry.producerPaused ? exit.pause() : exit.resume()).catch(failed);
	}

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
