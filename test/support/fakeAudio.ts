import { EventEmitter } from 'node:events';

/** What observes audio on a router: the active speaker, or the levels. */
export class FakeAudioObserver extends EventEmitter {
	readonly producerIds = new Set<string>();

	addProducer({ producerId }: { producerId: string }): Promise<void> {
		this.producerIds.add(producerId);
		return Promise.resolve();
	}
}

/** All observers of audio in a worker. */
export class AudioBooks {
	readonly #observers = new Set<FakeAudioObserver>();

	/** @param router - closes with the observer */
	open(router: EventEmitter): Promise<FakeAudioObserver> {
		const observer = new FakeAudioObserver();
		this.#observers.add(observer);
		router.once('close', () => this.#observers.delete(observer));
		return Promise.resolve(observer);
	}

	/** Somebody is heard from now on, or nobody, in some room. */
	speak(nth: number, isThere: (producerId: string) => boolean): void {
		const observed = new Set([...this.#observers].flatMap(({ producerIds }) => [...producerIds]));
		const there = [...observed].filter(isThere);
		const id = there[nth % (there.length + 1)];
		for (const observer of this.#observers) {
			if (id === undefined) observer.emit('silence');
			else if (observer.producerIds.has(id)) {
				observer.emit('volumes', [{ producer: { id }, volume: -30 }]);
				observer.emit('dominantspeaker', { producer: { id } });
			}
		}
	}
}
