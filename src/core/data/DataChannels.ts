import type { WebRtcTransport } from 'mediasoup/types';
import { consumeDataOn } from '../../media/consumeData.js';
import type { DataHub } from '../../media/DataHub.js';
import {
	ackMessage,
	payloadProtocol,
	readControlMessage,
	writeOpen,
	type DataChannelParameters,
} from '../../sdp/dataChannelProtocol.js';
import { SfuError } from '../../SfuError.js';
import { checkLength } from '../../validation.js';
import type { ConnectionContext } from '../connections/ConnectionContext.js';
import { DataPuller, type DataPullerCloseReason } from './DataPuller.js';
import { DataPusher, type DataPusherCloseReason } from './DataPusher.js';
import { DataStream } from './DataStream.js';
import { toSfuError } from '../mediaErrors.js';
import type { AnnouncedChannel, PusherDetails } from '../pushers/PushOptions.js';
import { Undo } from '../Undo.js';

// How often the worker is asked which channels the clients have closed, in ms: it does not tell by itself.
const pollInterval = 1000;

// An unreliable channel can lose the message that opens it, and so that is said again, after so many ms. A client that
// knows it already passes it over.
const openRepeats = [250, 1000, 3000];

// What we choose ids between; libwebrtc has no greater ones.
const greatestStreamId = 1023;
const leastPulledId = 512;

// So many ids more than it may have channels wait for the client to open one on them, so that it is told of the limit.
const spareIds = 4;

// Each of them takes some memory.
const mostWaiting = 64;

/** A data channel to send. */
export interface DataTarget {
	readonly pusher: DataPusher;
	readonly negotiated: boolean;
}

/** A data channel that was announced: one that is made, or was there already. */
export interface PushedChannel {
	readonly pusher: DataPusher;
	readonly details: PusherDetails;
	readonly isNew: boolean;
}

/** The data channels of one connection, which has one association of SCTP. */
export class DataChannels {
	readonly #connectionId: string;
	readonly #transport: WebRtcTransport;
	readonly #hub: DataHub;
	readonly #context: ConnectionContext;
	readonly #opened: (pusher: DataPusher) => void;
	/**
	 * The first id of the client's half: even ones are the DTLS client's (RFC 8832, section 6). But aiortc and werift go by
	 * the role of ICE; so the first channel that a client opens decides.
	 */
	#firstId: number;
	/** What the client sends on, or may. */
	readonly #streams = new Map<number, DataStream>();
	readonly #pullers = new Map<number, DataPuller>();
	/** What flows as soon as the client can be reached. */
	readonly #starting = new Set<DataPuller>();
	readonly #timers = new Set<NodeJS.Timeout>();
	#lastPulledId: number | undefined;
	#acceptsChannels = false;
	/** The greatest id on which the client has opened a channel in-band. */
	#greatestOpened: number;
	#openedLately = 0;
	#changes: Promise<unknown> = Promise.resolve();
	#poll: NodeJS.Timeout | undefined;
	#closed = false;

