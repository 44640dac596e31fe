import {
	errorCodes,
	type AppResponse,
	type JoinData,
	type JoinSuccess,
	type MemberData,
	type Notifications,
	type OfferResponse,
	type PermissionsData,
} from '../protocol/index.js';
import type { CallEvents, CloseReason, ConnectionState } from './CallEvents.js';
import { Downlink } from './Downlink.js';
import type { LinkContext } from './Link.js';
import { MediaElements } from './MediaElements.js';
import type { ConnectOptions } from './options.js';
import type { RemoteTrack } from './RemoteTrack.js';
import type { RemoteUser } from './RemoteUser.js';
import { RoomError } from './RoomError.js';
import { Roster } from './Roster.js';
import { Signaling, type SignalingOwner } from './Signaling.js';
import { Uplink } from './Uplink.js';
import { Viewport } from './Viewport.js';
import { watchNetwork } from './watchNetwork.js';
import type { NotificationHandlers, Own, ServerRequest } from './Wire.js';

/** The server has so long to answer when something hints at a dead network, in ms. */
const CHECK_TIMEOUT = 2000;

/** Hands out events. */
export type Emit = <Event extends keyof CallEvents>(event: Event, payload: CallEvents[Event]) => void;

/** Whose stay it is. What others may read of it is kept there. */
export interface SessionOwner {
	state: ConnectionState;
	userName: string;
	metadata: unknown;
	speaker: RemoteUser | 'me' | null;
	permissions: PermissionsData | undefined;
	emit: Emit;
	changed(): void;
}

/** What a call consists of: the socket, the two media connections, and the others. It leads what happens to where it belongs. */
export class Session implements SignalingOwner {
	readonly member: MemberData;
	readonly signaling: Signaling;
	readonly roster: Roster;
	readonly uplink: Uplink;
	readonly downlink: Downlink;
	/** What answers the app's requests, by their names. */
	readonly answers = new Map<string, (data: unknown) => unknown>();
	readonly #options: ConnectOptions;
	readonly #owner: SessionOwner;
	readonly #viewport: Viewport | undefined;
	readonly #unwatch: () => void;
	readonly #handlers: NotificationHandlers;
	readonly #links: readonly [Uplink, Downlink];
	#token: string | null = null;
	#iceServers: RTCIceServer[] | undefined;

