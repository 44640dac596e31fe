/**
 * @typedef {object} PusherInfo as the server describes a pusher
 * @property {string} pusherId
 * @property {{av_type: 'audio' | 'video', encodings?: {rid: string}[]}} rtpParam
 * @property {boolean} [paused]
 * @property {boolean} [stalled] nothing of it arrives at the server
 * @property {string | null} [source]
 *
 * @typedef {object} UserInfo as the server describes a user
 * @property {string} userId
 * @property {string} userName
 * @property {{node?: string}} [metadata] on which of several servers; not with `newPusher`
 * @property {PusherInfo[]} pushers
 *
 * @typedef {object} Pusher
 * @property {string} pusherId
 * @property {'audio' | 'video'} kind
 * @property {string | undefined} source `camera`, `microphone`, `screen`, `screenAudio`
 * @property {boolean} paused
 * @property {boolean} stalled
 * @property {number} layers how many simulcast layers it has; 1 without simulcast
 *
 * @typedef {object} Person
 * @property {string} userId
 * @property {string} userName
 * @property {string} [node] the user's server, if there are several
 * @property {boolean} online false while the user's socket is lost
 * @property {Map<string, Pusher>} pushers
 */

/** The others in the room and what they push, by the server's messages. It holds no media. */
export class People {
	/** @type {Map<string, Person>} */
	#people = new Map();

	get size() {
		return this.#people.size;
	}

	/** @param {string} userId */
	get(userId) {
		return this.#people.get(userId);
	}

	[Symbol.iterator]() {
		return this.#people.values();
	}

	/**
	 * Takes the list of the users who are in the room now, as in the response to `join`.
	 *
	 * @param {UserInfo[]} users
	 * @returns {Person[]} who has left since the last list
	 */
	replace(users) {
		const before = this.#people;
		this.#people = new Map();
		for (const user of users) this.add(user);
		return [...before.values()].filter(({ userId }) => !this.#people.has(userId));
	}

	/**
	 * Adds a user, or more pushers to a known one: the data of `newPusher`, and each item of `newUser`.
	 *
	 * @param {UserInfo} user
	 */
	add({ userId, userName, metadata, pushers }) {
		const known = this.#people.get(userId);
		const person = known ?? { userId, userName, node: metadata?.node, online: true, pushers: new Map() };
		this.#people.set(userId, person);
		person.online = true;
		for (const { pusherId, rtpParam, paused = false, stalled = false, source } of pushers) {
			const layers = rtpParam.encodings?.length ?? 1;
			const kind = rtpParam.av_type;
			person.pushers.set(pusherId, { pusherId, kind, source: source ?? undefined, paused, stalled, layers });
		}
	}

	/**
	 * @param {string} userId
	 * @returns {Person | undefined} who it was
	 */
	remove(userId) {
		const person = this.#people.get(userId);
		this.#people.delete(userId);
		return person;
	}

	/**
	 * @param {string} userId
	 * @param {boolean} online
	 */
	setOnline(userId, online) {
		const person = this.#people.get(userId);
		if (person) person.online = online;
	}

	/** @param {{userId: string, pusherIds: string[]}} closed */
	removePushers({ userId, pusherIds }) {
		for (const pusherId of pusherIds) this.#people.get(userId)?.pushers.delete(pusherId);
	}

	/**
	 * @param {{userId: string, pusherIds: string[]}} changed
	 * @param {{paused: boolean} | {stalled: boolean}} state
	 */
	setState({ userId, pusherIds }, state) {
		for (const pusherId of pusherIds) {
			const pusher = this.#people.get(userId)?.pushers.get(pusherId);
			if (pusher) Object.assign(pusher, state);
		}
	}

	/** @param {{userId: string, pushers: {pusherId: string, source: string | null}[]}} changed */
	setSources({ userId, pushers }) {
		for (const { pusherId, source } of pushers) {
			const pusher = this.#people.get(userId)?.pushers.get(pusherId);
			if (pusher) pusher.source = source ?? undefined;
		}
	}
}
