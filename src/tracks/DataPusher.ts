import type { DataProducer } from 'mediasoup/types';
import type { Logger } from '../Logger.js';
import { payloadProtocol, readUserMessage, type DataChannelParameters } from '../sdp/dataChannelProtocol.js';
import { SfuError } from '../SfuError.js';
import { PullerGroup } from './PullerGroup.js';
import { AnyPusher, type AnyPusherEvents } from './AnyPusher.js';
import { toSfuError } from '../media/callWorker.js';
import type { Limits } from '../options.js';
import type { PusherCloseReason } from './Pusher.js';
import type { PusherDetails } from './PushOptions.js';

/** Why a data pusher has closed. */
export type DataPusherCloseReason =
	/** The client has closed the data channel. */
	'channelClosed' | PusherCloseReason;

export type DataPusherEvents = AnyPusherEvents & {
	/**
	 * The client has sent a string, or bytes, while nobody has paused it. While there is a listener, every message of this
	 * data channel passes through this process, beside its way to those who pull it.
	 */
	message: (event: { data: string | Buffer }) => void;
	/** Emitted once, last. */
	closed: (event: { reason: DataPusherCloseReason }) => void;
};

/** The SCTP stream that a data channel is on. */
export interface DataPusherStream {
	/** The `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Receives the data channel. */
	readonly producer: DataProducer;
	/** Sends a message to the client on the same stream. */
	reply(message: Buffer, payloadProtocolId: number): Promise<void>;
	/** Whether this process gets a copy of each message. */
	observe(observed: boolean): void;
}

/**
 * A data channel that a user has opened. Others pull what it sends on it; the app can answer on it. What comes while it is
 * paused is lost.
 */
export class DataPusher extends AnyPusher<DataPusherEvents> {
	readonly kind = 'data';
	/** The `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Whether it was announced with its id, rather than opened in-band (RFC 8832). */
	readonly announced: boolean;
	/** As the client says, as all that follows. */
	readonly label: string;
	/** The subprotocol, `""` for none. */
	readonly protocol: string;
	readonly ordered: boolean;
	/** In ms; undefined for no limit. */
	readonly maxPacketLifeTime: number | undefined;
	/** Undefined for no limit. */
	readonly maxRetransmits: number | undefined;
	/** @internal Those who pull it. */
	readonly followers: PullerGroup;
	readonly #stream: DataPusherStream;
	readonly #ended: (reason: DataPusherCloseReason) => void;
	#closed = false;

	/**
	 * @internal
	 * @param options - `ended`: told when it closes, before anybody else
	 */
	constructor(options: {
		userId: string;
		connectionId: string;
		negotiated: boolean;
		channel: DataChannelParameters;
		details: PusherDetails;
		stream: DataPusherStream;
		limits: Limits;
		logger: Logger;
		ended: (reason: DataPusherCloseReason) => void;
	}) {
		const followers = new PullerGroup();
		super(followers, options);
		this.followers = followers;
		const { negotiated, channel, stream, ended } = options;
		this.channelId = stream.channelId;
		this.announced = negotiated;
		this.label = channel.label;
		this.protocol = channel.protocol;
		this.ordered = channel.ordered;
		this.maxPacketLifeTime = channel.maxPacketLifeTime;
		this.maxRetransmits = channel.maxRetransmits;
		this.#stream = stream;
		this.#ended = ended;
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** @internal What those who pull it consume. */
	get producer(): DataProducer {
		return this.#stream.producer;
	}

	override on<Event extends keyof DataPusherEvents>(event: Event, listener: DataPusherEvents[Event]): this {
		super.on(event, listener);
		return this.#followListeners();
	}

	override once<Event extends keyof DataPusherEvents>(event: Event, listener: DataPusherEvents[Event]): this {
		super.once(event, listener);
		return this.#followListeners();
	}

	override off<Event extends keyof DataPusherEvents>(event: Event, listener: DataPusherEvents[Event]): this {
		super.off(event, listener);
		return this.#followListeners();
	}

	/**
	 * Sends the app's own message to the user, on this data channel, in order and reliably.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `limit_exceeded` when the client reads so slowly
	 *   that `limits.dataBufferBytes` wait already, `closed`, `unavailable`, `internal`
	 */
	async send(message: string | Uint8Array): Promise<void> {
		const bytes = checkMessage(message, this.limits.dataMessageBytes);
		this.assertOpen();
		try {
			// Empty ones are as mediasoup wants them: it makes them the one byte that does not count.
			await this.#stream.reply(bytes, typeof message === 'string' ? stringProtocol(bytes) : binaryProtocol(bytes));
		} catch (error) {
			if (this.#closed) this.assertOpen();
			// mediasoup has no class for it.
			if (error instanceof Error && error.message.includes('sctpsendbufferfull')) {
				throw new SfuError('limit_exceeded', 'the client reads too slowly', { cause: error });
			}
			throw toSfuError(error);
		}
	}

	/** @internal What the client has sent. */
	receive(message: Buffer, payloadProtocolId: number): void {
		if (this.#closed || this.paused || this.listenerCount('message') === 0) return;
		const data = readUserMessage(message, payloadProtocolId);
		if (data !== undefined) this.emit('message', { data });
		this.#followListeners();
	}

	/** Closes the data channel, at the client too; its pullers close with it. */
	close(reason: DataPusherCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.followers.close();
		this.#ended(reason);
		this.emit('closed', { reason });
	}

	#followListeners(): this {
		if (!this.#closed) this.#stream.observe(this.listenerCount('message') > 0);
		return this;
	}
}

/**
 * The bytes of an app's message.
 *
 * @throws {@link SfuError} `invalid_argument`, `too_large`
 */
export function checkMessage(message: string | Uint8Array, longest: number): Buffer {
	if (typeof message !== 'string' && !((message as unknown) instanceof Uint8Array)) {
		throw new SfuError('invalid_argument', 'message must be a string or a Uint8Array');
	}
	const bytes = Buffer.from(message);
	if (bytes.length <= longest) return bytes;
	throw new SfuError('too_large', `the message has ${bytes.length} bytes, more than the ${longest} that are allowed`);
}

const stringProtocol = ({ length }: Buffer): number =>
	length > 0 ? payloadProtocol.string : payloadProtocol.emptyString;

const binaryProtocol = ({ length }: Buffer): number =>
	length > 0 ? payloadProtocol.binary : payloadProtocol.emptyBinary;