	constructor(options: ConnectOptions, owner: SessionOwner) {
		const { roomId, userId, adaptive = true, subscribe = 'all' } = options;
		this.#options = options;
		this.#owner = owner;
		this.member = { roomId, userId };
		const emit: Emit = (event, payload) => {
			owner.emit(event, payload);
		};
		this.signaling = new Signaling(options, this);
		const { request } = this.signaling;
		const link: LinkContext = {
			request,
			checkSocket: () => this.signaling.check(CHECK_TIMEOUT),
			configuration: () => ({ ...(this.#iceServers && { iceServers: this.#iceServers }), ...options.rtc }),
			changed: () => {
				owner.changed();
			},
			failed: (error) => {
				if (error.status !== 0) emit('error', error);
			},
		};
		this.#viewport = adaptive ? new Viewport() : undefined;
		const elements = new MediaElements((resume) => {
			emit('audioBlocked', { resume });
		});
		this.roster = new Roster({
			userId,
			emit,
			track: {
				request,
				viewport: this.#viewport,
				elements,
				subscribe: (track, wanted) => this.#subscribe(track, wanted),
			},
			added: (track) => {
				if (subscribe === 'all' || typeof subscribe === 'object') return;
				track.isWanted = typeof subscribe === 'function' && subscribe(track);
				if (track.isWanted) this.#subscribe(track, true).catch(link.failed);
			},
			pull: () => this.downlink.pull(),
		});
		this.uplink = new Uplink(link);
		this.downlink = new Downlink({
			...link,
			autoPull: subscribe === 'all' ? true : typeof subscribe === 'object' ? subscribe : undefined,
			wanted: () => this.roster.wanted((pusherId) => this.downlink.has(pusherId)),
			pulled: (pulled, isComplete) => {
				this.roster.setPulled(pulled, isComplete);
				// After another begin everything comes by itself.
				for (const { id, isWanted } of this.roster.tracks()) if (!isWanted) this.downlink.unpull(id).catch(link.failed);
			},
			received: (pusherId, data) => {
				const channel = this.roster.channel(pusherId);
				if (channel) emit('data', { channel, data });
			},
		});
		this.#links = [this.uplink, this.downlink];
		this.#handlers = this.#createHandlers();
		this.#unwatch = watchNetwork({
			changed: () => void this.#networkChanged(),
			woken: () => void link.checkSocket(),
			devices: () => {
				for (const local of this.uplink.locals.values()) void local.recover();
			},
		});
	}

	/** Changes the own name or metadata. */
	setOwn({ userName, metadata }: { userName?: string; metadata?: unknown }): void {
		if (userName !== undefined) this.#owner.userName = userName;
		if (metadata !== undefined) this.#owner.metadata = metadata ?? undefined;
		this.#owner.changed();
	}

	lost(): void {
		this.#setState('reconnecting');
	}

	end(reason: CloseReason, message: string): void {
		if (this.#owner.state === 'closed') return;
		this.#unwatch();
		this.signaling.close();
		this.uplink.end();
		this.downlink.end();
		for (const track of this.roster.tracks()) track.end();
		this.#viewport?.close();
		this.#setState('closed');
		this.#owner.emit('closed', { reason, message });
	}

	/** Those of the notifications that concern this client itself, or more than the others. */
	#createHandlers(): NotificationHandlers {
		const { uplink, downlink } = this;
		const setMutedByServer = (pusherIds: string[], muted: boolean) => {
			for (const pusherId of pusherIds) uplink.localOf(pusherId)?.setMutedByServer(muted);
		};
		return {
			waiting: () => this.#options.onWaiting?.(),
			kicked: ({ reason }) => {
				this.end('kicked', reason);
			},
			roomClosed: ({ reason }) => {
				this.end('roomClosed', reason);
			},
			migrate: () => void this.signaling.move(),
			mediaLost: ({ connectionIds }) => {
				for (const connectionId of connectionIds) void this.#linkOf(connectionId)?.open();
			},
			connectionClosed: ({ connectionId }) => {
				void this.#linkOf(connectionId)?.open();
			},
			qualityChanged: ({ connectionId, quality }) => {
				const link = this.#linkOf(connectionId);
				if (link) this.#owner.emit('quality', { direction: link === uplink ? 'send' : 'receive', quality });
			},
			pusherPaused: ({ pusherIds }) => {
				setMutedByServer(pusherIds, true);
			},
			pusherResumed: ({ pusherIds }) => {
				setMutedByServer(pusherIds, false);
			},
			pusherStalled: ({ userId, pusherIds }) => {
				if (userId === this.#options.userId) void uplink.setStalled(pusherIds);
			},
			pusherRecovered: ({ pusherIds }) => {
				uplink.setRecovered(pusherIds);
			},
			layersWanted: ({ pusherId, encodings }) => {
				uplink.localOf(pusherId)?.setWanted(encodings);
			},
			pullerClosed: ({ pullerId }) => {
				downlink.removePuller(pullerId);
			},
			dataChannelPulled: ({ dataPullers }) => {
				downlink.addChannels(dataPullers);
			},
			activeSpeaker: ({ userId }) => {
				this.#setSpeaker(userId);
			},
			userChanged: ({ userId, userName, metadata = null }) => {
				if (userId === this.#options.userId) this.setOwn({ userName, metadata });
			},
			permissionsChanged: ({ permissions }) => {
				this.#owner.permissions = permissions;
				uplink.permit(permissions.push);
				this.#owner.emit('permissionsChanged', permissions);
			},
			textMessage: ({ userId, userName, message, time }) => {
				this.#owner.emit('message', { from: this.roster.users.get(userId), userId, userName, message, time });
			},
			appMessage: ({ name, data }) => {
				this.#owner.emit('appMessage', { name, data });
			},
		};
	}

	joinData(): Own<JoinData> {
		const { userName, metadata } = this.#owner;
		return { userName, metadata, resumeToken: this.#token, audience: this.#options.audience };
	}

	notified(method: keyof Notifications, data: never): void {
		for (const handlers of [this.#handlers, this.roster.handlers]) {
			// An app may send notifications of its own.
			if (Object.hasOwn(handlers, method)) handlers[method]?.(data);
		}
		this.#owner.changed();
	}

	joined({ users, resumed, connections = [], resumeToken, activeSpeaker, iceServers, ...own }: JoinSuccess): void {
		const { roster } = this;
		this.#token = resumeToken;
		this.#iceServers = iceServers;
		this.setOwn(own);
		roster.replace(users);
		this.#setSpeaker(activeSpeaker?.userId ?? null);
		const restart = this.#links.some(({ isSilent }) => isSilent);
		for (const { connectionId } of connections) {
			if (this.#linkOf(connectionId)) continue;
			// The response that named it was lost.
			this.signaling.request('closeConnection', { connectionId }).catch(() => undefined);
		}
		for (const link of this.#links) {
			if (!resumed) link.forget();
			void (resumed ? link.resume(connections, restart) : link.open());
		}
		for (const track of roster.tracks()) if (resumed) track.sync();
		this.#owner.state = 'connected';
		this.#owner.emit('state', { state: 'connected', resumed });
	}

	async asked({ method, data: asked }: ServerRequest): Promise<OfferResponse | AppResponse> {
		if (method === 'offer') return this.downlink.answer(asked);
		const { name, data } = asked;
		const answer = this.answers.get(name);
		if (!answer) throw new RoomError('appRequest', errorCodes.not_found, `unknown: ${name}`);
		return { data: await answer(data) };
	}

	async #subscribe(track: RemoteTrack, wanted: boolean): Promise<void> {
		const { named } = this.roster;
		if (!wanted) {
			named.delete(track.id);
			await this.downlink.unpull(track.id);
		} else if (!this.downlink.has(track.id)) {
			named.add(track.id);
			// Those of the same moment share an offer.
			await Promise.resolve();
			await this.downlink.pull();
		}
	}

	async #networkChanged(): Promise<void> {
		this.signaling.hurry();
		if (!(await this.signaling.check(CHECK_TIMEOUT))) return;
		for (const link of this.#links) void link.restart();
	}

	#linkOf(connectionId: string): Uplink | Downlink | undefined {
		return this.#links.find((link) => link.connectionId === connectionId);
	}

	#setSpeaker(userId: string | null): void {
		const other = this.roster.setSpeaker(userId);
		const speaker = userId === this.#options.userId ? 'me' : other;
		if (speaker === this.#owner.speaker) return;
		this.#owner.speaker = speaker;
		this.#owner.emit('speaker', speaker);
	}

	#setState(state: ConnectionState): void {
		if (state === this.#owner.state) return;
		this.#owner.state = state;
		this.#owner.emit('state', { state });
	}
}
