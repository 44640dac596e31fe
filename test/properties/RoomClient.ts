import assert from 'node:assert/strict';
import sdpTransform from 'sdp-transform';
import {
	createSocketPair,
	type AppMessageData,
	type JoinSuccess,
	type Notifications,
	type DataPusherData,
	type OfferData,
	type PullOffered,
	type PullSuccess,
	type PusherData,
	type PushSuccess,
	type Socket,
	type UserData,
} from 'sfu-rooms/protoo';
import { AnsweringPeer } from '../support/answers.js';

/** What a client knows of a pusher; whether it is paused only if it was told. */
interface KnownPusher {
	paused: boolean | undefined;
	said: { source: string | null; metadata: unknown };
}

export interface KnownUser {
	userName: string;
	metadata: unknown;
	pushers: Map<string, KnownPusher>;
}

/** A room as one of its users knows it, by the answer to its join and by what it was told since. */
export interface View {
	roomId: string;
	userId: string;
	resumed: boolean;
	users: Map<string, KnownUser>;
	pullers: Set<string>;
	closedPullers: Set<string>;
	/** The connection that it pulls everything by, and which pushers it has not got by it, or no more. */
	follows: { connectionId: string | undefined; without: Set<string> } | undefined;
	texts: Set<string>;
	/** What the app has paused of the client's own: pushers and pullers. */
	pausedByApp: Map<string, boolean>;
}

/** What a client makes of an offer of the server. */
export type Settling = 'receive' | 'inactive' | 'reject' | 'byRequest' | 'refuse' | 'garbage' | 'later';

interface Response {
	id: number;
	ok: boolean;
	data?: unknown;
	errorCode?: number;
	errorReason?: string;
}

type Request = { id: number; method: string; data: unknown; done: (response: Response) => void };

/** One socket, and what its client makes of what it is told. Whatever must not be is reported. */
export class RoomClient {
	readonly name: string;
	view: View | undefined;
	settling: Settling = 'receive';
	/** The pusher ids of its own data channels. */
	readonly ownData: string[] = [];
	/** The code that the socket was closed with. */
	closeCode: number | undefined;
	/** Everything that has come and gone, for those who look for the cause of a failure. */
	readonly log: string[];
	readonly #socket: Socket;
	readonly #report: (violation: string) => void;
	readonly #pending = new Map<number, Request>();
	/** What the client has sent that is answered by an error, or by nothing. */
	readonly #strange = new Map<number, number>();
	#lastId = 0;
	/** The last offer of the server, unless something was made of it. */
	#offer: { data: OfferData; requestId: number | undefined } | undefined;
	readonly #asked = new Set<number>();
	/** The m-lines of each connection that the server offers, by its last offer. */
	readonly #sections = new Map<string, string[]>();
	/** The m-lines that something is sent on, by the last offer that was answered. */
	readonly sending = new Map<string, string[]>();

