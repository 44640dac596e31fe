import type { WebRtcTransport } from 'mediasoup/types';
import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import type { DataContext } from './SctpTransport.js';
import type { AnnouncedChannel } from '../tracks/PushOptions.js';
import { SctpTransport } from './SctpTransport.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { PullerCloseReason } from '../tracks/Puller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import { DataReceiver, type PushedChannel } from './DataReceiver.js';
import type { DataTarget } from '../tracks/PullOptions.js';
import { DataSender } from './DataSender.js';

/** The data channels of one connection, which has one association of SCTP. */
export class DataChannels {
	readonly #association: SctpTransport;
	readonly #receiver: DataReceiver;
	readonly #sender: DataSender;

	/** @param options - `opened` is called for each channel that the client opens in-band */
	constructor(
		{
			opened,
			direct: hub,
			...options
		}: {
			connectionId: string;
			transport: WebRtcTransport;
			direct: DirectDataTransport;
			clientIsDtlsClient: boolean;
			opened: (pusher: DataPusher) => void;
		},
		context: DataContext,
	) {
		const polled = () => {
			this.#receiver.refill();
		};
		this.#association = new SctpTransport({ ...options, polled }, context);
		this.#receiver = new DataReceiver(this.#association, hub, opened);
		this.#sender = new DataSender(this.#association);
		options.transport.on('sctpstatechange', (state) => {
			// It cannot be had again.
			if (state === 'failed' || state === 'closed') this.close('connectionClosed');
		});
	}

	get closed(): boolean {
		return this.#association.closed;
	}

	/** What the client sends. */
	get pushers(): DataPusher[] {
		return [...this.#association.pushers.values()];
	}

	/** What it receives. */
	get pullers(): DataPuller[] {
		return [...this.#association.pullers.values()];
	}

	/** Whether a pusher is sent to the client. */
	carries(pusherId: string): boolean {
		return this.pullers.some((puller) => puller.pusherId === pusherId);
	}

	close(reason: PusherCloseReason & PullerCloseReason): void {
		if (this.closed) return;
		this.#association.close();
		for (const puller of this.pullers) puller.close(reason);
		for (const pusher of this.pushers) pusher.close(reason);
		for (const stream of this.#association.streams.values()) stream.close();
	}

	/** See {@link DataReceiver.accept}. */
	accept(): Promise<void> {
		return this.#receiver.accept();
	}

	/** See {@link DataReceiver.push}. */
	push(announced: readonly AnnouncedChannel[]): Promise<PushedChannel[]> {
		return this.#receiver.push(announced);
	}

	/** See {@link DataSender.pull}. */
	pull(target: DataTarget): Promise<DataPuller | undefined> {
		return this.#sender.pull(target);
	}

	/** See {@link DataSender.start}. */
	start(pullers: readonly DataPuller[]): void {
		this.#sender.start(pullers);
	}
}
