import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import {
	ackMessage,
	payloadProtocol,
	readControlMessage,
	type DataChannelParameters,
} from '../sdp/dataChannelProtocol.js';
import { SfuError } from '../SfuError.js';
import { checkLength } from '../schemas.js';
import { toSfuError } from '../media/callWorker.js';
import type { AnnouncedChannel, PusherDetails } from '../tracks/PushOptions.js';
import { Rollback } from '../Rollback.js';
import type { SctpTransport } from './SctpTransport.js';
import { DataPusher } from '../tracks/DataPusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import { DataStream } from './DataStream.js';

// So many ids more than it may have channels wait for the client to open one on them, so that it is told of the limit.
const spareIds = 4;

// Each of them takes some memory. Those that no channel is expected on any more are kept nonetheless.
const mostWaiting = 64;
const mostNeedless = 64;

/** A data channel that was announced: one that is made, or was there already. */
export interface PushedChannel {
	readonly pusher: DataPusher;
	readonly details: PusherDetails;
	readonly isNew: boolean;
}

/** Receives the data channels of a client: those that it announces, and those that it opens in-band (RFC 8832). */
export class DataReceiver {
	readonly #association: SctpTransport;
	readonly #hub: DirectDataTransport;
	readonly #opened: (pusher: DataPusher) => void;
	#acceptsChannels = false;
	/** The greatest id on which the client has opened a channel in-band. */
	#greatestOpened: number;
	#openedLately = 0;

	/** @param opened - told of each channel that the client opens in-band */
	constructor(association: SctpTransport, hub: DirectDataTransport, opened: (pusher: DataPusher) => void) {
		this.#association = association;
		this.#hub = hub;
		this.#opened = opened;
		this.#greatestOpened = association.firstId - 2;
	}

	/** From now on the client may open channels in-band. */
	async accept(): Promise<void> {
		if (this.#acceptsChannels) return;
		await this.#association.inOrder(() => this.#wait());
		this.#acceptsChannels = true;
	}

	/**
	 * Receives channels that the client has announced with their ids. What it has announced before goes on. Should it
	 * fail, it closes those that are new.
	 */
	push(announced: readonly AnnouncedChannel[]): Promise<PushedChannel[]> {
		const { pullers, pushers, streams } = this.#association;
		const undo = new Rollback();
		const pushing = this.#association.inOrder(async () => {
			const pushed: PushedChannel[] = [];
			for (const { id, channel, details } of announced) {
				if (pullers.has(id)) throw new SfuError('conflict', `the id ${id} is that of a data channel that is pulled`);
				const known = pushers.get(id);
				if (known && (await this.#isOpen(known))) {
					pushed.push({ pusher: known, details, isNew: false });
					continue;
				}
				const stream = streams.get(id) ?? (await this.#addStream(id));
				const pusher = this.#createPusher(stream, { channel, details, inBand: false });
				undo.add(() => {
					pusher.close('negotiationFailed');
				});
				pushed.push({ pusher, details, isNew: true });
				// It shows when the client closes the channel.
				await stream.back();
				this.#association.assertOpen();
			}
			return pushed;
		});
		pushing.catch(undo.run);
		return pushing;
	}

	/** Looks again at what clients open. */
	refill(): void {
		this.#openedLately = 0;
		for (const stream of this.#association.streams.values()) stream.refill();
	}

	#receive(stream: DataStream, message: Buffer, payloadProtocolId: number): void {
		const pusher = this.#pusherOn(stream);
		if (payloadProtocolId !== payloadProtocol.control) {
			pusher?.receive(message, payloadProtocolId);
			return;
		}
		if (!pusher && !this.#mayOpen(stream)) return;
		const control = readControlMessage(message);
		if (control?.type === 'open') {
			if (pusher) void this.#openAgain(stream, pusher, control.channel);
			else this.#open(stream, control.channel);
		} else if (!control && !pusher) {
			this.#refuse(stream, 'it is malformed');
		}
	}

	/** Whether it is one of the client's half. */
	#mayOpen({ streamId }: DataStream): boolean {
		return this.#greatestOpened < 0 || streamId % 2 === this.#association.firstId;
	}

	#pusherOn({ streamId }: DataStream): DataPusher | undefined {
		return this.#association.pushers.get(streamId);
	}

