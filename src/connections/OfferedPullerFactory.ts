import type { WebRtcTransport } from 'mediasoup/types';
import type { DataChannels } from '../data/DataChannels.js';
import { offeredCapabilities } from '../media/offeredCapabilities.js';
import { PayloadTypeTable } from '../media/remap/PayloadTypeTable.js';
import type { RoomRouter } from '../media/RoomRouter.js';
import { SfuError } from '../SfuError.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { BitrateLimits } from './BitrateLimits.js';
import type { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { createAll } from './createAll.js';
import { createPuller, type PullerOptions } from './createPuller.js';
import { firstSection } from './MediaSection.js';
import type { Allocation, OfferDraft } from './OfferDraft.js';
import type { PullRequest } from './PullRequests.js';

/** The parts of a connection that carry its pullers. */
export interface Carried {
	router: RoomRouter;
	/** Whether a data channel is sent to the client already. */
	hasDataChannel: (pusherId: string) => boolean;
	/** Gives the data channels of the connection. */
	openDataChannels: () => Promise<DataChannels>;
}

/**
 * Creates the pullers of a connection for which the server offers, and allocates their m-lines, mids and payload types. The
 * pullers begin paused.
 */
export class OfferedPullerFactory {
	readonly #connection: Connection;
	readonly #context: ConnectionContext;
	readonly #bitrates: BitrateLimits;
	readonly #payloadTypes = new PayloadTypeTable();
	#nextMid = Number(firstSection.mid) + 1;

	constructor(connection: Connection, context: ConnectionContext, bitrates: BitrateLimits) {
		this.#connection = connection;
		this.#context = context;
		this.#bitrates = bitrates;
	}

	/**
	 * Adds the pushers of a request to an offer. Pushers that the connection carries already, or that have gone, are passed
	 * over. So are those that the user may not pull, unless a call waits for them.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` if all pushers have gone, `forbidden`, `limit_exceeded`, `closed`, `unavailable`
	 */
	async add(
		{ media, data, caller }: PullRequest,
		draft: OfferDraft,
		transport: WebRtcTransport,
		{ router, hasDataChannel, openDataChannels }: Carried,
	): Promise<void> {
		await this.#addMedia(media, draft, caller !== undefined, (options) =>
			createPuller(
				options,
				{ connectionId: this.#connection.connectionId, router, transport, bitrates: this.#bitrates },
				this.#context,
			),
		);
		for (const target of data) {
			if (target.pusher.closed || hasDataChannel(target.pusher.pusherId)) continue;
			const allocation = draft.allocate('data', this.#newMid);
			const channels = await openDataChannels();
			const pull = () => channels.pull(target);
			const puller = await (caller ? pull() : unlessForbidden(pull));
			if (puller) draft.put(allocation, puller);
			else draft.release(allocation);
			this.#connection.assertOpen();
		}
		const wanted = [...media, ...data.map(({ pusher }) => pusher)];
		if (wanted.length > 0 && wanted.every(({ closed }) => closed)) {
			throw new SfuError('not_found', 'the pushers have gone');
		}
	}

	/** @param isCalled - whether a call waits for them */
	async #addMedia(
		pushers: readonly Pusher[],
		draft: OfferDraft,
		isCalled: boolean,
		create: (options: PullerOptions) => Promise<Puller | undefined>,
	): Promise<void> {
		const coming = new Map<Pusher, Allocation>();
		const createComing = async () => {
			const creations = [...coming].map(([pusher, allocation]) => async () => {
				this.#connection.assertOpen();
				const options = this.#options(pusher, allocation.mid);
				const puller = await (isCalled ? create(options) : unlessForbidden(() => create(options)));
				return { allocation, puller };
			});
			coming.clear();
			await createAll(creations, ({ allocation, puller }) => {
				if (puller) draft.put(allocation, puller);
				else draft.release(allocation);
			});
			this.#connection.assertOpen();
		};
		for (const pusher of pushers) {
			if (pusher.closed || draft.carries(pusher.pusherId) || coming.has(pusher)) continue;
			// One that is denied, or gone, leaves its m-line to the next.
			if (!draft.hasRoom(pusher.kind)) await createComing();
			coming.set(pusher, draft.allocate(pusher.kind, this.#newMid));
		}
		await createComing();
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
			flows: false,
			payloadTypes,
			capabilities: (rtxPayloadType) =>
				offeredCapabilities(pusher.kind, codec, { payloadType: payloadTypes.payloadType, rtxPayloadType }),
		};
	}
}

/** The result, or `undefined` if the permissions of the user deny it. */
async function unlessForbidden<Result>(create: () => Promise<Result>): Promise<Result | undefined> {
	try {
		return await create();
	} catch (error) {
		if (error instanceof SfuError && error.code === 'forbidden') return undefined;
		throw error;
	}
}
