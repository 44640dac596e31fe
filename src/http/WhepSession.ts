import { Watch, type Puller, type Room, type User } from '../index.js';
import type { WatchTarget } from './authorize.js';
import { choosePushers } from './choosePushers.js';
import { EventStream } from './EventStream.js';
import { HttpSession, type SessionStart } from './HttpSession.js';
import { layersFor, pusherOf, toldLayers, type LayerRequest } from './layers.js';
import { Problem } from './Problem.js';
import { mediaOf } from './sdpFragment.js';

/** The events that a client may ask for (WHEP, Server Sent Events extension). */
export const watchEvents = ['active', 'inactive', 'layers', 'reconnect'] as const;

const roomEvents = ['pusherAdded', 'pusherChanged', 'pusherClosed', 'userLeft', 'activeSpeakerChanged'] as const;

interface WhepStart extends SessionStart {
	room: Room;
	target: WatchTarget;
	/** The most event streams. */
	streams: number;
}

/** A session of WHEP: a user that watches. What it watches may come, go and change. */
export class WhepSession extends HttpSession {
	readonly #room: Room;
	readonly #target: WatchTarget;
	readonly #watch: Watch;
	readonly #mostStreams: number;
	readonly #streams = new Map<string, EventStream>();
	readonly #media: readonly { kind: string; mid: string | undefined }[];
	/** What the client has asked for, by the index of the m-line. */
	readonly #wanted = new Map<number, LayerRequest>();
	/** The ids of the pushers that were shown last, or that could not be. */
	#tried: string;
	#watched: User | undefined;
	#active: boolean;
	#updating = false;
	#outdated = false;

	private constructor(start: WhepStart, watch: Watch, watched: User | undefined, tried: string) {
		super(start, watch.connection, watch.answer);
		this.#room = start.room;
		this.#target = start.target;
		this.#mostStreams = start.streams;
		this.#media = mediaOf(start.offer);
		this.#watch = watch;
		this.#watched = watched;
		this.#tried = tried;
		this.#active = watch.pullers.length > 0;
		this.#follow();
	}

	/**
	 * Begins to watch.
	 *
	 * @throws `SfuError` (rejects) the errors of `Watch.open()`
	 */
	static async open(start: WhepStart): Promise<WhepSession> {
		const { room, target, user, offer } = start;
		const chosen = choosePushers(room, target);
		const watch = await Watch.open(user, offer, chosen.pushers);
		const session = new WhepSession(start, watch, chosen.user, idsOf(chosen.pushers));
		// Something else may be there by now.
		session.#update();
		return session;
	}

	/** Opens an event stream. @throws {@link Problem} 429 */
	openStream(events: readonly string[]): EventStream {
		if (this.#streams.size >= this.#mostStreams) {
			throw new Problem(429, `a session has at most ${this.#mostStreams} event streams`, { code: 'limit_exceeded' });
		}
		const stream = new EventStream(events);
		this.#streams.set(stream.streamId, stream);
		if (this.#active) stream.send('active', {});
		void this.#tellLayers([stream]);
		return stream;
	}

	/** The event stream with this id. */
	streamOf(streamId: string): EventStream | undefined {
		return this.#streams.get(streamId);
	}

	/** Ends an event stream. @returns whether there was one */
	closeStream(streamId: string): boolean {
		this.#streams.get(streamId)?.close();
		return this.#streams.delete(streamId);
	}

	/**
	 * Selects a layer, now and for what comes later on the m-line.
	 *
	 * @throws {@link Problem} (rejects) 422 if there is no such m-line or stream; `SfuError` `conflict` if the video has no layers
	 */
	async selectLayer(request: LayerRequest): Promise<void> {
		const { mediaId } = request;
		const index = mediaId === undefined ? this.#media.findIndex(({ kind }) => kind === 'video') : Number(mediaId);
		if (this.#media[index]?.kind !== 'video') {
			throw new Problem(422, 'mediaId is not the index of an m-line of video', { code: 'invalid_argument' });
		}
		const puller = this.#pullerOn(index);
		if (puller) await this.#apply(puller, request);
		this.#wanted.set(index, request);
	}

	protected override answerRestart(offer: string): Promise<string> {
		return this.#watch.restartIce(offer);
	}

	#follow(): void {
		const [room, user] = [this.#room, this.user];
		const update = () => {
			this.#update();
		};
		const draining = () => {
			this.#tell('reconnect', {});
		};
		for (const event of roomEvents) room.on(event, update);
		room.on('draining', draining);
		user.on('permissionsChanged', () => {
			this.#tried = '';
			this.#update();
		});
		user.on('pullerClosed', update);
		user.once('closed', () => {
			for (const event of roomEvents) room.off(event, update);
			room.off('draining', draining);
			for (const stream of this.#streams.values()) stream.close();
			this.#streams.clear();
		});
	}

	/** Shows what is to be watched now. Several tracks that come at once are shown at once. */
	#update(): void {
		this.#outdated = true;
		if (this.#updating) return;
		this.#updating = true;
		setImmediate(() => {
			void this.#showAll().finally(() => {
				this.#updating = false;
			});
		});
	}

