import { Downlink } from './downlink.js';
import { People } from './people.js';
import { RequestError } from './signaling.js';
import { Uplink } from './uplink.js';

const HEARTBEAT_MS = 3_000;
const HEARTBEAT_TIMEOUT_MS = 9_000;
/** For the heartbeat that is sent when there is another sign of a dead network. */
const CHECK_TIMEOUT_MS = 2_000;
/** After these errors of `join` another attempt may succeed: no connection, an old socket, too fast, no worker. */
const PASSING_CODES = [0, 409, 429, 500, 503];
/** Only some browsers tell of the network, and only those of phones say its type. @type {any} */
const networkInformation = /** @type {any} */ (navigator).connection;

/**
 * One user's stay in one room. It joins, pushes, pulls, and comes back after a lost socket, a lost connection or a dead
 * media worker. It shows nothing; the page listens to its events:
 *
 * - `joined`, the first time
 * - `changed`: anything that the page shows has changed
 * - `left`: the `detail` is the Person who has left
 * - `textMessage`: the `detail` is `{userId, userName, message, time}`
 * - `problem`: the `detail` is a text to show
 * - `ended`: the `detail` is a text that says why, or undefined after leave()
 */
export class Call extends EventTarget {
	people = new People();
	/** The user id of who speaks. @type {string | null} */
	speaker = null;
	/** The server that the user is on, if there are several. @type {string | undefined} */
	node;
	#signaling;
	#identity;
	#uplink = new Uplink((method, data) => this.#request(method, data));
	#downlink = new Downlink((method, data) => this.#request(method, data));
	/** @type {string | null} */
	#resumeToken = null;
	#joined = false;
	#inRoom = false;
	#ended = false;
	/** @type {number | undefined} */
	#heartbeat;
	/** Settles when it is known whether the socket lives. @type {Promise<boolean> | undefined} */
	#socketCheck;
	/** Whether the last socket was given up because the server did not answer on it. */
	#silentSocket = false;
	/** @type {string | undefined} */
	#networkType;

