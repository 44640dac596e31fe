import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import { toSfuError } from '../media/callWorker.js';
import { Rollback } from '../Rollback.js';
import { checkLength } from '../schemas.js';
import {
	ackMessage,
	payloadProtocol,
	readControlMessage,
	type DataChannelParameters,
} from '../sdp/dataChannelProtocol.js';
import { SfuError } from '../SfuError.js';
import { DataPusher } from '../tracks/DataPusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import type { AnnouncedChannel, PusherDetails } from '../tracks/PushOptions.js';
import { DataStream } from './DataStream.js';
import type { SctpTransport } from './SctpTransport.js';

// So many streams wait beyond the number of channels that the client may have: it shall be refused rather than ignored
// when it opens too many.
const spareStreams = 4;

// Each waiting stream takes memory in the worker: so many are made at most, and so many that are not needed stay at most.
const mostWaiting = 64;
const mostNeedless = 64;

const greatestId = 0xfffe;

/** A data channel that the client has announced. */
export interface PushedChannel {
	readonly pusher: DataPusher;
	/** Whether it was made by this push; otherwise it was there already. */
	readonly isNew: boolean;
}

/**
 * Receives the data channels of a client: those that it announces with their ids, and those that it opens in-band by the
 * message OPEN (RFC 8832). Each id has a stream in one of these states, or none:
 *
 *               needed for a channel to come
 *      (none) ────────────────────────────────> waiting <──────────────┐
 *        ^                                       │   │                 │ the client closes
 *        │                    OPEN is malformed, │   │ OPEN,           │ the channel
 *        │                    beyond a limit, or │   │ or announced    │
 *        │                    it is not needed   │   V                 │
 *        │                                       │  open ──────────────┘
 *        │                                       V   │
 *        └─── closed <─────────────────────── closing <── the app closes the channel
 *                      the worker is told
 *
 * On an `open` stream OPEN means that the client has closed the channel without our having noticed, or that the client is
 * at fault. So the worker is asked whether the channel is still there. The worker drops the messages on an id without a
 * stream. While a stream is `closing` its id is still taken in the worker: the next stream waits until it is `closed`.
 */
export class DataReceiver {
	readonly #sctp: SctpTransport;
	readonly #directTransport: DirectDataTransport;
	readonly #opened: (pusher: DataPusher) => void;
	#acceptsChannels = false;
	/** The greatest id that the client has opened a channel on in-band. */
	#greatestOpenedId: number | undefined;
	#openedSinceRefill = 0;

	/** @param opened - called with each channel that the client opens in-band */
	constructor(sctp: SctpTransport, directTransport: DirectDataTransport, opened: (pusher: DataPusher) => void) {
		this.#sctp = sctp;
		this.#directTransport = directTransport;
		this.#opened = opened;
		sctp.beforePoll = () => {
			this.#openedSinceRefill = 0;
			for (const stream of sctp.streams.values()) stream.refill();
		};
	}

	/** Lets the client open channels in-band from now on. */
	async accept(): Promise<void> {
		if (this.#acceptsChannels) return;
		await this.#sctp.inOrder(() => this.#provideStreams());
		this.#acceptsChannels = true;
	}

	/**
	 * Receives the channels that the client announces with their ids. Those that it has announced before go on. If it fails,
	 * it closes the new ones.
	 *
	 * @throws {@link SfuError} (rejects) `conflict` if the client receives a channel with one of the ids, `limit_exceeded`,
	 *   `closed`, and errors of mediasoup
	 */
	push(announced: readonly AnnouncedChannel[]): Promise<PushedChannel[]> {
		const rollback = new Rollback();
		const pushing = this.#sctp.inOrder(async () => {
			const pushed: PushedChannel[] = [];
			for (const { id, channel, details } of announced) {
				if (this.#sctp.pullers.has(id)) {
					throw new SfuError('conflict', `the id ${id} is that of a data channel that is pulled`);
				}
				const known = (await this.#streamAt(id)).pusher;
				if (known && (await this.#isStillOpen(known))) {
					pushed.push({ pusher: known, isNew: false });
					continue;
				}
				const stream = await this.#streamAt(id);
				const pusher = this.#createPusher(stream, { channel, details, inBand: false });
				rollback.add(() => {
					pusher.close('negotiationFailed');
				});
				pushed.push({ pusher, isNew: true });
				// By the reply consumer we notice when the client closes the channel.
				await stream.replyConsumer();
				this.#sctp.assertOpen();
			}
			return pushed;
		});
		pushing.catch(rollback.run);
		return pushing;
	}

	#receive(stream: DataStream, message: Buffer, payloadProtocolId: number): void {
		const { state, pusher } = stream;
		const isControl = payloadProtocolId === payloadProtocol.control;
		if (pusher && !isControl) pusher.receive(message, payloadProtocolId);
		if (!isControl) return;
		const control = readControlMessage(message);
		if (pusher) {
			if (control?.type === 'open') void this.#openAgain(stream, pusher, control.channel);
		} else if (state === 'waiting' && this.#isOfClient(stream)) {
			if (control?.type === 'open') this.#open(stream, control.channel);
			else if (!control) this.#refuse(stream, 'it is malformed');
		}
	}

