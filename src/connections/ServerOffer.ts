import type { DataPuller } from '../tracks/DataPuller.js';
import type { Puller } from '../tracks/Puller.js';
import type { OfferingConnection } from './OfferingConnection.js';

/** An SDP offer of ours, to be answered before there is another one for the same RTCPeerConnection. */
export interface ServerOffer {
	readonly connection: OfferingConnection;
	/** The SDP offer. */
	readonly offer: string;
	/** All that the connection carries by it, in the order of the m-lines. */
	readonly pullers: readonly Puller[];
	/** All data channels that the connection carries by it. */
	readonly dataPullers: readonly DataPuller[];
	/** Those of both that it brings. */
	readonly added: readonly (Puller | DataPuller)[];
	/**
	 * Takes the client's SDP answer. What it rejects is closed (`rejected`), what it does not receive is paused.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large` when it does not fit the offer, which then goes on
	 *   waiting for one that does; `conflict` when it has been answered or refused already; `closed`, `unavailable`,
	 *   `internal`
	 */
	answer(sdp: string): Promise<void>;
	/**
	 * The client could not take it: what it adds is closed (`rejected`), and all else goes on as before. One that adds nothing
	 * has to be taken: without that the connection is closed (`offerFailed`).
	 *
	 * @throws {@link SfuError} `conflict` when it has been answered or refused already; `closed`
	 */
	refuse(): void;
}

/** Is told what a connection brings, before anybody else. */
export interface OfferingListener {
	/** There is an offer to answer; `asked` when a call waits for it. */
	offered: (offer: ServerOffer, asked: boolean) => void;
	/** A data channel comes without an offer, since there is one already that has data channels. */
	dataPulled: (puller: DataPuller) => void;
}
