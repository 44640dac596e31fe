import { consumeDataOn } from '../media/consumeData.js';
import { payloadProtocol, writeOpen } from '../sdp/dataChannelProtocol.js';
import { SfuError } from '../SfuError.js';
import type { DataTarget } from '../tracks/PullOptions.js';
import { Rollback } from '../Rollback.js';
import type { SctpTransport } from './SctpTransport.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';

// An unreliable channel can lose the message that opens it, and so that is said again, after so many ms. A client that
// knows it already passes it over.
const openRepeats = [250, 1000, 3000];

// What we choose ids between; libwebrtc has no greater ones.
const greatestStreamId = 1023;
const leastPulledId = 512;

/** Sends data channels to a client. */
export class DataSender {
	readonly #association: SctpTransport;
	/** What flows as soon as the client can be reached. */
	readonly #starting = new Set<DataPuller>();
	#lastId: number | undefined;

	constructor(association: SctpTransport) {
		this.#association = association;
		association.transport.on('sctpstatechange', (state) => {
			if (state === 'connected') for (const puller of this.#starting) this.#start(puller);
		});
	}

	/**
	 * Sends a channel, once {@link DataSender.start} is called.
	 *
	 * @returns `undefined` when the pusher has gone meanwhile
	 */
	async pull({ pusher, negotiated }: DataTarget): Promise<DataPuller | undefined> {
		const association = this.#association;
		const { connectionId, transport, pullers } = association;
		const { userId, pullerQuota, logger } = association.context;
		const undo = new Rollback();
		try {
			association.assertOpen();
			undo.add(pullerQuota.take());
			const channelId = this.#chooseId();
			const consumer = await consumeDataOn(transport, channelId, pusher.producer, pusher, { paused: true });
			undo.add(() => {
				consumer.close();
			});
			association.assertOpen();
			if (pusher.closed) throw new SfuError('not_found', 'the pusher has gone');
			const puller = new DataPuller({ userId, pusher, connectionId, channelId, negotiated, consumer, logger });
			const follow = ({ reason }: { reason: PusherCloseReason }) => {
				puller.close(reason === 'workerDied' ? reason : 'pusherClosed');
			};
			pusher.once('closed', follow);
			pullers.set(channelId, puller);
			undo.add(pusher.pullers.add(puller));
			undo.add(() => {
				pusher.off('closed', follow);
				pullers.delete(channelId);
				this.#starting.delete(puller);
			});
			puller.once('closed', undo.run);
			association.watch();
			return puller;
		} catch (error) {
			undo.run();
			if (pusher.closed && !association.closed) return undefined;
			throw error;
		}
	}

	/** Lets what was pulled flow, and opens it at the client, as soon as that can be reached. */
	start(pullers: readonly DataPuller[]): void {
		for (const puller of pullers) {
			if (puller.closed) continue;
			this.#starting.add(puller);
			if (this.#association.transport.sctpState === 'connected') this.#start(puller);
		}
	}

	#start(puller: DataPuller): void {
		this.#starting.delete(puller);
		void this.#association.attempt('a data channel could not be started', async () => {
			const { pusher, negotiated, consumer } = puller;
			const open = async () => {
				if (!negotiated) await consumer.send(writeOpen(pusher), payloadProtocol.control);
			};
			if (!negotiated && !pusher.ordered) {
				for (const delay of openRepeats) {
					this.#association.later(delay, 'a data channel could not be announced again', async () => {
						if (!puller.closed && !consumer.paused) await open();
					});
				}
			}
			await puller.start(open);
		});
	}

	/**
	 * An id of our half, one that was not used lately, so that the client has done with it. It is none of the small ones,
	 * which are those of clients that have the halves wrong.
	 */
	#chooseId(): number {
		const { firstId, pullers, streams } = this.#association;
		const first = leastPulledId + 1 - firstId;
		let id = this.#lastId ?? first - 2;
		for (let tries = 0; tries <= greatestStreamId / 2; tries++) {
			id = id + 2 > greatestStreamId ? first : id + 2;
			if (pullers.has(id) || streams.has(id)) continue;
			this.#lastId = id;
			return id;
		}
		throw new SfuError('limit_exceeded', 'the connection has no id for another data channel');
	}
}
