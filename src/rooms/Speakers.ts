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

/** Who speaks on one server. */
export interface Speaking {
	pusherId: string;
	/** Rises, over all servers, with each one who begins. */
	began: number;
}

interface SpeakersListener {
	/** Another user of the room speaks. */
	activeChanged: (active: Speaker | undefined) => void;
	/** The levels of all who are heard. */
	levels: (levels: AudioLevel[]) => void;
	/** Of the users of this server, another one speaks. */
	ownChanged: (speaking: Speaking | undefined) => void;
	/** The levels of the users of this server. */
	ownLevels: (levels: ProducerLevel[]) => void;
}

/** Stands for this server among those whose users speak. */
const here = '';

/**
 * Finds out who speaks in a room: of the users of this server by mediasoup's audio observers, and of each other server, by what
 * it tells. Of those who speak on several servers, the one who has begun last is the active speaker, for all servers the same.
 */
export class Speakers implements AudioListener {
	readonly #told: SpeakersListener;
	readonly #speakers = new Map<string, Speaker>();
	/** mediasoup tells of changes only, and not when the dominant speaker falls silent. */
	#dominant: string | undefined;
	/** Those of the last levels, and who has become dominant since. */
	readonly #heard = new Set<string>();
	/** Who speaks on each server. */
	readonly #speaking = new Map<string, Speaking>();
	/** How many have begun to speak before, as far as is known here. */
	#begun = 0;
	/** The last levels of each server. */
	readonly #levels = new Map<string, ProducerLevel[]>();
	#active: Speaker | undefined;

	constructor(told: SpeakersListener) {
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
		// Its server may have told before that it speaks.
		this.#choose();
	}

	dominant(pusherId: string): void {
		this.#dominant = pusherId;
		// Its level comes later. But in silence, mediasoup finds somebody dominant, too.
		if (this.#heard.size > 0) this.#heard.add(pusherId);
		this.#refresh();
	}

	levels(levels: ProducerLevel[]): void {
		const own = levels.filter(({ pusherId }) => this.#speakers.has(pusherId));
		this.#heard.clear();
		for (const { pusherId } of own) this.#heard.add(pusherId);
		this.#refresh();
		this.#told.ownLevels(own);
		this.#tellLevels(here, own);
	}

	/** Another server tells who speaks there. */
	speaksElsewhere(nodeId: string, speaking: Speaking | undefined): void {
		this.#begun = Math.max(this.#begun, speaking?.began ?? 0);
		this.#speaks(nodeId, speaking);
		this.#choose();
	}

	/** Another server tells the levels there. */
	levelsElsewhere(nodeId: string, levels: ProducerLevel[]): void {
		this.#tellLevels(nodeId, levels);
	}

	/** Forgets a server that has gone. */
	lose(nodeId: string): void {
		this.#levels.delete(nodeId);
		this.speaksElsewhere(nodeId, undefined);
	}

	#tellLevels(nodeId: string, levels: ProducerLevel[]): void {
		if (levels.length > 0 || nodeId === here) this.#levels.set(nodeId, levels);
		else this.#levels.delete(nodeId);
		const all = [...this.#levels.values()].flat().sort((a, b) => b.volume - a.volume);
		this.#told.levels(
			all.flatMap(({ pusherId, volume }) => {
				const speaker = this.#speakers.get(pusherId);
				return speaker ? { ...speaker, volume } : [];
			}),
		);
	}

	#refresh(): void {
		const id = this.#dominant;
		const speaker = id !== undefined && this.#heard.has(id) ? this.#speakers.get(id) : undefined;
		const own = speaker && !speaker.pusher.paused ? speaker.pusher.pusherId : undefined;
		if (own !== this.#speaking.get(here)?.pusherId) {
			const speaking = own === undefined ? undefined : { pusherId: own, began: ++this.#begun };
			this.#speaks(here, speaking);
			this.#told.ownChanged(speaking);
		}
		this.#choose();
	}

	#speaks(nodeId: string, speaking: Speaking | undefined): void {
		if (speaking) this.#speaking.set(nodeId, speaking);
		else this.#speaking.delete(nodeId);
	}

	#choose(): void {
		const speaking = [...this.#speaking.values()].sort(byBeginning);
		const speakers = speaking.flatMap(({ pusherId }) => this.#speakers.get(pusherId) ?? []);
		const active = speakers.findLast(({ pusher }) => !pusher.paused);
		if (active?.pusher === this.#active?.pusher) return;
		this.#active = active;
		this.#told.activeChanged(active);
	}
}

/** Of two who have begun at the same moment, all servers take the same one for the later one. */
const byBeginning = (a: Speaking, b: Speaking): number => a.began - b.began || (a.pusherId < b.pusherId ? -1 : 1);