	/** Whether the id of a stream is in the half that the client chooses from. Its first channel decides on that. */
	#isOfClient({ channelId }: DataStream): boolean {
		return this.#greatestOpenedId === undefined || channelId % 2 === this.#sctp.firstClientId;
	}

	async #openAgain(stream: DataStream, pusher: DataPusher, channel: DataChannelParameters): Promise<void> {
		if (await this.#isStillOpen(pusher)) return;
		if (stream.state === 'waiting') this.#open(stream, channel);
	}

	#open(stream: DataStream, channel: DataChannelParameters): void {
		const { idLength, dataPushersPerUser } = this.#sctp.context.options.limits;
		let pusher: DataPusher;
		try {
			if (++this.#openedSinceRefill > 2 * dataPushersPerUser)
				throw new SfuError('limit_exceeded', 'there are too many');
			checkLength(channel.label, 'label', idLength);
			checkLength(channel.protocol, 'protocol', idLength);
			pusher = this.#createPusher(stream, { channel, details: {}, inBand: true });
		} catch (error) {
			this.#refuse(stream, toSfuError(error).message);
			return;
		}
		if (this.#greatestOpenedId === undefined) this.#sctp.firstClientId = stream.channelId % 2;
		this.#greatestOpenedId = Math.max(this.#greatestOpenedId ?? 0, stream.channelId);
		this.#opened(pusher);
		// The app may have closed it already.
		if (pusher.closed) return;
		void this.#sctp.attempt('a data channel could not be acknowledged', () =>
			stream.reply(ackMessage, payloadProtocol.control),
		);
		this.#provideStreamsAgain();
	}

	/** Closes a channel that the client wants to open. */
	#refuse(stream: DataStream, reason: string): void {
		const { context, connectionId } = this.#sctp;
		context.logger.warn('a data channel was refused', { userId: context.userId, connectionId, reason });
		this.#sctp.watch();
		this.#closeStream(stream);
		this.#provideStreamsAgain();
	}

	#createPusher(
		stream: DataStream,
		options: { channel: DataChannelParameters; details: PusherDetails; inBand: boolean },
	): DataPusher {
		const { connectionId, context } = this.#sctp;
		const { userId, gate, dataPusherQuota, logger } = context;
		const grant = gate.beginPush('data', options.details.source);
		const giveBack = dataPusherQuota.take();
		const pusher = new DataPusher({
			...options,
			userId,
			connectionId,
			stream,
			limits: context.options.limits,
			logger,
			ended: (reason) => {
				giveBack();
				this.#pusherEnded(stream, reason);
			},
		});
		grant.admit(pusher);
		stream.open(pusher);
		this.#sctp.watch();
		return pusher;
	}

	#pusherEnded(stream: DataStream, reason: PusherCloseReason): void {
		if (reason === 'channelClosed' && !this.#sctp.closed) {
			stream.wait();
			return;
		}
		this.#closeStream(stream);
		this.#provideStreamsAgain();
	}

	/** Whether the client still has its end of a channel. If it has not, the channel is closed. */
	async #isStillOpen(pusher: DataPusher): Promise<boolean> {
		try {
			// The worker drops the reply consumer when the client closes the channel.
			const consumer = await this.#sctp.streams.get(pusher.channelId)?.replyConsumer();
			await consumer?.getBufferedAmount();
		} catch {
			pusher.close('channelClosed');
		}
		return !pusher.closed;
	}

	/** The stream with an id, which is made if there is none. */
	async #streamAt(id: number): Promise<DataStream> {
		const { router, transport, streams } = this.#sctp;
		const known = streams.get(id);
		if (known?.state === 'waiting' || known?.state === 'open') return known;
		await known?.close();
		this.#sctp.assertOpen();
		const stream = await DataStream.create(id, { router, transport, direct: this.#directTransport }, (...received) => {
			this.#receive(...received);
		});
		if (this.#sctp.closed) void stream.close();
		this.#sctp.assertOpen();
		streams.set(id, stream);
		return stream;
	}

	#closeStream(stream: DataStream): void {
		const { streams } = this.#sctp;
		void stream.close().then(() => {
			if (streams.get(stream.channelId) === stream) streams.delete(stream.channelId);
		});
	}

	#provideStreamsAgain(): void {
		const sctp = this.#sctp;
		if (!this.#acceptsChannels || sctp.closed) return;
		void sctp.attempt('data channels cannot be opened', () => sctp.inOrder(() => this.#provideStreams()));
	}

	/**
	 * Lets a stream wait on each id that the client may open its next channels on. Browsers take the smallest free id of
	 * their half. Other clients take the next id that they have never used.
	 */
	async #provideStreams(): Promise<void> {
		const { streams, firstClientId, context } = this.#sctp;
		const count = Math.min(context.options.limits.dataPushersPerUser + spareStreams, mostWaiting);
		const needed = new Set([
			...this.#freeIds(firstClientId, count),
			...(this.#greatestOpenedId === undefined
				? this.#freeIds(1 - firstClientId, spareStreams)
				: this.#freeIds(this.#greatestOpenedId + 2, count)),
		]);
		// The worker resets a stream that is closed, together with others that are to be reset. When Chromium does not know
		// one of the streams, it ignores those that come after (`DcSctpTransport::OnIncomingStreamsReset`). So the streams
		// that nothing was opened on are kept as long as possible.
		const needless = [...streams.values()].filter(
			({ state, channelId }) => state === 'waiting' && !needed.has(channelId),
		);
		for (const stream of needless.slice(0, -mostNeedless)) this.#closeStream(stream);
		await Promise.all([...needed].map((id) => this.#streamAt(id)));
	}

	#freeIds(first: number, count: number): number[] {
		const { streams, pullers } = this.#sctp;
		const free: number[] = [];
		for (let id = first; free.length < count && id <= greatestId; id += 2) {
			if (!streams.get(id)?.pusher && !pullers.has(id)) free.push(id);
		}
		return free;
	}
}