	/**
	 * @param {object} parts
	 * @param {import('./signaling.js').Signaling} parts.signaling not connected yet; the call connects and closes it
	 * @param {string} parts.roomId
	 * @param {string} parts.userId
	 * @param {string} parts.userName
	 */
	constructor({ signaling, roomId, userId, userName }) {
		super();
		this.#signaling = signaling;
		this.#identity = { roomId, userId, userName };
		for (const link of [this.#uplink, this.#downlink]) {
			link.addEventListener('changed', () => this.#changed());
			link.addEventListener('silent', () => void this.#checkSocket());
			link.addEventListener('disconnected', () => void this.#repair(link));
			link.addEventListener('problem', (event) => this.#emit('problem', /** @type {CustomEvent} */ (event).detail));
		}
		signaling.addEventListener('open', () => void this.#join());
		signaling.addEventListener('moved', async () => {
			this.#outside();
			// The media of the server before ends with the join.
			await Promise.all([this.#uplink.prepare(), this.#downlink.prepare()]);
			void this.#join();
		});
		signaling.addEventListener('lost', () => this.#lost());
		signaling.addEventListener('replaced', () => this.#end('You have joined again on another page.'));
		signaling.addEventListener('notification', (event) => {
			const { method, data } = /** @type {CustomEvent} */ (event).detail;
			if (!this.#inRoom || !Object.hasOwn(this.#notifications, method)) return;
			this.#notifications[method](data);
			this.#changed();
		});
		signaling.onRequest = async (method, data) => {
			if (method !== 'offer') throw new RequestError(404, `There is no method ${method}.`);
			return this.#downlink.answer(data);
		};
		window.addEventListener('online', this.#networkChanged);
		this.#networkType = networkInformation?.type;
		networkInformation?.addEventListener('change', this.#networkChanged);
	}

	get identity() {
		return this.#identity;
	}

	get uplink() {
		return this.#uplink;
	}

	get downlink() {
		return this.#downlink;
	}

	/** @returns {{level: 'good' | 'busy', text: string}} */
	get status() {
		if (!this.#inRoom) return { level: 'busy', text: this.#joined ? 'Reconnecting…' : 'Connecting…' };
		if (this.#uplink.state === 'down') return { level: 'busy', text: 'Not sending' };
		const connected = this.#uplink.state === 'connected' && this.#downlink.state !== 'connecting';
		return connected ? { level: 'good', text: 'Connected' } : { level: 'busy', text: 'Connecting media…' };
	}

	start() {
		this.#signaling.connect();
	}

	leave() {
		this.#end(undefined);
	}

	/**
	 * @param {string} message
	 * @throws {RequestError} when there is no connection
	 */
	sendText(message) {
		if (!this.#inRoom) throw new RequestError(0, 'There is no connection to the server.');
		this.#signaling.notify('textMessage', { ...this.#identity, message, time: Date.now() });
	}

	async #join() {
		let success;
		try {
			success = await this.#requestJoin();
		} catch (error) {
			// Without a connection, `lost` has been told already.
			if (this.#ended || !this.#signaling.isOpen) return;
			if (this.#joined && PASSING_CODES.includes(error.code))
				this.#signaling.reconnect({ elsewhere: error.code === 503 });
			else this.#end(`Could not join: ${error.message}`);
			return;
		}
		if (this.#ended) return;
		const first = !this.#joined;
		this.#joined = this.#inRoom = true;
		this.#startHeartbeat();
		this.node = success.metadata?.node;
		if (first) this.#emit('joined');
		for (const person of this.people.replace(success.users)) this.#emit('left', person);
		this.speaker = success.activeSpeaker?.userId ?? null;
		this.#resumeToken = success.resumeToken;
		// The address has changed, or the network was gone: a link that seems to work may not do so for long.
		const restart = this.#silentSocket;
		this.#silentSocket = false;
		if (success.resumed) this.#uplink.resume(success.connections);
		for (const link of [this.#uplink, this.#downlink]) {
			void (success.resumed ? link.check({ restart }) : link.open());
		}
		this.#changed();
	}

	/** The token tells the server that this is still the same page. A new page has none, and begins anew. */
	#requestJoin() {
		return this.#request('join', { userName: this.#identity.userName, resumeToken: this.#resumeToken });
	}

	#lost() {
		if (!this.#joined) {
			this.#end('The server cannot be reached.');
			return;
		}
		this.#outside();
	}

	/** Nothing can be asked of the server before the next join. */
	#outside() {
		this.#inRoom = false;
		clearInterval(this.#heartbeat);
		this.#changed();
	}

	#startHeartbeat() {
		clearInterval(this.#heartbeat);
		this.#heartbeat = setInterval(() => void this.#beat(HEARTBEAT_TIMEOUT_MS), HEARTBEAT_MS);
	}

	/**
	 * Replaces the socket if the server does not answer.
	 *
	 * @param {number} timeout in milliseconds
	 * @returns {Promise<boolean>} whether the server has answered
	 */
	async #beat(timeout) {
		try {
			await this.#request('heartbeat', { userName: this.#identity.userName, time: Date.now() }, timeout);
			return true;
		} catch (error) {
			if (error.code !== 0) return true;
			// When the socket is lost already, the call is no longer in the room.
			if (this.#inRoom) {
				this.#silentSocket = true;
				this.#signaling.reconnect({ atOnce: true });
			}
			return false;
		}
	}

	/** After a socket that is dead, the links are checked after the next join. */
	#checkSocket() {
		this.#socketCheck ??= this.#beat(CHECK_TIMEOUT_MS).finally(() => (this.#socketCheck = undefined));
		return this.#socketCheck;
	}

	/** @param {import('./link.js').Link} link */
	async #repair(link) {
		if ((await this.#checkSocket()) && this.#inRoom) await link.check();
	}

	#end(/** @type {string | undefined} */ reason) {
		if (this.#ended) return;
		this.#ended = true;
		this.#inRoom = false;
		clearInterval(this.#heartbeat);
		window.removeEventListener('online', this.#networkChanged);
		networkInformation?.removeEventListener('change', this.#networkChanged);
		this.#signaling.close();
		this.#uplink.close();
		this.#downlink.close();
		this.#emit('ended', reason);
	}

	/** By method; the call emits `changed` after each. @type {Record<string, (data: any) => void>} */
	#notifications = {
		newUser: (users) => {
			for (const user of users) this.people.add(user);
		},
		newPusher: (user) => this.people.add(user),
		userLeft: (userIds) => {
			for (const userId of userIds) {
				const person = this.people.remove(userId);
				if (person) this.#emit('left', person);
			}
		},
		userDisconnect: ({ userId }) => this.people.setOnline(userId, false),
		userReconnect: ({ userId }) => this.people.setOnline(userId, true),
		pusherClosed: (closed) => this.people.removePushers(closed),
		pusherPaused: (paused) => this.people.setState(paused, { paused: true }),
		pusherResumed: (resumed) => this.people.setState(resumed, { paused: false }),
		pusherStalled: (stalled) => {
			if (stalled.userId === this.#identity.userId) void this.#checkUplink(stalled.pusherIds);
			else this.people.setState(stalled, { stalled: true });
		},
		pusherRecovered: (recovered) => {
			if (recovered.userId === this.#identity.userId) this.#uplink.setRecovered(recovered.pusherIds);
			else this.people.setState(recovered, { stalled: false });
		},
		pusherChanged: (changed) => this.people.setSources(changed),
		pullerClosed: ({ pullerId }) => this.#downlink.removePuller(pullerId),
		layersChanged: (layers) => this.#downlink.setLayers(layers),
		layersWanted: (wanted) => this.#uplink.setWanted(wanted),
		activeSpeaker: ({ userId }) => {
			this.speaker = userId;
		},
		qualityChanged: ({ connectionId, quality }) => this.#linkOf(connectionId)?.setQuality(quality),
		mediaLost: ({ connectionIds }) => {
			for (const connectionId of connectionIds) void this.#linkOf(connectionId)?.open();
		},
		connectionClosed: ({ connectionId }) => void this.#linkOf(connectionId)?.open(),
		textMessage: (message) => this.#emit('textMessage', message),
		appMessage: ({ name, data }) => {
			if (name === 'nodes') this.#signaling.setNodes(data);
		},
		// The server will stop.
		migrate: () => this.#signaling.move(),
		roomClosed: () => this.#end('The room was closed.'),
		kicked: () => this.#end('You were removed from the room.'),
	};

	/** @param {string} connectionId */
	#linkOf(connectionId) {
		return [this.#uplink, this.#downlink].find((link) => link.connectionId === connectionId);
	}

	#networkChanged = async (/** @type {Event} */ { type }) => {
		// It also tells of new estimates of the bandwidth.
		if (type === 'change' && networkInformation.type === this.#networkType) return;
		this.#networkType = networkInformation?.type;
		// Without a socket, the links are checked after the next join.
		if (!this.#inRoom || !(await this.#checkSocket()) || !this.#inRoom) return;
		for (const link of [this.#uplink, this.#downlink]) void link.restart();
	};

	/** The server gets nothing of these. The browser takes longer to notice that the way to the server is closed. */
	async #checkUplink(/** @type {string[]} */ pusherIds) {
		if (!(await this.#uplink.sendsInVain(pusherIds)) || !this.#inRoom) return;
		void this.#uplink.restart();
		if (this.#downlink.isSilent) void this.#downlink.restart();
	}

	/** Every request names the room and the user. */
	#request(/** @type {string} */ method, /** @type {object} */ data = {}, /** @type {number} */ timeout = undefined) {
		const { roomId, userId } = this.#identity;
		return this.#signaling.request(method, { roomId, userId, ...data }, timeout);
	}

	#changed() {
		if (!this.#ended) this.#emit('changed');
	}

	#emit(/** @type {string} */ type, /** @type {unknown} */ detail = undefined) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