	async #showAll(): Promise<void> {
		while (this.#outdated && !this.user.closed) {
			this.#outdated = false;
			const { user, pushers } = choosePushers(this.#room, this.#target, this.#watched);
			this.#watched = user;
			const ids = idsOf(pushers);
			if (ids !== this.#tried) {
				this.#tried = ids;
				await this.#show(pushers);
			}
			this.#setActive(this.#watch.pullers.length > 0);
		}
	}

	async #show(pushers: Parameters<Watch['show']>[0]): Promise<void> {
		try {
			await this.#watch.show(pushers);
			for (const [index, request] of this.#wanted) {
				const puller = this.#pullerOn(index);
				// Another video may have no layers, or not these.
				if (puller) await this.#apply(puller, request).catch(() => undefined);
			}
		} catch {
			// It is forbidden or has gone. What comes next is tried again, and nothing stays of what is not chosen any more.
			if (pushers.length > 0) await this.#watch.show([]).catch(() => undefined);
		}
		await this.#tellLayers([...this.#streams.values()]);
	}

	async #apply(puller: Puller, request: LayerRequest): Promise<void> {
		const pusher = pusherOf(this.#room, puller);
		const layers = pusher && layersFor(request, pusher);
		if (!layers) throw new Problem(422, 'there is no stream with this rid', { code: 'invalid_argument' });
		await puller.setPreferredLayers(layers);
	}

	#pullerOn(index: number): Puller | undefined {
		const section = this.#media[index];
		const pullers = this.#watch.pullers.filter(({ kind }) => kind === section?.kind);
		return pullers.find(({ mid }) => mid === section?.mid);
	}

	#setActive(active: boolean): void {
		if (active === this.#active) return;
		this.#active = active;
		this.#tell(active ? 'active' : 'inactive', {});
	}

	#tell(event: (typeof watchEvents)[number], data: unknown): void {
		for (const stream of this.#streams.values()) stream.send(event, data);
	}

	/** Tells the layers of each video, by the index of its m-line. */
	async #tellLayers(streams: readonly EventStream[]): Promise<void> {
		if (streams.length === 0) return;
		const told: Record<string, unknown> = {};
		for (const [index] of this.#media.entries()) {
			const puller = this.#pullerOn(index);
			const pusher = puller && pusherOf(this.#room, puller);
			// A track that closes meanwhile has none.
			const layers = pusher ? await toldLayers(puller, pusher).catch(() => []) : [];
			if (layers.length > 0) told[index] = layers;
		}
		if (Object.keys(told).length === 0) return;
		for (const stream of streams) stream.send('layers', told);
	}
}

const idsOf = (pushers: readonly { pusherId: string }[]): string => pushers.map(({ pusherId }) => pusherId).join(' ');
