import type { ServerOffer } from '../connections/ServerOffer.js';
import type { User } from '../rooms/User.js';
import { SfuError } from '../SfuError.js';
import { offerData } from './offerData.js';
import type { OutgoingRequest } from './OutgoingRequests.js';
import type { Peer } from '../protoo/Peer.js';
import { checkData } from './schemas.js';

/** Brings the offers of the server to the client of a user, and back what comes of them. */
export class OfferDelivery {
	readonly #user: User;
	/** What has been brought to whom last. */
	#brought: { offer: ServerOffer; to: Peer } | undefined;
	#request: OutgoingRequest | undefined;

	constructor(user: User) {
		this.#user = user;
	}

	/** The client knows the offer already, by the response to its own request. */
	known(offer: ServerOffer, to: Peer): void {
		this.#brought = { offer, to };
	}

	/** Asks for the answer to the offer that waits for one, if there is one that this socket does not know. */
	bring(to: Peer): void {
		const offer = this.#user.outstandingOffer;
		if (!offer || (this.#brought?.offer === offer && this.#brought.to === to)) return;
		this.#brought = { offer, to };
		this.#request?.cancel();
		void this.#ask(offer, to);
	}

	async #ask(offer: ServerOffer, to: Peer): Promise<void> {
		const { connection } = offer;
		try {
			const request = to.request('offer', offerData(offer));
			this.#request = request;
			connection.once('closed', request.cancel);
			const response = await request.response.finally(() => connection.off('closed', request.cancel));
			// It may have been answered by a request of the client.
			if (connection.outstanding !== offer) return;
			if (response.ok) await offer.answer(checkData.answered(response.data).sdp.sdp);
			else offer.refuse();
		} catch (error) {
			const { code } = error instanceof SfuError ? error : { code: 'internal' };
			// It is brought to the next socket again.
			if (code === 'closed' || connection.outstanding !== offer || this.#brought?.to !== to) return;
			connection.close(code === 'timeout' ? 'answerTimeout' : 'offerFailed');
		}
	}
}
