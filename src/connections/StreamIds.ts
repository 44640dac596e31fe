import { createHash } from 'node:crypto';

// RFC 8830, section 2, and RFC 8866, section 9: `token-char`.
const msidId = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,64}$/;

interface Told {
	readonly id: string;
	tracks: number;
}

/**
 * The ids of the MediaStreams of a room, as those who pull see them. Clients choose their ids, and all of a kind may choose
 * the same one. Then the tracks of several users would be one MediaStream for those who pull them.
 */
export class StreamIds {
	/** The ids that are told, by connection and own id. */
	readonly #told = new Map<string, Told>();
	readonly #taken = new Set<string>();

	/**
	 * The id to tell for a track: its own if it is unique in the room, otherwise one made of it. It is the same for all tracks
	 * that one connection has in one MediaStream.
	 *
	 * @returns the id, and a function to call when the track has gone
	 */
	take(connectionId: string, streamId: string): { id: string; release: () => void } {
		const key = `${connectionId} ${streamId}`;
		const told = this.#told.get(key) ?? { id: this.#choose(key, streamId), tracks: 0 };
		told.tracks++;
		this.#told.set(key, told);
		this.#taken.add(told.id);
		const release = () => {
			told.tracks--;
			if (told.tracks > 0) return;
			this.#told.delete(key);
			this.#taken.delete(told.id);
		};
		return { id: told.id, release };
	}

	#choose(key: string, streamId: string): string {
		if (msidId.test(streamId) && !this.#taken.has(streamId)) return streamId;
		return createHash('sha256').update(key).digest('base64url');
	}
}
