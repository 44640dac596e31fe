import { consumeDataOn } from '../media/consumeData.js';
import { Rollback } from '../Rollback.js';
import { payloadProtocol, writeOpen } from '../sdp/dataChannelProtocol.js';
import { SfuError } from '../SfuError.js';
import { DataPuller } from '../tracks/DataPuller.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import type { DataTarget } from '../tracks/PullOptions.js';
import type { SctpTransport } from './SctpTransport.js';

// An unreliable channel can lose the message OPEN. So it is sent again after these times, in ms. A client that has it
// already ignores it.
const openRepeats = [250, 1000, 3000];

// The ids that we choose from. libwebrtc has no greater ones, and the small ones are those of clients that choose from the
// wrong half.
const smallestId = 512;
const greatestId = 1023;

/** Sends data channels to a client. */
export class DataSender {
	readonly #sctp: SctpTransport;
	/** The pullers that start as soon as the client is connected. */
	readonly #starting = new Set<DataPuller>();
	#lastId: number | undefined;

	constructor(sctp: SctpTransport) {
		this.#sctp = sctp;
		sctp.transport.on('sctpstatechange', (state) => {
			if (state === 'connected') for (const puller of this.#starting) this.#start(puller);
		});
	}

	/**
	 * Makes a puller that sends nothing until {@link DataSender.start} is called.
	 *
	 * @returns `undefined` if the pusher has closed meanwhile
	 * @throws {@link SfuError} (rejects) `limit_exceeded`, `closed`, and errors of mediasoup
	 */
	async pull({ pusher, negotiated }: DataTarget): Promise<DataPuller | undefined> {
		const { connectionId, router, transport, pullers, context } = this.#sctp;
		const { userId, gate, pullerQuota, logger } = context;
		const rollback = new Rollback();
		try {
			this.#sctp.assertOpen();
			rollback.add(pullerQuota.take(pusher.pusherId));
			const admit = gate.beginPull(pusher);
			const channelId = this.#chooseId();
			const lease = await router.attachData(pusher.pullSource);
			rollback.add(() => {
				lease.release();
			});
			const consumer = await consumeDataOn(transport, channelId, lease.producerId, pusher, { paused: true });
			rollback.add(() => {
				consumer.close();
			});
			this.#sctp.assertOpen();
			if (pusher.closed) throw new SfuError('not_found', 'the pusher has gone');
			const puller = new DataPuller({ userId, pusher, connectionId, channelId, negotiated, consumer, logger });
			const closeWithPusher = ({ reason }: { reason: PusherCloseReason }) => {
				puller.close(reason === 'workerDied' ? reason : 'pusherClosed');
			};
			pusher.once('closed', closeWithPusher);
			pullers.set(channelId, puller);
			rollback.add(pusher.pullers.add(puller));
			rollback.add(() => {
				pusher.off('closed', closeWithPusher);
				pullers.delete(channelId);
				this.#starting.delete(puller);
			});
			puller.once('closed', rollback.run);
			admit(puller);
			this.#sctp.watch();
			return puller;
		} catch (error) {
			rollback.run();
			if (pusher.closed && !this.#sctp.closed) return undefined;
			throw error;
		}
	}

	/** Opens pullers at the client, and lets their messages flow, as soon as the client is connected. */
	start(pullers: readonly DataPuller[]): void {
		for (const puller of pullers) {
			if (puller.closed) continue;
			this.#starting.add(puller);
			if (this.#sctp.transport.sctpState === 'connected') this.#start(puller);
		}
	}

	#start(puller: DataPuller): void {
		this.#starting.delete(puller);
		void this.#sctp.attempt('a data channel could not be started', async () => {
			const { pusher, negotiated, consumer } = puller;
			const open = async () => {
				if (!negotiated) await consumer.send(writeOpen(pusher), payloadProtocol.control);
			};
			if (!negotiated && !pusher.ordered) for (const delay of openRepeats) this.#repeat(open, delay, puller);
			await puller.start(open);
		});
	}

	#repeat(open: () => Promise<void>, delay: number, puller: DataPuller): void {
		const timer = setTimeout(() => {
			if (puller.consumer.paused) return;
			void this.#sctp.attempt('a data channel could not be opened again', open);
		}, delay);
		puller.once('closed', () => {
			clearTimeout(timer);
		});
	}

	/** Chooses an id of our half that was not used lately, so that the client no longer has a channel with it. */
	#chooseId(): number {
		const { firstClientId, pullers, streams } = this.#sctp;
		const first = smallestId + 1 - firstClientId;
		let id = this.#lastId ?? first - 2;
		for (let tries = 0; tries <= greatestId / 2; tries++) {
			id = id + 2 > greatestId ? first : id + 2;
			if (pullers.has(id) || streams.has(id)) continue;
			this.#lastId = id;
			return id;
		}
		throw new SfuError('limit_exceeded', 'the connection has no id for another data channel');
	}
}
