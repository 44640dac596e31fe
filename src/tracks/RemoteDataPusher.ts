import type { DataProducer, Router } from 'mediasoup/types';
import { RemoteDataSource } from '../media/RemoteDataSource.js';
import { callWorker } from '../media/callWorker.js';
import type { Arrived } from '../media/pipes/IncomingPipes.js';
import type { Limits } from '../options.js';
import { checkMessage, DataPusher } from './DataPusher.js';
import type { EndpointOptions } from './Endpoint.js';
import type { PauseCause } from './Pauses.js';
import type { PusherCloseReason } from './PusherEndpoint.js';
import { followPauses, type PusherOwner } from './PusherOwner.js';
import type { ChannelState } from './PusherState.js';
import { readDetails, type PusherDetails } from './PushOptions.js';

/** A message of an app, for another server. */
export interface SentMessage {
	text?: string;
	/** As Base64. */
	bytes?: string;
}

/**
 * A data channel that a user on another server has opened. What the app asks of it, its own server does. Its messages are heard
 * there only: the event `message` never comes here.
 */
export class RemoteDataPusher extends DataPusher {
	readonly #owner: PusherOwner;

	constructor(
		options: EndpointOptions & {
			state: ChannelState;
			limits: Limits;
			owner: PusherOwner & { bringData: (router: Router) => Promise<Arrived<DataProducer>> };
		},
	) {
		const { state, owner, logger, limits, userId, connectionId } = options;
		const source = new RemoteDataSource((router) => owner.bringData(router));
		const { channelId, inBand, label, protocol, ordered, maxPacketLifeTime, maxRetransmits, pusherId } = state;
		super({
			...{ userId, connectionId, logger, limits, inBand, pusherId },
			channel: { label, protocol, ordered, maxPacketLifeTime, maxRetransmits },
			details: detailsOf(state),
			stream: { channelId, source, reply: () => Promise.resolve(), observe: () => undefined },
			ended: () => {
				source.close();
			},
		});
		this.#owner = owner;
		followPauses(state.pausedBy, this, (cause, paused) => super.setPaused(cause, paused));
	}

	/** Closes it on its own server, for everybody. */
	override close(reason: PusherCloseReason = 'closed'): void {
		if (!this.closed) this.#owner.tell('close', { reason });
	}

	override update(details: PusherDetails): void {
		const checked = readDetails(details, this.limits);
		if (!this.closed) this.#owner.tell('update', { details: checked });
	}

	override async setPaused(cause: PauseCause, paused: boolean): Promise<void> {
		await callWorker(this, 'the pusher', () => this.#owner.ask('setPaused', { cause, paused }));
	}

	override async send(message: string | Uint8Array): Promise<void> {
		checkMessage(message, this.limits.dataMessageBytes);
		await callWorker(this, 'the pusher', () => this.#owner.ask('send', sentMessage(message)));
	}

	/** @internal Follows what its own server tells of it. */
	follow(state: ChannelState): void {
		followPauses(state.pausedBy, this, (cause, paused) => super.setPaused(cause, paused));
		this.setDetails(detailsOf(state));
	}

	/** @internal It has gone. */
	end(reason: PusherCloseReason): void {
		super.close(reason);
	}
}

const detailsOf = ({ source, metadata }: ChannelState): PusherDetails => ({
	source: source ?? null,
	metadata: metadata ?? null,
});

/** Writes a message for another server. */
export const sentMessage = (message: string | Uint8Array): SentMessage =>
	typeof message === 'string' ? { text: message } : { bytes: Buffer.from(message).toString('base64') };

/** Reads a message of another server. */
export const readSent = ({ text, bytes = '' }: SentMessage): string | Uint8Array =>
	text ?? Buffer.from(bytes, 'base64');
