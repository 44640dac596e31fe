import type { AudioListener, ProducerLevel } from '../media/AudioObservers.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { User } from './User.js';

/** A user who speaks. */
export interface Speaker {
	/** The user. */
	user: User;
	/** The pusher by which the user is heard. */
	pusher: Pusher;
}

/** The level of a pusher. */
export interface AudioLevel extends Speaker {
	/** The average over `audioObservers.interval`, in dBov, from -127 (silence) to 0 (RFC 6464). */
	volume: number;
}

/** Finds out who speaks in a room, by mediasoup's audio observers. */
export class Speakers implements AudioListener {
	readonly #told: { activeChanged: (active: Speaker | undefined) => void; levels: (levels: AudioLevel[]) => void };
	readonly #speakers = new Map<string, Speaker>();
	/** mediasoup tells of changes only, and not when the dominant speaker falls silent. */
	#dominant: string | undefined;
	/** Those of the last levels, and who has become dominant since. */
	readonly #heard = new Set<string>();
	#active: Speaker | undefined;

	constructor(told: { activeChanged: (active: Speaker | undefined) => void; levels: (levels: AudioLevel[]) => void }) {
		this.#told = told;
	}

	get active(): Speaker | undefined {
		return this.#active;
	}

	/** Adds a pusher of audio. */
	add(user: User, pusher: Pusher): void {
		const id = pusher.pusherId;
		const refresh = () => {
			this.#refresh();
		};
		this.#speakers.set(id, { user, pusher });
		pusher.on('paused', refresh);
		pusher.on('resumed', refresh);
		pusher.once('closed', () => {
			this.#speakers.delete(id);
			refresh();
		});
	}

	dominant(pusherId: string): void {
		this.#dominant = pusherId;
		// Its level comes later. But in silence, mediasoup finds somebody dominant, too.
		if (this.#heard.size > 0) this.#heard.add(pusherId);
		this.#refresh();
	}

	levels(levels: ProducerLevel[]): void {
		const told = levels.flatMap(({ pusherId, volume }) => {
			const speaker = this.#speakers.get(pusherId);
			return speaker ? { ...speaker, volume } : [];
		});
		this.#heard.clear();
		for (const { pusher } of told) this.#heard.add(pusher.pusherId);
		this.#refresh();
		this.#told.levels(told);
	}

	#refresh(): void {
		const id = this.#dominant;
		const speaker = id !== undefined && this.#heard.has(id) ? this.#speakers.get(id) : undefined;
		const active = speaker && !speaker.pusher.paused ? speaker : undefined;
		if (active?.pusher === this.#active?.pusher) return;
		this.#active = active;
		this.#told.activeChanged(active);
	}
}
