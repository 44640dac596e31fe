import { Link } from './link.js';
import { RequestError } from './signaling.js';

const HEARTBEAT_MS = 3_000;
const HEARTBEAT_TIMEOUT_MS = 9_000;
/** Join errors that are worth another try after a reconnection: an old socket still there, too fast, no worker. */
const PASSING_CODES = [0, 409, 429, 500, 503];

/**
 * @typedef {{pusherId: string, rtpParam: {av_type: 'audio' | 'video'}}} PusherInfo
 * @typedef {{userId: string, userName: string, pushers: PusherInfo[]}} UserInfo
 */

/** Somebody else in the room: what they push, and the links that pull it. */
class RemoteUser {
	online = true;
	/** For one video element: all that is heard of this user, and the newest picture. */
	stream = new MediaStream();
	/** @type {Map<string, {kind: 'audio' | 'video', link: Link, track?: MediaStreamTrack, pullerId?: string}>} */
	pushers = new Map();

	/**
	 * @param {string} userId
	 * @param {string} userName
	 */
	constructor(userId, userName) {
		this.userId = userId;
		this.userName = userName;
	}

	/** @returns {Set<Link>} */
	get links() {
		return new Set([...this.pushers.values()].map(({ link }) => link));
	}

	updateStream() {
		const tracks = [...this.pushers.values()].flatMap(({ track }) => track ?? []);
		const picture = tracks.findLast(({ kind }) => kind === 'video');
		const wanted = tracks.filter((track) => track.kind === 'audio' || track === picture);
		for (const track of this.stream.getTracks()) if (!wanted.includes(track)) this.stream.removeTrack(track);
		// Those that are in it already are left alone.
		for (const track of wanted) this.stream.addTrack(track);
	}
}

/**
 * One user's stay in one room: joins, pushes the local stream, pulls what the others push, and does so again when the
 * socket, a connection or a media worker was lost. It shows nothing: the page listens to its events, whose `detail`
 * is given here.
 *
 * - `joined`, the first time
 * - `userJoined`, `userLeft`, `userChanged`: a RemoteUser
 * - `statusChanged`
 * - `textMessage`: `{userId, userName, message, time}`
 * - `problem`: a string to show
 * - `ended`: a string, why the call is over, or undefined after leave()
 */
export class Call extends EventTarget {
	/** @type {Map<string, RemoteUser>} */
	users = new Map();
	#signaling;
	#identity;
	#stream;
	#uplink;
	#joined = false;
	#inRoom = false;
	#ended = false;
	/** @type {number | undefined} */
	#heartbeat;

