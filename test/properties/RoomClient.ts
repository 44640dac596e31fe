import assert from 'node:assert/strict';
import {
	createSocketPair,
	type JoinSuccess,
	type Notifications,
	type PullSuccess,
	type PusherData,
	type PushSuccess,
	type Socket,
	type UserData,
} from 'sfu-rooms/protoo';

/** What a client knows of a pusher; whether it is paused only if it was told. */
interface KnownPusher {
	paused: boolean | undefined;
	said: { source: string | null; metadata: unknown };
}

export interface KnownUser {
	userName: string;
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
	texts: Set<string>;
	/** What the app has paused of the client's own: pushers and pullers. */
	pausedByApp: Map<string, boolean>;
}

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
			notification?: true;
			method?: keyof Notifications;
		};
		const shown = text.replace(/"sdp":"[^"]*"/g, '"sdp":…').replace(/"rtpParam":\{[^}]*\}/g, '"rtpParam":…');
		this.log.push(`${this.name} ← ${shown}`);
		assert.ok(this.open, `told after its socket was closed: ${shown}`);
		if (message.response) this.#responded(message);
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
				for (const { pullerId } of (success as PullSuccess).pullers) {
					if (!this.view?.closedPullers.has(pullerId)) this.view?.pullers.add(pullerId);
				}
				break;
			case 'push':
				assert.ok((success as PushSuccess).sdp.startsWith('v=0'));
				break;
		}
	}

	#notified<Method extends keyof Notifications>(method: Method, data: unknown): void {
		const view = this.view;
		assert.ok(view, `told of ${method} while in no room`);
		const notifications: { [Name in keyof Notifications]: (data: Notifications[Name]) => void } = {
			newUser: (users) => {
				for (const user of users) this.#met(view, user);
			},
			newPusher: ({ roomId, userId, pushers }) => {
				assert.equal(roomId, view.roomId);
				const user = this.#known(view, userId, method);
				for (const pusher of pushers) this.#hasPusher(user, pusher, false);
			},
			userLeft: (userIds) => {
				for (const userId of userIds) {
					this.#known(view, userId, method);
					view.users.delete(userId);
				}
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
			pullerClosed: ({ pullerId }) => {
				assert.ok(!view.closedPullers.has(pullerId), `told twice that puller ${pullerId} is closed`);
				view.closedPullers.add(pullerId);
				view.pullers.delete(pullerId);
			},
			mediaLost: () => undefined,
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

	#met(view: View, { userId, userName, pushers }: UserData): void {
		assert.notEqual(userId, view.userId, 'told of himself');
		assert.ok(!view.users.has(userId), `told twice that ${userId} is there`);
		const user: KnownUser = { userName, pushers: new Map() };
		view.users.set(userId, user);
		for (const pusher of pushers) this.#hasPusher(user, pusher, undefined);
	}

	#hasPusher({ pushers }: KnownUser, pusher: PusherData, paused: boolean | undefined) {
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
