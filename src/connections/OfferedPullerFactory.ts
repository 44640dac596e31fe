import type { WebRtcTransport } from 'mediasoup/types';
import type { DataChannels } from '../data/DataChannels.js';
import { offeredCapabilities } from '../media/offeredCapabilities.js';
import { PayloadTypeTable } from '../media/remap/PayloadTypeTable.js';
import type { RoomRouter } from '../media/RoomRouter.js';
import { SfuError } from '../SfuError.js';
import type { DataTarget } from '../tracks/PullOptions.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { createPuller, type PullerOptions } from './createPuller.js';
import { firstSection } from './MediaSection.js';
import type { OfferDraft } from './OfferDraft.js';

/**
 * Creates the pullers of a connection for which the server offers, and allocates their m-lines, mids and payload types. The
 * pullers begin paused.
 */
export class OfferedPullerFactory {
	readonly #connectionId: string;
	readonly #context: ConnectionContext;
	readonly #payloadTypes = new PayloadTypeTable();
	#nextMid = Number(firstSection.mid) + 1;

	constructor({ connectionId }: { readonly connectionId: string }, context: ConnectionContext) {
		this.#connectionId = connectionId;
		this.#context = context;
	}

	/**
	 * Adds a track to an offer, unless it goes meanwhile.
	 *
	 * @throws {@link SfuError} (rejects) `limit_exceeded`, `closed`, `unavailable`
	 */
	async addTrack(
		pusher: Pusher,
		draft: OfferDraft,
		{ router, transport }: { router: RoomRouter; transport: WebRtcTransport },
	): Promise<void> {
		const connectionId = this.#connectionId;
		const allocation = draft.allocate(pusher.kind, this.#newMid);
		const options = this.#options(pusher, allocation.mid);
		const puller = await createPuller(options, { connectionId, router, transport }, this.#context);
		if (puller) draft.put(allocation, puller);
	}

	/**
	 * Adds a data channel to an offer, unless it goes meanwhile.
	 *
	 * @param open - gives the data channels of the connection
	 * @throws {@link SfuError} (rejects) `limit_exceeded`, `closed`, `unavailable`
	 */
	async addDataChannel(target: DataTarget, draft: OfferDraft, open: () => Promise<DataChannels>): Promise<void> {
		const allocation = draft.allocate('data', this.#newMid);
		const channels = await open();
		const puller = await channels.pull(target);
		if (puller) draft.put(allocation, puller);
	}

	readonly #newMid = (): string => String(this.#nextMid++);

	#options(pusher: Pusher, mid: string): PullerOptions {
		const [codec, rtx] = pusher.pullSource.rtpParameters.codecs;
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
}
