import type { ActiveSpeakerObserver, AudioLevelObserver, Router } from 'mediasoup/types';

export interface AudioObserverSettings {
	/** How often levels are told, in ms. */
	interval: number;
	/** The average from which on a level is told, in dBov. */
	threshold: number;
}

/** The level of a pusher. */
export interface ProducerLevel {
	pusherId: string;
	/** The average over an interval, in dBov, from -127 (silence) to 0 (RFC 6464). */
	volume: number;
}

/** Is told who is heard. */
export interface AudioListener {
	/** Another pusher dominates. */
	dominant: (pusherId: string) => void;
	/** The levels of an interval, the loudest first. Empty, once, when no level is above the threshold anymore. */
	levels: (levels: ProducerLevel[]) => void;
}

/** How the audio of a router is observed, and who is told. */
export interface AudioObservation {
	settings: AudioObserverSettings;
	listener: AudioListener;
}

/** The most levels that are told at a time. It is more than anybody can hear. */
const mostLevels = 50;

/** mediasoup's observers of the audio on one router. */
export class AudioObservers {
	readonly #speakers: ActiveSpeakerObserver;
	readonly #levels: AudioLevelObserver;
	/** By the ids of the producers, which a pipe changes. */
	readonly #pusherIds = new Map<string, string>();

	static async create(
		router: Router,
		{ settings: { interval, threshold }, listener }: AudioObservation,
	): Promise<AudioObservers> {
		const [speakers, levels] = await Promise.all([
			router.createActiveSpeakerObserver(),
			router.createAudioLevelObserver({ interval, threshold, maxEntries: mostLevels }),
		]);
		const observers = new AudioObservers(speakers, levels);
		const pusherIds = observers.#pusherIds;
		speakers.on('dominantspeaker', ({ producer }) => {
			listener.dominant(pusherIds.get(producer.id) ?? producer.id);
		});
		levels.on('volumes', (volumes) => {
			listener.levels(
				volumes.map(({ producer, volume }) => ({ pusherId: pusherIds.get(producer.id) ?? producer.id, volume })),
			);
		});
		levels.on('silence', () => {
			listener.levels([]);
		});
		return observers;
	}

	private constructor(speakers: ActiveSpeakerObserver, levels: AudioLevelObserver) {
		this.#speakers = speakers;
		this.#levels = levels;
	}

	/** Observes a producer until it closes. mediasoup does not observe it while it is paused. */
	async add(producerId: string, pusherId: string): Promise<void> {
		this.#pusherIds.set(producerId, pusherId);
		await Promise.all([this.#speakers.addProducer({ producerId }), this.#levels.addProducer({ producerId })]);
	}

	/** Forgets a producer that has closed. */
	delete(producerId: string): void {
		this.#pusherIds.delete(producerId);
	}
}