	/** @param options - `opened`: told of each channel that the client opens in-band */
	constructor(
		options: {
			connectionId: string;
			transport: WebRtcTransport;
			hub: DataHub;
			clientIsDtlsClient: boolean;
			opened: (pusher: DataPusher) => void;
		},
		context: ConnectionContext,
	) {
		this.#connectionId = options.connectionId;
		this.#transport = options.transport;
		this.#hub = options.hub;
		this.#firstId = options.clientIsDtlsClient ? 0 : 1;
		this.#greatestOpened = this.#firstId - 2;
		this.#opened = options.opened;
		this.#context = context;
		options.transport.on('sctpstatechange', (state) => {
			if (state === 'connected') for (const puller of this.#starting) this.#start(puller);
			// It cannot be had again.
			if (state === 'failed' || state === 'closed') this.close('connectionClosed');
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** What the client sends. */
	get pushers(): DataPusher[] {
		return [...this.#streams.values()].flatMap(({ pusher }) => pusher ?? []);
	}

	/** What it receives. */
	get pullers(): DataPuller[] {
		return [...this.#pullers.values()];
	}

	close(reason: DataPusherCloseReason & DataPullerCloseReason): void {
		if (this.#closed) return;
		this.#closed = true;
		clearInterval(this.#poll);
		for (const timer of this.#timers) clearTimeout(timer);
		for (const puller of this.pullers) puller.close(reason);
		for (const pusher of this.pushers) pusher.close(reason);
		for (const stream of this.#streams.values()) stream.close();
	}

	/** From now on the client may open channels in-band. */
	async accept(): Promise<void> {
		if (this.#acceptsChannels) return;
		await this.#inOrder(() => this.#wait());
		this.#acceptsChannels = true;
	}

	/**
	 * Receives channels that the client has announced with their ids. What it has announced before goes on. Should it
	 * fail, it closes those that are new.
	 */
	push(announced: readonly AnnouncedChannel[]): Promise<PushedChannel[]> {
		const undo = new Undo();
		const pushing = this.#inOrder(async () => {
			const pushed: PushedChannel[] = [];
			for (const { id, channel, details } of announced) {
				if (this.#pullers.has(id))
					throw new SfuError('conflict', `the id ${id} is that of a data channel that is pulled`);
				const known = this.#streams.get(id)?.pusher;
				if (known && (await this.#isOpen(known))) {
					pushed.push({ pusher: known, details, isNew: false });
					continue;
				}
				const stream = this.#streams.get(id) ?? (await this.#addStream(id));
				const pusher = this.#createPusher(stream, { channel, details, negotiated: true });
				undo.add(() => {
					pusher.close('negotiationFailed');
				});
				pushed.push({ pusher, details, isNew: true });
				// It shows when the client closes the channel.
				await stream.back();
				this.#assertOpen();
			}
			return pushed;
		});
		pushing.catch(undo.run);
		return pushing;
	}

	/**
	 * Sends a channel, once {@link DataChannels.start} is called.
	 *
	 * @returns `undefined` when the pusher has gone meanwhile
	 */
	async pull({ pusher, negotiated }: DataTarget): Promise<DataPuller | undefined> {
		const undo = new Undo();
		try {
			this.#assertOpen();
			undo.add(this.#context.pullerQuota.take());
			const channelId = this.#chooseId();
			const consumer = await consumeDataOn(this.#transport, channelId, pusher.producer, pusher, { paused: true });
			undo.add(() => {
				consumer.close();
			});
			this.#assertOpen();
			if (pusher.closed) throw new SfuError('not_found', 'the pusher has gone');
			const { userId, logger } = this.#context;
			const connectionId = this.#connectionId;
			const puller = new DataPuller({ userId, pusher, connectionId, channelId, negotiated, consumer, logger });
			const follow = ({ reason }: { reason: DataPusherCloseReason }) => {
				puller.close(reason === 'workerDied' ? reason : 'pusherClosed');
			};
			pusher.once('closed', follow);
			this.#pullers.set(channelId, puller);
			undo.add(() => {
				pusher.off('closed', follow);
				this.#pullers.delete(channelId);
				this.#starting.delete(puller);
			});
			puller.once('closed', undo.run);
			this.#startPolling();
			return puller;
		} catch (error) {
			undo.run();
			if (pusher.closed && !this.#closed) return undefined;
			throw error;
		}
	}

	/** Lets what was pulled flow, and opens it at the client, as soon as that can be reached. */
	start(pullers: readonly DataPuller[]): void {
		for (const puller of pullers) {
			if (puller.closed) continue;
			this.#starting.add(puller);
			if (this.#transport.sctpState === 'connected') this.#start(puller);
		}
	}

	#start(puller: DataPuller): void {
		this.#starting.delete(puller);
		void this.#try('a data channel could not be started', async () => {
			await puller.consumer.resume();
			if (puller.negotiated) return;
			await this.#announce(puller);
			const { ordered } = puller.pusher;
			if (!ordered) for (const delay of openRepeats) this.#later(delay, () => this.#announce(puller));
		});
	}

	async #announce(puller: DataPuller): Promise<void> {
		if (!puller.closed) await puller.consumer.send(writeOpen(puller.pusher), payloadProtocol.control);
	}

	#receive(stream: DataStream, message: Buffer, payloadProtocolId: number): void {
		const { pusher } = stream;
		if (payloadProtocolId !== payloadProtocol.control) {
			pusher?.receive(message, payloadProtocolId);
			return;
		}
		const control = readControlMessage(message);
		if (control?.type === 'open') {
			if (pusher) void this.#openAgain(stream, pusher, control.channel);
			else this.#open(stream, control.channel);
		} else if (!control && !pusher) {
			this.#refuse(stream, 'it is malformed');
		}
	}

	/** The client opens a channel where there is one: either it has closed that, and we have yet to notice, or it is at fault. */
	async #openAgain(stream: DataStream, pusher: DataPusher, channel: DataChannelParameters): Promise<void> {
		if (await this.#isOpen(pusher)) return;
		if (!stream.pusher && this.#streams.get(stream.streamId) === stream) this.#open(stream, channel);
	}

	#open(stream: DataStream, channel: DataChannelParameters): void {
		const { idLength, dataPushersPerUser } = this.#context.options.limits;
		let pusher: DataPusher;
		try {
			if (++this.#openedLately > 2 * dataPushersPerUser) throw new SfuError('limit_exceeded', 'there are too many');
			checkLength(channel.label, 'label', idLength);
			checkLength(channel.protocol, 'protocol', idLength);
			pusher = this.#createPusher(stream, { channel, details: {}, negotiated: false });
		} catch (error) {
			this.#refuse(stream, toSfuError(error).message);
			return;
		}
		if (this.#greatestOpened < 0) this.#firstId = stream.streamId % 2;
		this.#greatestOpened = Math.max(this.#greatestOpened, stream.streamId);
		this.#opened(pusher);
		void this.#try('a data channel could not be acknowledged', async () => {
			const back = await stream.back();
			if (!pusher.closed) await back.send(ackMessage, payloadProtocol.control);
		});
		this.#waitAgain();
	}

	/** Closes a channel that the client wants to open. */
	#refuse(stream: DataStream, reason: string): void {
		this.#context.logger.warn(`a data channel of user ${this.#context.userId} was refused: ${reason}`);
		this.#startPolling();
		void this.#try('a data channel could not be refused', async () => {
			// The worker resets no stream on which nothing was sent.
			await (await stream.back()).send(ackMessage, payloadProtocol.control);
			this.#removeStream(stream);
			this.#waitAgain();
		});
	}

	#createPusher(
		stream: DataStream,
		options: { channel: DataChannelParameters; details: PusherDetails; negotiated: boolean },
	): DataPusher {
		const {
			userId,
			dataPusherQuota,
			options: { limits },
			logger,
		} = this.#context;
		const giveBack = dataPusherQuota.take();
		const pusher = new DataPusher({
			...options,
			userId,
			connectionId: this.#connectionId,
			stream,
			limits,
			logger,
			ended: (reason) => {
				giveBack();
				this.#pusherEnded(stream, reason);
			},
		});
		stream.pusher = pusher;
		this.#startPolling();
		return pusher;
	}

	#pusherEnded(stream: DataStream, reason: DataPusherCloseReason): void {
		stream.pusher = undefined;
		stream.listen(false);
		// The client may have opened its next channel on it already, which a reset would close.
		if (reason === 'channelClosed' && !this.#closed) {
			stream.closeBack();
			return;
		}
		this.#removeStream(stream);
		this.#waitAgain();
	}

	/** Whether the client still has its end of the channel; if not, it is closed here, too. */
	async #isOpen(pusher: DataPusher): Promise<boolean> {
		try {
			const back = await this.#streams.get(pusher.channelId)?.back();
			await back?.getBufferedAmount();
		} catch {
			pusher.close('channelClosed');
		}
		return !pusher.closed;
	}

	async #addStream(streamId: number): Promise<DataStream> {
		const stream = await DataStream.create(streamId, this.#transport, this.#hub, (...received) => {
			this.#receive(...received);
		});
		if (this.#closed) stream.close();
		this.#assertOpen();
		this.#streams.set(streamId, stream);
		return stream;
	}

	#removeStream(stream: DataStream): void {
		stream.close();
		this.#streams.delete(stream.streamId);
	}

	#waitAgain(): void {
		if (!this.#acceptsChannels || this.#closed) return;
		void this.#try('data channels cannot be opened', () => this.#inOrder(() => this.#wait()));
	}

	/**
	 * Makes sure that there are streams for the channels to come: the worker drops what comes on others. Browsers take the
	 * first free id of their half, other clients the next one that was never used.
	 */
	async #wait(): Promise<void> {
		const { dataPushersPerUser } = this.#context.options.limits;
		const count = Math.min(dataPushersPerUser + spareIds, mostWaiting);
		const waiting = new Set([
			...this.#freeIds(this.#firstId, count),
			...this.#freeIds(this.#greatestOpened + 2, count),
			...(this.#greatestOpened < 0 ? this.#freeIds(1 - this.#firstId, spareIds) : []),
		]);
		for (const stream of this.#streams.values()) {
			if (!stream.pusher && !waiting.has(stream.streamId)) this.#removeStream(stream);
		}
		await Promise.all([...waiting].filter((id) => !this.#streams.has(id)).map((id) => this.#addStream(id)));
	}

	#freeIds(from: number, count: number): number[] {
		const free: number[] = [];
		for (let id = from; free.length < count && id <= 0xfffe; id += 2) {
			if (!this.#streams.get(id)?.pusher && !this.#pullers.has(id)) free.push(id);
		}
		return free;
	}

	/**
	 * An id of our half, one that was not used lately, so that the client has done with it. It is none of the small ones,
	 * which are those of clients that have the halves wrong.
	 */
	#chooseId(): number {
		const first = leastPulledId + 1 - this.#firstId;
		let id = this.#lastPulledId ?? first - 2;
		for (let tries = 0; tries <= greatestStreamId / 2; tries++) {
			id = id + 2 > greatestStreamId ? first : id + 2;
			if (this.#pullers.has(id) || this.#streams.has(id)) continue;
			this.#lastPulledId = id;
			return id;
		}
		throw new SfuError('limit_exceeded', 'the connection has no id for another data channel');
	}

	#startPolling(): void {
		if (this.#closed) return;
		this.#poll ??= setInterval(() => {
			this.#openedLately = 0;
			for (const stream of this.#streams.values()) stream.refill();
			void this.#try('data channels are not watched', () => this.#closeWhatHasGone());
		}, pollInterval);
	}

	async #closeWhatHasGone(): Promise<void> {
		const carried = [
			...this.pullers.map((channel) => ({ channel, consumer: channel.consumer })),
			...[...this.#streams.values()].flatMap(({ pusher: channel, openBack: consumer }) =>
				channel && consumer ? [{ channel, consumer }] : [],
			),
		];
		if (carried.length === 0) return;
		const { dataConsumerIds } = await this.#transport.dump();
		const held = new Set(dataConsumerIds);
		for (const { channel, consumer } of carried) if (!held.has(consumer.id)) channel.close('channelClosed');
	}

	/** Does one change of the streams after the other. */
	#inOrder<Result>(change: () => Promise<Result>): Promise<Result> {
		const result = this.#changes.then(change);
		this.#changes = result.catch(() => undefined);
		return result;
	}

	/** Does what nobody waits for. */
	async #try(failure: string, act: () => Promise<unknown>): Promise<void> {
		try {
			await act();
		} catch (error) {
			// What closes takes with it what is under way.
			if (!this.#closed && toSfuError(error).code === 'internal') this.#context.logger.warn(failure, error);
		}
	}

	#later(delay: number, act: () => Promise<unknown>): void {
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			void this.#try('a data channel could not be announced again', act);
		}, delay);
		this.#timers.add(timer);
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the data channels have been closed');
	}
}