	constructor(name: string, accept: (socket: Socket) => void, log: string[], report: (violation: string) => void) {
		this.name = name;
		this.log = log;
		this.#report = (violation) => {
			report(`${name}: ${violation}`);
		};
		const [near, far] = createSocketPair();
		this.#socket = near;
		near.listen({
			message: (text) => {
				try {
					this.#receive(String(text));
				} catch (error) {
					this.#report(error instanceof Error ? error.message : String(error));
				}
			},
			closed: (code) => {
				log.push(`${name} closed ${code}`);
				this.closeCode = code;
				this.view = undefined;
			},
		});
		accept(far);
	}

	get open(): boolean {
		return this.closeCode === undefined;
	}

	/** Makes something of the offer that was put off. */
	settle(how: Settling): void {
		const offer = this.#offer;
		if (!offer || !this.view || !this.open || how === 'later') return;
		this.#offer = undefined;
		const { data, requestId } = offer;
		const { roomId, userId } = this.view;
		const peer = new AnsweringPeer(data.connectionId);
		const last = this.#sections.get(data.connectionId)?.length ?? 0;
		const answers: Record<Settling, () => string | undefined> = {
			receive: () => peer.answer(data.sdp.sdp),
			byRequest: () => peer.answer(data.sdp.sdp),
			inactive: () => peer.answer(data.sdp.sdp, (index) => (index % 2 === 0 ? 'receive' : 'inactive')),
			reject: () => peer.answer(data.sdp.sdp, (index) => (index === last - 1 ? 'reject' : 'receive')),
			refuse: () => undefined,
			garbage: () => 'v=0 of another time',
			later: () => undefined,
		};
		const sdp = answers[how]();
		if (sdp !== undefined) {
			const mids = sendingMids(data.sdp.sdp);
			const rejected = how === 'reject' ? this.#sections.get(data.connectionId)?.at(-1) : undefined;
			this.sending.set(
				data.connectionId,
				mids.filter((mid) => mid !== rejected),
			);
		}
		this.log.push(`${this.name}: ${how} ${data.connectionId} ${requestId ?? ''}`);
		if (requestId === undefined || how === 'byRequest') {
			if (sdp === undefined) this.#offer = offer;
			else {
				void this.request('answer', {
					roomId,
					userId,
					connectionId: data.connectionId,
					sdp: { type: 'answer', sdp },
				});
			}
		} else {
			const response =
				sdp === undefined ? { ok: false, errorCode: 400 } : { ok: true, data: { sdp: { type: 'answer', sdp } } };
			this.#socket.send(JSON.stringify({ response: true, id: requestId, ...response }));
		}
	}

	get unanswered(): string[] {
		return [...this.#pending.values()].map(({ id, method }) => `${method} ${id}`);
	}

	/** The memberships that are asked for. */
	get joining(): { roomId: string; userId: string }[] {
		return [...this.#pending.values()].flatMap(({ method, data }) =>
			method === 'join' ? [data as { roomId: string; userId: string }] : [],
		);
	}

	close(code: number): void {
		this.log.push(`${this.name} closes with ${code}`);
		this.#socket.close(code, '');
	}

	/** Sends a frame as it is; it may be answered so many times under that id. */
	send(frame: string, id?: number, answers = 0): void {
		if (id !== undefined) this.#strange.set(id, (this.#strange.get(id) ?? 0) + answers);
		this.#socket.send(frame);
	}

	notify(method: string, data: object): void {
		this.#socket.send(JSON.stringify({ notification: true, method, data }));
	}

	/** The response, once it has come. */
	request(method: string, data: object): Promise<Response> {
		const id = ++this.#lastId;
		this.log.push(`${this.name} → ${method} ${id} ${JSON.stringify({ ...data, sdp: undefined })}`);
		return new Promise((done) => {
			this.#pending.set(id, { id, method, data, done });
			this.#socket.send(JSON.stringify({ request: true, id, method, data }));
		});
	}

	#receive(text: string): void {
		const message = JSON.parse(text) as (Response & { response?: true }) & {
			request?: true;
			notification?: true;
			method?: keyof Notifications;
		};
		const shown = text.replace(/"sdp":"[^"]*"/g, '"sdp":…').replace(/"rtpParam":\{[^}]*\}/g, '"rtpParam":…');
		this.log.push(`${this.name} ← ${shown}`);
		assert.ok(this.open, `told after its socket was closed: ${shown}`);
		if (message.request) {
			assert.ok(!this.#asked.has(message.id), `request ${message.id} came twice`);
			this.#asked.add(message.id);
			if (message.method === ('appRequest' as string)) {
				// It answers what it is asked, or says that it does not know it.
				const { name, data } = message.data as AppMessageData;
				const answer =
					name === 'echo' ? { ok: true, data: { data } } : { ok: false, errorCode: 404, errorReason: name };
				this.#socket.send(JSON.stringify({ response: true, id: message.id, ...answer }));
			} else this.#offered(message.data as OfferData, message.id);
		} else if (message.response) this.#responded(message);
		else if (message.method) this.#notified(message.method, message.data);
		else assert.fail(`neither response nor notification: ${shown}`);
	}

	#responded(response: Response): void {
		assert.notEqual(response.errorCode, 500, `500 ${String(response.errorReason)}`);
		const request = this.#pending.get(response.id);
		if (!request) {
			const left = this.#strange.get(response.id) ?? 0;
			assert.ok(left > 0, `response ${response.id} to nothing, or a second one`);
			this.#strange.set(response.id, left - 1);
			assert.equal(response.ok, false, `what makes no sense was answered with success: ${response.id}`);
			return;
		}
		this.#pending.delete(response.id);
		if (response.ok) this.#succeeded(request, response.data);
		request.done(response);
	}

	#succeeded({ method, data }: Request, success: unknown): void {
		switch (method) {
			case 'join': {
				assert.equal(this.view, undefined, 'joined twice');
				const { roomId, userId } = data as { roomId: string; userId: string };
				const { users, resumed } = success as JoinSuccess;
				const view: View = {
					roomId,
					userId,
					resumed,
					users: new Map(),
					pullers: new Set(),
					closedPullers: new Set(),
					follows: undefined,
					texts: new Set(),
					pausedByApp: new Map(),
				};
				this.view = view;
				for (const user of users) this.#met(view, user);
				break;
			}
			case 'leave':
				this.view = undefined;
				break;
			case 'pull':
				if ('autoPull' in (data as object)) break;
				if (typeof (success as PullSuccess | PullOffered).sdp === 'object')
					this.#offered(success as PullOffered, undefined);
				else this.#receives(success as PullSuccess);
				break;
			case 'push':
				assert.ok((success as PushSuccess).sdp.startsWith('v=0'));
				break;
		}
	}

	#receives({ pullers, dataPullers = [] }: Pick<PullSuccess, 'pullers' | 'dataPullers'>): void {
		for (const { pullerId } of [...pullers, ...dataPullers]) {
			if (!this.view?.closedPullers.has(pullerId)) this.view?.pullers.add(pullerId);
		}
	}

	/** It must go on from the last one, and carry what it says that it does. */
	#offered(data: OfferData, requestId: number | undefined): void {
		assert.ok(this.view, 'offered something while in no room');
		const { connectionId, pullers } = data;
		const media = sdpTransform.parse(data.sdp.sdp).media;
		const mids = media.map(({ mid, port }) => (port === 0 ? 'stopped' : String(mid)));
		const before = this.#sections.get(connectionId) ?? [];
		assert.ok(mids.length >= before.length, `m-lines went away: ${before.join(' ')} → ${mids.join(' ')}`);
		const live = mids.filter((mid) => mid !== 'stopped');
		assert.equal(new Set(live).size, live.length, 'a mid came twice');
		assert.ok(
			pullers.every(({ mid }) => media[mids.indexOf(String(mid))]?.direction === 'sendonly'),
			'what is told to be sent is',
		);
		const ids = pullers.map(({ mid }) => mid);
		assert.equal(new Set(ids).size, ids.length, 'each on an m-line of its own');
		this.#sections.set(connectionId, mids);
		assert.ok(
			!data.dataPullers || media.some(({ type, port }) => type === 'application' && port !== 0),
			'data channels have an m-line',
		);
		this.#receives(data);
		this.#offer = { data, requestId };
		this.settle(this.settling);
	}

	#ended(connectionId: string): void {
		if (this.#offer?.data.connectionId === connectionId) this.#offer = undefined;
		if (this.view?.follows?.connectionId === connectionId) this.view.follows = undefined;
	}

	#notified<Method extends keyof Notifications>(method: Method, data: unknown): void {
		const view = this.view;
		// A client may be replaced before its join is answered, which it never is then.
		if (!view && method === 'replaced') return;
		// Of a text that the client sent before it had joined, or after it had left.
		if (!view && method === 'messageRefused') return;
		assert.ok(view, `told of ${method} while in no room`);
		const notifications: { [Name in keyof Notifications]: (data: Notifications[Name]) => void } = {
			userRenamed: ({ userId, userName }) => {
				assert.equal(this.#known(view, userId, method).userName, userName, 'userChanged has told it before');
			},
			userChanged: ({ userId, userName, metadata = null }) => {
				// Of itself, too, when the app has done it.
				if (userId === view.userId) return;
				const user = this.#known(view, userId, method);
				assert.notDeepEqual([userName, metadata], [user.userName, user.metadata], `told that ${userId} is what it was`);
				Object.assign(user, { userName, metadata });
			},
			appMessage: ({ roomId, name, data }) => {
				assert.deepEqual([roomId, name], [view.roomId, 'told']);
				assert.ok(!view.texts.has(`app ${String(data)}`), `the message ${String(data)} of the app came twice`);
				view.texts.add(`app ${String(data)}`);
			},
			messageRefused: ({ errorCode, method: refused }) => {
				// Of its notifications it knows which one was refused; garbage is refused always.
				if (refused === undefined) assert.equal(errorCode, 400);
				else assert.ok(['textMessage', 'appMessage'].includes(refused), refused);
			},
			waiting: () => {
				assert.fail('told to wait, though there is no lobby');
			},
			replaced: ({ roomId, userId }) => {
				assert.deepEqual([roomId, userId], [view.roomId, view.userId], 'the own user is replaced');
			},
			newUser: (users) => {
				for (const user of users) this.#met(view, user);
			},
			newPusher: ({ roomId, userId, pushers }) => {
				assert.equal(roomId, view.roomId);
				const user = this.#known(view, userId, method);
				for (const pusher of pushers) this.#hasPusher(user, pusher, false);
			},
			newDataPusher: ({ roomId, userId, dataPushers }) => {
				assert.equal(roomId, view.roomId);
				const user = this.#known(view, userId, method);
				for (const pusher of dataPushers) this.#hasPusher(user, pusher, false);
			},
			dataChannelPushed: ({ dataPushers }) => {
				this.ownData.unshift(...dataPushers.map(({ pusherId }) => pusherId));
			},
			dataChannelPulled: ({ dataPullers }) => {
				this.#receives({ pullers: [], dataPullers });
			},
			userLeft: (userIds) => {
				for (const userId of userIds) {
					this.#known(view, userId, method);
					view.users.delete(userId);
				}
			},
			permissionsChanged: ({ userId }) => {
				assert.equal(userId, view.userId, 'a client is told of its own permissions alone');
			},
			pusherClosed: ({ userId, pusherIds }) => {
				const { pushers } = this.#known(view, userId, method);
				for (const pusherId of pusherIds) assert.ok(pushers.delete(pusherId), `unknown pusher ${pusherId} closed`);
			},
			pusherPaused: ({ userId, pusherIds }) => {
				this.#setPaused(view, userId, pusherIds, true);
			},
			pusherResumed: ({ userId, pusherIds }) => {
				this.#setPaused(view, userId, pusherIds, false);
			},
			// The clients of these tests send no media, so nothing can stop coming.
			pusherStalled: () => assert.fail('told that a pusher stalled which has never sent'),
			pusherRecovered: () => assert.fail('told that a pusher recovered which has never stalled'),
			userQuality: () => assert.fail('told of the quality of users without the option'),
			pullerPaused: ({ pullerId }) => void view.pausedByApp.set(pullerId, true),
			pullerResumed: ({ pullerId }) => void view.pausedByApp.set(pullerId, false),
			pusherChanged: ({ userId, pushers }) => {
				const known = this.#known(view, userId, method).pushers;
				for (const { pusherId, ...said } of pushers) {
					const pusher = known.get(pusherId);
					assert.ok(pusher, `unknown pusher ${pusherId} changed`);
					assert.notDeepEqual(said, pusher.said, `told that ${pusherId} changed to what it was`);
					pusher.said = said;
				}
			},
			pullerClosed: ({ pullerId, pusherId, reason }) => {
				if (reason !== 'pusherClosed') view.follows?.without.add(pusherId);
				assert.ok(!view.closedPullers.has(pullerId), `told twice that puller ${pullerId} is closed`);
				view.closedPullers.add(pullerId);
				view.pullers.delete(pullerId);
			},
			layersChanged: () => undefined,
			layersWanted: ({ pusherId, encodings }) => {
				assert.ok(encodings.length > 1 && encodings[0]?.active, `${pusherId} is not to send its lowest layer`);
			},
			activeSpeaker: () => assert.fail('nobody is listened to'),
			audioLevels: () => assert.fail('nobody is listened to'),
			qualityChanged: () => undefined,
			mediaLost: ({ connectionIds }) => {
				for (const connectionId of connectionIds) this.#ended(connectionId);
			},
			connectionClosed: ({ connectionId }) => {
				this.#ended(connectionId);
			},
			migrate: () => assert.fail('told to go elsewhere, though nothing is drained'),
			roomClosed: ({ roomId }) => {
				assert.equal(roomId, view.roomId);
				this.view = undefined;
			},
			kicked: ({ roomId }) => {
				assert.equal(roomId, view.roomId);
				this.view = undefined;
			},
			textMessage: ({ userId, message }) => {
				this.#known(view, userId, method);
				assert.ok(!view.texts.has(message), `text "${message}" came twice`);
				view.texts.add(message);
			},
			userDisconnect: ({ userId }) => void this.#known(view, userId, method),
			userReconnect: ({ userId }) => void this.#known(view, userId, method),
			userLeave: ({ userId }) => {
				assert.ok(!view.users.has(userId), 'userLeave comes beside userLeft, after it');
			},
		};
		notifications[method](data as Notifications[Method]);
	}

	#met(view: View, { userId, userName, metadata = null, pushers, dataPushers = [] }: UserData): void {
		assert.notEqual(userId, view.userId, 'told of himself');
		assert.ok(!view.users.has(userId), `told twice that ${userId} is there`);
		const user: KnownUser = { userName, metadata, pushers: new Map() };
		view.users.set(userId, user);
		for (const pusher of [...pushers, ...dataPushers]) this.#hasPusher(user, pusher, undefined);
	}

	#hasPusher({ pushers }: KnownUser, pusher: PusherData | DataPusherData, paused: boolean | undefined) {
		const { pusherId, source = null, metadata = null } = pusher;
		assert.ok(!pushers.has(pusherId), `told twice of pusher ${pusherId}`);
		pushers.set(pusherId, { paused: pusher.paused ?? paused, said: { source, metadata } });
	}

	#setPaused(view: View, userId: string, pusherIds: string[], paused: boolean): void {
		if (userId === view.userId) {
			for (const pusherId of pusherIds) view.pausedByApp.set(pusherId, paused);
			return;
		}
		const { pushers } = this.#known(view, userId, paused ? 'pusherPaused' : 'pusherResumed');
		for (const pusherId of pusherIds) {
			const pusher = pushers.get(pusherId);
			assert.ok(pusher, `unknown pusher ${pusherId} ${paused ? 'paused' : 'resumed'}`);
			assert.notEqual(pusher.paused, paused, `told twice that ${pusherId} is ${paused ? 'paused' : 'resumed'}`);
			pusher.paused = paused;
		}
	}

	#known(view: View, userId: string, method: string): KnownUser {
		assert.notEqual(userId, view.userId, `told of himself: ${method}`);
		const user = view.users.get(userId);
		assert.ok(user, `told of ${method} of ${userId}, who is not there`);
		return user;
	}
}

const sendingMids = (sdp: string): string[] =>
	sdpTransform.parse(sdp).media.flatMap(({ mid, direction }) => (direction === 'sendonly' ? String(mid) : []));