	/** The client opens a channel where there is one: either it has closed that, and we have yet to notice, or it is at fault. */
	async #openAgain(stream: DataStream, pusher: DataPusher, channel: DataChannelParameters): Promise<void> {
		if (await this.#isOpen(pusher)) return;
		const isThere = this.#association.streams.get(stream.streamId) === stream;
		if (isThere && !this.#pusherOn(stream)) this.#open(stream, channel);
	}

	#open(stream: DataStream, channel: DataChannelParameters): void {
		const { idLength, dataPushersPerUser } = this.#association.context.options.limits;
		let pusher: DataPusher;
		try {
			if (++this.#openedLately > 2 * dataPushersPerUser) throw new SfuError('limit_exceeded', 'there are too many');
			checkLength(channel.label, 'label', idLength);
			checkLength(channel.protocol, 'protocol', idLength);
			pusher = this.#createPusher(stream, { channel, details: {}, inBand: true });
		} catch (error) {
			this.#refuse(stream, toSfuError(error).message);
			return;
		}
		if (this.#greatestOpened < 0) this.#association.firstId = stream.streamId % 2;
		this.#greatestOpened = Math.max(this.#greatestOpened, stream.streamId);
		this.#opened(pusher);
		// The app may have closed it at once.
		if (pusher.closed) return;
		void this.#association.attempt('a data channel could not be acknowledged', async () => {
			const back = await stream.back();
			if (!pusher.closed) await back.send(ackMessage, payloadProtocol.control);
		});
		this.#waitAgain();
	}

	/** Closes a channel that the client wants to open. */
	#refuse(stream: DataStream, reason: string): void {
		const { userId, logger } = this.#association.context;
		logger.warn(`a data channel of user ${userId} was refused: ${reason}`);
		this.#association.watch();
		this.#removeStream(stream);
		this.#waitAgain();
	}

	#createPusher(
		stream: DataStream,
		options: { channel: DataChannelParameters; details: PusherDetails; inBand: boolean },
	): DataPusher {
		const { connectionId, context, pushers } = this.#association;
		const giveBack = context.dataPusherQuota.take();
		const pusher = new DataPusher({
			...options,
			userId: context.userId,
			connectionId,
			stream,
			limits: context.options.limits,
			logger: context.logger,
			ended: (reason) => {
				giveBack();
				this.#pusherEnded(stream, reason);
			},
		});
		pushers.set(stream.streamId, pusher);
		this.#association.watch();
		return pusher;
	}

	#pusherEnded(stream: DataStream, reason: PusherCloseReason): void {
		this.#association.pushers.delete(stream.streamId);
		stream.observe(false);
		// The client may have opened its next channel on it already, which a reset would close.
		if (reason === 'channelClosed' && !this.#association.closed) {
			stream.closeBack();
			return;
		}
		this.#removeStream(stream);
		this.#waitAgain();
	}

	/** Whether the client still has its end of the channel; if not, it is closed here, too. */
	async #isOpen(pusher: DataPusher): Promise<boolean> {
		try {
			const back = await this.#association.streams.get(pusher.channelId)?.back();
			await back?.getBufferedAmount();
		} catch {
			pusher.close('channelClosed');
		}
		return !pusher.closed;
	}

	async #addStream(streamId: number): Promise<DataStream> {
		const { transport, streams } = this.#association;
		const stream = await DataStream.create(streamId, transport, this.#hub, (...received) => {
			this.#receive(...received);
		});
		if (this.#association.closed) stream.close();
		this.#association.assertOpen();
		streams.set(streamId, stream);
		return stream;
	}

	#removeStream(stream: DataStream): void {
		stream.close();
		this.#association.streams.delete(stream.streamId);
	}

	#waitAgain(): void {
		const association = this.#association;
		if (!this.#acceptsChannels || association.closed) return;
		void association.attempt('data channels cannot be opened', () => association.inOrder(() => this.#wait()));
	}

	/**
	 * Makes sure that there are streams for the channels to come: the worker drops what comes on others. Browsers take the
	 * first free id of their half, other clients the next one that was never used.
	 */
	async #wait(): Promise<void> {
		const { streams, firstId, context } = this.#association;
		const count = Math.min(context.options.limits.dataPushersPerUser + spareIds, mostWaiting);
		const waiting = new Set([
			...this.#freeIds(firstId, count),
			...this.#freeIds(this.#greatestOpened + 2, count),
			...(this.#greatestOpened < 0 ? this.#freeIds(1 - firstId, spareIds) : []),
		]);
		// The worker resets a stream that is removed, together with what else there is to reset. Of those Chromium passes over
		// all that come after one which it does not know (`DcSctpTransport::OnIncomingStreamsReset`), and goes on sending.
		const needless = [...streams.values()].filter((one) => !this.#pusherOn(one) && !waiting.has(one.streamId));
		for (const stream of needless.slice(0, -mostNeedless)) this.#removeStream(stream);
		await Promise.all([...waiting].filter((id) => !streams.has(id)).map((id) => this.#addStream(id)));
	}

	#freeIds(from: number, count: number): number[] {
		const { pushers, pullers } = this.#association;
		const free: number[] = [];
		for (let id = from; free.length < count && id <= 0xfffe; id += 2) {
			if (!pushers.has(id) && !pullers.has(id)) free.push(id);
		}
		return free;
	}
}
