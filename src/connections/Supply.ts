import type { WebRtcTransport } from 'mediasoup/types';
import { offeredCapabilities } from '../media/offeredCapabilities.js';
import { PayloadTypeTable } from '../media/remap/PayloadTypeTable.js';
import { SfuError } from '../SfuError.js';
import { DataChannels } from '../data/DataChannels.js';
import { createPuller, type PullerOptions } from '../tracks/createPuller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { Rollback } from '../Rollback.js';
import type { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import type { OfferDraft, Place } from './OfferDraft.js';
import { firstSlot } from './MediaSection.js';
import type { Wish } from './Wishes.js';

/** Makes what a connection for which the server offers sends: tracks on m-lines of their own, data channels on one. */
export class Supply {
	readonly #connection: Connection;
	readonly #context: ConnectionContext;
	readonly #payloadTypes = new PayloadTypeTable();
	#nextMid = Number(firstSlot.mid) + 1;
	#dataChannels: DataChannels | undefined;

	constructor(connection: Connection, context: ConnectionContext) {
		this.#connection = connection;
		this.#context = context;
	}

	/** Made for the first data channel that is sent. */
	get dataChannels(): DataChannels | undefined {
		return this.#dataChannels;
	}

	/**
	 * Puts what is asked for into the next offer, paused as yet.
	 *
	 * @param undo - takes back what is made for more than this wish
	 * @throws {@link SfuError} (rejects) `not_found` when all of it has gone, `limit_exceeded`, `closed`, `unavailable`
	 */
	async fulfil({ targets, data }: Wish, draft: OfferDraft, transport: WebRtcTransport, undo: Rollback): Promise<void> {
		const { connectionId } = this.#connection;
		const newMid = () => String(this.#nextMid++);
		for (const pusher of targets) {
			if (pusher.closed || draft.carries(pusher.pusherId)) continue;
			const place = draft.place(pusher.kind, newMid);
			const puller = await createPuller(this.#pullerOptions(pusher, place), transport, connectionId, this.#context);
			if (puller) draft.put(place, puller);
			this.#connection.assertOpen();
		}
		for (const target of data) {
			const { pusherId, closed } = target.pusher;
			if (closed || this.#dataChannels?.carries(pusherId)) continue;
			const place = draft.place('data', newMid);
			const channels = this.#dataChannels ?? (await this.#createDataChannels(transport, undo));
			const puller = await channels.pull(target);
			if (puller) draft.put(place, puller);
			this.#connection.assertOpen();
		}
		const wanted = [...targets, ...data.map(({ pusher }) => pusher)];
		if (wanted.length > 0 && wanted.every(({ closed }) => closed)) {
			throw new SfuError('not_found', 'the pushers have gone');
		}
	}

	/** The client takes no data channels; it may take those of a later offer. */
	rejectData(): void {
		this.#dataChannels?.close('rejected');
		this.#dataChannels = undefined;
	}

	#pullerOptions(pusher: Pusher, { mid }: Place): PullerOptions {
		const [codec, rtx] = pusher.rtpParameters.codecs;
		if (!codec) throw new SfuError('internal', 'a pusher without a codec');
		const payloadTypes = this.#payloadTypes.choose(codec, rtx);
		return {
			pusher,
			mid,
			packetMid: mid,
			payloadTypes,
			capabilities: (rtxPayloadType) =>
				offeredCapabilities(pusher.kind, codec, { payloadType: payloadTypes.payloadType, rtxPayloadType }),
		};
	}

	async #createDataChannels(transport: WebRtcTransport, undo: Rollback): Promise<DataChannels> {
		const { connectionId } = this.#connection;
		const channels = await DataChannels.create(
			{
				connectionId,
				transport,
				// Whoever answers takes that role (RFC 8842, section 5.3).
				clientIsDtlsClient: true,
				// None are received.
				opened: () => undefined,
			},
			this.#context,
		);
		undo.add(() => {
			channels.close('negotiationFailed');
			this.#dataChannels = undefined;
		});
		this.#connection.assertOpen();
		this.#dataChannels = channels;
		return channels;
	}
}
