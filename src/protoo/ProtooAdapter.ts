import type { Room } from '../rooms/Room.js';
import type { Sfu } from '../rooms/Sfu.js';
import { SfuError } from '../SfuError.js';
import { validator } from '../schemas.js';
import type { Authorize } from '../signaling/authorize.js';
import { defaultPeerLimits, type PeerLimits } from './Peer.js';
import { RoomNotifier } from '../signaling/RoomNotifier.js';
import { Session } from '../signaling/Session.js';
import type { Socket } from './Socket.js';

export interface ProtooOptions {
	/** Decides on every join, push, change of a pusher, pull, `autoPull` and text message. Default: everything is allowed. */
	authorize?: Authorize;
	/**
	 * How long a user whose socket was lost stays in the room, to come back by joining again, in ms. A client that
	 * closes its socket itself leaves at once. Default 20,000.
	 */
	reconnectTimeout?: number;
	/** Sends `userDisconnect`, `userReconnect` and `userLeave` too, for RTCPilot's web client. Default false. */
	rtcpilot?: boolean;
	/**
	 * Also tells the clients how loud everybody is (`audioLevels`), as often as the Sfu's `audioObservers.interval` says.
	 * Who speaks (`activeSpeaker`) they are told anyway, when the Sfu has `audioObservers`. Default false.
	 */
	audioLevels?: boolean;
	limits?: Partial<PeerLimits>;
}

const count = { type: 'integer', minimum: 1 };

const checkOptions = validator<ProtooOptions>(
	{
		type: 'object',
		properties: {
			authorize: {},
			reconnectTimeout: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 },
			rtcpilot: { type: 'boolean' },
			audioLevels: { type: 'boolean' },
			limits: {
				type: 'object',
				properties: {
					...Object.fromEntries(Object.keys(defaultPeerLimits).map((limit) => [limit, count])),
					responseTimeout: { ...count, maximum: 2 ** 31 - 1 },
				},
				additionalProperties: false,
			},
		},
		additionalProperties: false,
	},
	'options',
);

/** Speaks the `join` / `push` / `pull` messages, in the envelope of protoo 4, over any {@link Socket}. */
export class ProtooAdapter {
	readonly #sfu: Sfu;
	readonly #options: ProtooOptions;
	readonly #limits: PeerLimits;
	readonly #sessions = new Set<Session>();
	readonly #channels = new Map<Room, RoomNotifier>();
	#closed = false;

	/** @throws {@link SfuError} `invalid_argument`, naming the option */
	constructor(sfu: Sfu, options: ProtooOptions = {}) {
		this.#sfu = sfu;
		this.#options = checkOptions(options);
		if (options.authorize !== undefined && typeof options.authorize !== 'function') {
			throw new SfuError('invalid_argument', 'options.authorize must be a function');
		}
		this.#limits = { ...defaultPeerLimits, ...options.limits };
	}

	/** How many sockets are open. */
	get sockets(): number {
		return this.#sessions.size;
	}

	/**
	 * Serves a socket from now on until it closes.
	 *
	 * @param context - what the app knows of it, such as the HTTP request that it came with, for `authorize`
	 */
	accept(socket: Socket, context?: unknown): void {
		if (this.#closed) {
			socket.close(1001, 'the server is going away');
			return;
		}
		const session = new Session(socket, {
			openChannel: (roomId) => this.#openChannel(roomId),
			authorize: this.#options.authorize,
			context,
			reconnectTimeout: this.#options.reconnectTimeout ?? 20_000,
			idLength: this.#sfu.limits.idLength,
			limits: this.#limits,
			logger: this.#sfu.logger,
			closed: () => this.#sessions.delete(session),
		});
		this.#sessions.add(session);
	}

	/** Closes all sockets; their users leave. The Sfu is not ours, and stays open. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const session of this.#sessions) session.close(1001, 'the server is going away');
		// Those whose socket was lost, too.
		for (const channel of this.#channels.values()) channel.close();
	}

	async #openChannel(roomId: string): Promise<RoomNotifier> {
		const room = await this.#sfu.getOrCreateRoom(roomId);
		let channel = this.#channels.get(room);
		if (!channel) {
			channel = new RoomNotifier(room, {
				rtcpilot: this.#options.rtcpilot ?? false,
				audioLevels: this.#options.audioLevels ?? false,
				limits: this.#limits,
			});
			this.#channels.set(room, channel);
			room.once('closed', () => this.#channels.delete(room));
		}
		return channel;
	}
}
