import type { DataPuller, DataPullerCloseReason } from '../tracks/DataPuller.js';
import type { DataPusher, DataPusherCloseReason } from '../tracks/DataPusher.js';
import type { AnnouncedChannel } from '../tracks/PushOptions.js';
import { DataReceiver, type PushedChannel } from './DataReceiver.js';
import { DataSender, type DataTarget } from './DataSender.js';
import { SctpTransport, type DataContext, type SctpTransportOptions } from './SctpTransport.js';

/** The data channels of one connection, in both directions. */
export class DataChannels {
	readonly #sctp: SctpTransport;
	readonly #receiver: DataReceiver;
	readonly #sender: DataSender;

	/** @param options - `opened` is called with each channel that the client opens in-band */
	static async create(
		{ opened, ...options }: SctpTransportOptions & { opened: (pusher: DataPusher) => void },
		context: DataContext,
	): Promise<DataChannels> {
		const directTransport = await context.fabric.dataHub();
		const sctp = new SctpTransport(options, context);
		return new DataChannels(sctp, new DataReceiver(sctp, directTransport, opened));
	}

	private constructor(sctp: SctpTransport, receiver: DataReceiver) {
		this.#sctp = sctp;
		this.#receiver = receiver;
		this.#sender = new DataSender(sctp);
	}

	get closed(): boolean {
		return this.#sctp.closed;
	}

	/** The data channels that the client sends on. */
	get pushers(): DataPusher[] {
		return this.#sctp.pushers;
	}

	/** The data channels that the client receives. */
	get pullers(): DataPuller[] {
		return [...this.#sctp.pullers.values()];
	}

	/** Closes all of them. */
	close(reason: DataPusherCloseReason & DataPullerCloseReason): void {
		this.#sctp.close(reason);
	}

	/** Whether the client receives a pusher. */
	carries(pusherId: string): boolean {
		return this.pullers.some((puller) => puller.pusherId === pusherId);
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
