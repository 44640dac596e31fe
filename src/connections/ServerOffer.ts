import type { AnyPuller } from '../tracks/tracks.js';
import type { Connection } from './Connection.js';

/** An SDP offer of the server. The client answers it before there is another one for the same RTCPeerConnection. */
export interface ServerOffer {
	/** The connection that it is for. */
	readonly connection: Connection;
	/** The SDP offer. */
	readonly sdp: string;
	/** All pullers of the connection with this offer: tracks in the order of the m-lines, then data channels. */
	readonly pullers: readonly AnyPuller[];
	/** The pullers that this offer adds. */
	readonly added: readonly AnyPuller[];
	/**
	 * Applies the client's SDP answer. A puller whose m-line is rejected closes (`rejected`). A puller whose m-line does not
	 * receive is paused.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument` or `too_large` if the answer does not fit the offer, which goes on
	 *   waiting then; `conflict` if the offer has been answered or refused already; `closed`, `unavailable`, `internal`
	 */
	answer(sdp: string): Promise<void>;
	/**
	 * Takes the offer back, since the client could not apply it. The pullers that it adds close (`rejected`), all others go
	 * on. An offer that adds nothing must be applied, so the connection closes (`offerFailed`). It does nothing if the offer has
	 * been answered or refused already, or the client is gone.
	 */
	refuse(): void;
	/**
	 * Takes back what the offer adds, since the client has not answered: these pullers close (`answerTimeout`), all others go
	 * on. The library calls it after `webRtc.answerTimeout`. A first offer has nothing to go on with, so the connection closes
	 * (`answerTimeout`). It does nothing if the offer has been answered or refused already, or the client is gone.
	 */
	expire(): void;
}