	/**
	 * @param {object} parts
	 * @param {import('./signaling.js').Signaling} parts.signaling not connected yet; from now on the call's
	 * @param {string} parts.roomId
	 * @param {string} parts.userId
	 * @param {string} parts.userName
	 * @param {MediaStream} parts.stream what to push; not the call's to stop
	 */
	constructor({ signaling, roomId, userId, userName, stream }) {
		super();
		this.#signaling = signaling;
		this.#identity = { roomId, userId, userName };
		this.#stream = stream;
		this.#uplink = new Link({
			prepare: (connection) => this.#prepareUplink(connection),
			exchange: (offer) => this.#request('push', { sdp: offer }),
			onChange: (error) => this.#linkChanged(error),
		});
		signaling.addEventListener('open', () => void this.#join());
		signaling.addEventListener('lost', () => this.#lost());
		signaling.addEventListener('replaced', () => this.#end('You have joined again on another page.'));
		signaling.addEventListener('notification', (event) => {
			const { method, data } = /** @type {CustomEvent} */ (event).detail;
			if (this.#inRoom) this.#notified(method, data);
		});
	}

	/** @returns {{level: 'good' | 'busy', text: string}} */
	get status() {
		if (!this.#inRoom) return { level: 'busy', text: this.#joined ? 'Reconnecting…' : 'Connecting…' };
		const { state } = this.#uplink;
		if (state === 'connected') return { level: 'good', text: 'Connected' };
		return { level: 'busy', text: state === 'down' ? 'Not sending' : 'Connecting media…' };
	}

	start() {
		this.#signaling.connect();
	}

	leave() {
		this.#end(undefined);
	}

	/**
	 * @param {'audio' | 'video'} kind
	 * @param {boolean} muted
	 */
	setMuted(kind, muted) {
		for (const track of this.#stream.getTracks()) if (track.kind === kind) track.enabled = !muted;
	}

	/**
	 * @param {string} message
	 * @throws {RequestError} when there is no connection
	 */
	sendText(message) {
		if (!this.#inRoom) throw new RequestError(0, 'There is no connection to the server.');
		this.#signaling.notify('textMessage', { ...this.#identity, message, time: Date.now() });
	}

	/** @returns {Promise<Map<string, number>>} how loud each user is, from 0 to 1, oneself included */
	async audioLevels() {
		const levels = new Map();
		const own = this.#uplink.audioLevel().then((level) => levels.set(this.#identity.userId, level));
		const others = [...this.users.values()].map(async (user) => {
			const each = await Promise.all([...user.links].map((link) => link.audioLevel()));
			levels.set(user.userId, Math.max(0, ...each));
		});
		await Promise.all([own, ...others]);
		return levels;
	}

	// Being in the room

	async #join() {
		let users;
		try {
			({ users } = await this.#request('join', { userName: this.#identity.userName }));
		} catch (error) {
			// Without a connection, `lost` has told already.
			if (this.#ended || !this.#signaling.isOpen) return;
			if (this.#joined && PASSING_CODES.includes(error.code)) this.#signaling.reconnect();
			else this.#end(`Could not join: ${error.message}`);
			return;
		}
		if (this.#ended) return;
		const first = !this.#joined;
		this.#joined = this.#inRoom = true;
		this.#startHeartbeat();
		if (first) this.#emit('joined');
		this.#reconcile(users);
		if (this.#uplink.state === 'down') void this.#uplink.open();
		this.#emit('statusChanged');
	}

	/** After a reconnection: who is here now, who is not, and which links went down meanwhile. */
	#reconcile(/** @type {UserInfo[]} */ users) {
		const present = new Set(users.map(({ userId }) => userId));
		for (const userId of [...this.users.keys()]) if (!present.has(userId)) this.#removeUser(userId);
		for (const info of users) {
			const user = this.#addUser(info);
			const listed = new Set(info.pushers.map(({ pusherId }) => pusherId));
			this.#removePushers(
				user,
				[...user.pushers.keys()].filter((pusherId) => !listed.has(pusherId)),
			);
			for (const link of user.links) if (link.state === 'down') void link.open();
		}
	}

	#lost() {
		if (!this.#joined) {
			this.#end('The server cannot be reached.');
			return;
		}
		this.#inRoom = false;
		clearInterval(this.#heartbeat);
		this.#emit('statusChanged');
	}

	#startHeartbeat() {
		clearInterval(this.#heartbeat);
		this.#heartbeat = setInterval(() => {
			const data = { userName: this.#identity.userName, time: Date.now() };
			this.#request('heartbeat', data, HEARTBEAT_TIMEOUT_MS).catch((error) => {
				// A socket that is lost already has failed the request too, and is no longer in the room.
				if (error.code === 0 && this.#inRoom) this.#signaling.reconnect();
			});
		}, HEARTBEAT_MS);
	}

	#end(/** @type {string | undefined} */ reason) {
		if (this.#ended) return;
		this.#ended = true;
		this.#inRoom = false;
		clearInterval(this.#heartbeat);
		this.#signaling.close();
		this.#uplink.close();
		for (const user of this.users.values()) for (const link of user.links) link.close();
		this.#emit('ended', reason);
	}

	#notified(/** @type {string} */ method, /** @type {any} */ data) {
		const user = this.users.get(data?.userId);
		switch (method) {
			case 'newUser':
				for (const info of data) this.#addUser(info);
				break;
			case 'newPusher':
				this.#addUser(data);
				break;
			case 'userLeft':
				for (const userId of data) this.#removeUser(userId);
				break;
			case 'userDisconnect':
			case 'userReconnect':
				if (user) {
					user.online = method === 'userReconnect';
					this.#emit('userChanged', user);
				}
				break;
			case 'pusherClosed':
				if (user) this.#removePushers(user, data.pusherIds);
				break;
			case 'pullerClosed':
				this.#removePuller(data.pullerId);
				break;
			case 'mediaLost':
				this.#reopen(data.connectionIds);
				break;
			case 'textMessage':
				this.#emit('textMessage', data);
				break;
			case 'roomClosed':
				this.#end('The room was closed.');
				break;
			case 'kicked':
				this.#end('You were removed from the room.');
				break;
		}
	}

	// The others

	#addUser(/** @type {UserInfo} */ { userId, userName, pushers }) {
		let user = this.users.get(userId);
		if (!user) {
			user = new RemoteUser(userId, userName);
			this.users.set(userId, user);
			this.#emit('userJoined', user);
		} else if (!user.online) {
			user.online = true;
			this.#emit('userChanged', user);
		}
		const added = pushers.filter(({ pusherId }) => !user.pushers.has(pusherId));
		if (added.length > 0) this.#pull(user, added);
		return user;
	}

	#removeUser(/** @type {string} */ userId) {
		const user = this.users.get(userId);
		if (!user) return;
		this.users.delete(userId);
		for (const link of user.links) link.close();
		this.#emit('userLeft', user);
	}

	/** Pulls some pushers of one user, all on one link, with m-lines in the order of the pushers. */
	#pull(/** @type {RemoteUser} */ user, /** @type {PusherInfo[]} */ infos) {
		/** The pushers that are still there, each time the link is opened. */
		const wanted = () => [...user.pushers].filter(([, pusher]) => pusher.link === link);
		const link = new Link({
			prepare: (connection) => {
				for (const [, pusher] of wanted()) {
					const { receiver } = connection.addTransceiver(pusher.kind, { direction: 'recvonly' });
					pusher.track = receiver.track;
					// The end of the old one may be on its way, and is no news.
					pusher.pullerId = undefined;
				}
				this.#userChanged(user);
			},
			exchange: async (offer) => {
				const specs = wanted().map(([pusherId, { kind }]) => ({ type: kind, pusher_id: pusherId }));
				const data = await this.#request('pull', { sdp: offer, targetUserId: user.userId, specs });
				for (const { pullerId, pusherId } of data.pullers ?? []) {
					const pusher = user.pushers.get(pusherId);
					if (pusher?.link === link) pusher.pullerId = pullerId;
				}
				return data;
			},
			// Whoever is gone when the pull arrives at the server needs no message: their leaving is on its way.
			onChange: (error) => this.#linkChanged(error instanceof RequestError && error.code === 404 ? undefined : error),
		});
		for (const { pusherId, rtpParam } of infos) user.pushers.set(pusherId, { kind: rtpParam.av_type, link });
		void link.open();
	}

	#removePushers(/** @type {RemoteUser} */ user, /** @type {string[]} */ pusherIds) {
		for (const pusherId of pusherIds) {
			const pusher = user.pushers.get(pusherId);
			if (!pusher) continue;
			user.pushers.delete(pusherId);
			if (!user.links.has(pusher.link)) pusher.link.close();
		}
		this.#userChanged(user);
	}

	#removePuller(/** @type {string} */ pullerId) {
		for (const user of this.users.values()) {
			for (const pusher of user.pushers.values()) {
				if (pusher.pullerId !== pullerId) continue;
				pusher.track = undefined;
				this.#userChanged(user);
			}
		}
	}

	#userChanged(/** @type {RemoteUser} */ user) {
		user.updateStream();
		this.#emit('userChanged', user);
	}

	// Media

	#prepareUplink(/** @type {RTCPeerConnection} */ connection) {
		for (const track of this.#stream.getTracks()) connection.addTrack(track, this.#stream);
	}

	/** A media worker died: what ran through it has to be offered again. */
	#reopen(/** @type {string[]} */ connectionIds) {
		const links = [this.#uplink, ...[...this.users.values()].flatMap((user) => [...user.links])];
		for (const link of links) if (connectionIds.includes(link.connectionId)) void link.open();
	}

	#linkChanged(/** @type {Error | undefined} */ error) {
		if (this.#ended) return;
		if (error) this.#emit('problem', `Media trouble: ${error.message}`);
		this.#emit('statusChanged');
	}

	/** Everything says on whose behalf. */
	#request(/** @type {string} */ method, /** @type {object} */ data, /** @type {number} */ timeout = undefined) {
		const { roomId, userId } = this.#identity;
		return this.#signaling.request(method, { roomId, userId, ...data }, timeout);
	}

	#emit(/** @type {string} */ type, /** @type {unknown} */ detail = undefined) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
