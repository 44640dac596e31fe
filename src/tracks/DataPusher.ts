import { randomUUID } from 'node:crypto';
import { toSfuError } from '../media/callWorker.js';
import type { DataSource } from '../media/DataSource.js';
import type { Limits } from '../options.js';
import { payloadProtocol, readUserMessage, type DataChannelParameters } from '../sdp/dataChannelProtocol.js';
import { SfuError } from '../SfuError.js';
import type { EndpointOptions } from './Endpoint.js';
import { PullerGroup } from './PullerGroup.js';
import { PusherEndpoint, type PusherCloseReason, type PusherEvents } from './PusherEndpoint.js';
import type { PusherDetails } from './PushOptions.js';

/** The SCTP stream that a data channel is on. */
export interface DataPusherStream {
	/** The `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Receives the data channel. */
	readonly source: DataSource;
	/** Sends a message to the client on the same stream. */
	reply(message: Buffer, payloadProtocolId: number): Promise<void>;
	/** Whether this process gets a copy of each message. */
	observe(observed: boolean): void;
}

/**
 * A data channel that a user has opened. Others pull the messages that the user sends on it, and the app can answer on it.
 * Messages that come while it is paused are lost.
 */
export class DataPusher extends PusherEndpoint {
	readonly kind = 'data';
	readonly pusherId: string;
	/** The `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Whether the client opened it in-band (RFC 8832). If not, it announced it with its id (`negotiated: true`). */
	readonly inBand: boolean;
	/** The label that the client gave it. */
	readonly label: string;
	/** The subprotocol that the client gave it. Empty if there is none. */
	readonly protocol: string;
	/** Whether messages arrive in order. */
	readonly ordered: boolean;
	/** How long a message may be retransmitted, in ms. Undefined if there is no limit. */
	readonly maxPacketLifeTime: number | undefined;
	/** How often a message may be retransmitted. Undefined if there is no limit. */
	readonly maxRetransmits: number | undefined;
	/** @internal Those who pull it. */
	readonly pullers: PullerGroup;
	readonly #stream: DataPusherStream;
	readonly #ended: (reason: PusherCloseReason) => void;

	/**
	 * @internal
	 * @param options - `ended` is called when it closes, before any listener
	 */
	constructor(
		options: EndpointOptions & {
			/** Default: a new one. */
			pusherId?: string;
			inBand: boolean;
			channel: DataChannelParameters;
			details: PusherDetails;
			stream: DataPusherStream;
			limits: Limits;
			ended: (reason: PusherCloseReason) => void;
		},
	) {
		const pullers = new PullerGroup();
		super(pullers, options);
		this.pullers = pullers;
		const { inBand, channel, stream, ended } = options;
		this.pusherId = options.pusherId ?? randomUUID();
		this.channelId = stream.channelId;
		this.inBand = inBand;
		this.label = channel.label;
		this.protocol = channel.protocol;
		this.ordered = channel.ordered;
		this.maxPacketLifeTime = channel.maxPacketLifeTime;
		this.maxRetransmits = channel.maxRetransmits;
		this.#stream = stream;
		this.#ended = ended;
	}

	/** @internal What others pull. */
	get pullSource(): DataSource {
		return this.#stream.source;
	}

	override on<Event extends keyof PusherEvents>(event: Event, listener: PusherEvents[Event]): this {
		super.on(event, listener);
		return this.#followListeners();
	}

	override once<Event extends keyof PusherEvents>(event: Event, listener: PusherEvents[Event]): this {
		super.once(event, listener);
		return this.#followListeners();
	}

	override off<Event extends keyof PusherEvents>(event: Event, listener: PusherEvents[Event]): this {
		super.off(event, listener);
		return this.#followListeners();
	}

	/**
	 * Sends a message of the app to the user, on this data channel, in order and reliably.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `limit_exceeded` if the client reads so slowly
	 *   that `limits.dataBufferBytes` wait already, `closed`, `unavailable`, `internal`
	 */
	async send(message: string | Uint8Array): Promise<void> {
		const bytes = checkMessage(message, this.limits.dataMessageBytes);
		this.assertOpen();
		try {
			// mediasoup takes empty messages as they are, and writes the one byte that does not count.
			await this.#stream.reply(bytes, typeof message === 'string' ? stringProtocol(bytes) : binaryProtocol(bytes));
		} catch (error) {
			this.assertOpen();
			// mediasoup has no class for this error.
			if (error instanceof Error && error.message.includes('sctpsendbufferfull')) {
				throw new SfuError('limit_exceeded', 'the client reads too slowly', { cause: error });
			}
			throw toSfuError(error);
		}
	}

	/** @internal A message of the client. */
	receive(message: Buffer, payloadProtocolId: number): void {
		if (this.closed || this.paused || this.listenerCount('message') === 0) return;
		const data = readUserMessage(message, payloadProtocolId);
		if (data !== undefined) this.emit('message', { data });
		this.#followListeners();
	}

	protected override free(reason: PusherCloseReason): void {
		this.pullers.close();
		this.#ended(reason);
	}

	#followListeners(): this {
		if (!this.closed) this.#stream.observe(this.listenerCount('message') > 0);
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
