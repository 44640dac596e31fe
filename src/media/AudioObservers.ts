import type { ActiveSpeakerObserver, AudioLevelObserver, Producer, Router } from 'mediasoup/types';

export interface AudioObserverSettings {
	/** How often levels are told, in ms. */
	interval: number;
	/** The average from which on a level is told, in dBov. */
	threshold: number;
}

/** A level of a producer: its average over an interval in dBov, from -127, which is silence, to 0 (RFC 6464). */
export interface ProducerLevel {
	pusherId: string;
	volume: number;
}

/** Told of what is heard. */
export interface AudioListener {
	/** Another producer has become the one that speaks. */
	dominant: (pusherId: string) => void;
	/** The levels of an interval, the loudest first; empty once when nothing is above the threshold any more. */
	levels: (levels: ProducerLevel[]) => void;
}

/** How the audio of a router is observed, and who is told. */
export interface AudioObservation {
	settings: AudioObserverSettings;
	listener: AudioListener;
}

/** The most levels that are told at a time: more than anybody can hear. */
const mostLevels = 50;

/** What listens to the audio of one router. */
export class AudioObservers {
	readonly #speakers: ActiveSpeakerObserver;
	readonly #levels: AudioLevelObserver;

	static async create(
		router: Router,
		{ settings: { interval, threshold }, listener }: AudioObservation,
	): Promise<AudioObservers> {
		const [speakers, levels] = await Promise.all([
			router.createActiveSpeakerObserver(),
			router.createAudioLevelObserver({ interval, threshold, maxEntries: mostLevels }),
		]);
		speakers.on('dominantspeaker', ({ producer }) => {
			listener.dominant(producer.id);
		});
		levels.on('volumes', (volumes) => {
			listener.levels(volumes.map(({ producer, volume }) => ({ pusherId: producer.id, volume })));
		});
		levels.on('silence', () => {
			listener.levels([]);
		});
		return new AudioObservers(speakers, levels);
	}

	private constructor(speakers: ActiveSpeakerObserver, levels: AudioLevelObserver) {
		this.#speakers = speakers;
		this.#levels = levels;
	}

	/** Listens to a producer until it closes; while it is paused mediasoup does not. */
	async add({ id: producerId }: Producer): Promise<void> {
		await Promise.all([this.#speakers.addProducer({ producerId }), this.#levels.addProducer({ producerId })]);
	}
}
