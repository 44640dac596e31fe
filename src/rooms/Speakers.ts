import type { AudioListener, ProducerLevel } from '../media/AudioObservers.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { User } from './User.js';

/** Who speaks, and through which of its pushers. */
export interface Speaker {
	user: User;
	pusher: Pusher;
}

/** How loud a pusher is. */
export interface AudioLevel extends Speaker {
	/** The average over `audioObservers.interval` in dBov, from -127, which is silence, to 0 (RFC 6464). */
	volume: number;
}

/** Who speaks in a room, from what mediasoup hears. */
export class Speakers implements AudioListener {
	readonly #told: { activeChanged: (active: Speaker | undefined) => void; levels: (levels: AudioLevel[]) => void };
	readonly #speakers = new Map<string, Speaker>();
	/** mediasoup tells of changes alone, and not that somebody has fallen silent. */
	#dominant: string | undefined;
	#silent = true;
	#active: Speaker | undefined;

	constructor(told: { activeChanged: (active: Speaker | undefined) => void; levels: (levels: AudioLevel[]) => void }) {
		this.#told = told;
	}

	get active(): Speaker | undefined {
		return this.#active;
	}

	/** A user pushes something. */
	add(user: User, pusher: Pusher): void {
		if (pusher.kind !== 'audio') return;
		const { id } = pusher.producer;
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

	dominant(producerId: string): void {
		this.#dominant = producerId;
		this.#refresh();
	}

	levels(levels: ProducerLevel[]): void {
		const told = levels.flatMap(({ producerId, volume }) => {
			const speaker = this.#speakers.get(producerId);
			return speaker ? { ...speaker, volume } : [];
		});
		this.#silent = told.length === 0;
		this.#refresh();
		this.#told.levels(told);
	}

	#refresh(): void {
		const speaker = this.#dominant === undefined ? undefined : this.#speakers.get(this.#dominant);
		const active = speaker && !speaker.pusher.paused && !this.#silent ? speaker : undefined;
		if (active?.pusher === this.#active?.pusher) return;
		this.#active = active;
		this.#told.activeChanged(active);
	}
}
