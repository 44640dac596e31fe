import type { DataPuller } from '../tracks/DataPuller.js';
import type { PullerCloseReason } from '../tracks/Puller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import type { DataTarget } from '../tracks/PullOptions.js';
import type { AnnouncedChannel } from '../tracks/PushOptions.js';
import { DataReceiver, type PushedChannel } from './DataReceiver.js';
import { DataSender } from './DataSender.js';
import { SctpTransport, type DataContext, type SctpTransportOptions } from './SctpTransport.js';

/** The data channels of one connection, in both directions. */
export class DataChannels {
	readonly #sctp: SctpTransport;
	readonly #receiver: DataReceiver;
	readonly #sender: DataSender;

	/** @param options - `opened` is called with each channel that the client opens in-band */
	constructor(
		{
			opened,
			direct,
			...options
		}: SctpTransportOptions & { direct: DirectDataTransport; opened: (pusher: DataPusher) => void },
		context: DataContext,
	) {
		this.#sctp = new SctpTransport(options, context);
		this.#receiver = new DataReceiver(this.#sctp, direct, opened);
		this.#sender = new DataSender(this.#sctp);
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
	close(reason: PusherCloseReason & PullerCloseReason): void {
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
