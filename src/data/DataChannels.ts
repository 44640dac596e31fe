import type { WebRtcTransport } from 'mediasoup/types';
import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import type { ConnectionContext } from '../connections/ConnectionContext.js';
import type { AnnouncedChannel } from '../tracks/PushOptions.js';
import { SctpTransport } from './SctpTransport.js';
import type { DataPuller, DataPullerCloseReason } from '../tracks/DataPuller.js';
import type { DataPusher, DataPusherCloseReason } from '../tracks/DataPusher.js';
import { DataReceiver, type PushedChannel } from './DataReceiver.js';
import { DataSender, type DataTarget } from './DataSender.js';

/** The data channels of one connection, which has one association of SCTP. */
export class DataChannels {
	readonly #association: SctpTransport;
	readonly #receiver: DataReceiver;
	readonly #sender: DataSender;

	/** @param of - `opened`: told of each channel that the client opens in-band */
	static async create(
		of: {
			connectionId: string;
			transport: WebRtcTransport;
			clientIsDtlsClient: boolean;
			opened: (pusher: DataPusher) => void;
		},
		context: ConnectionContext,
	): Promise<DataChannels> {
		return new DataChannels(of, await context.fabric.dataHub(), context);
	}

	private constructor(
		{ opened, ...of }: Parameters<typeof DataChannels.create>[0],
		hub: DirectDataTransport,
		context: ConnectionContext,
	) {
		const polled = () => {
			this.#receiver.refill();
		};
		this.#association = new SctpTransport({ ...of, polled }, context);
		this.#receiver = new DataReceiver(this.#association, hub, opened);
		this.#sender = new DataSender(this.#association);
		of.transport.on('sctpstatechange', (state) => {
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

	close(reason: DataPusherCloseReason & DataPullerCloseReason): void {
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
