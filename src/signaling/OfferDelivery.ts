import { SfuError, type ServerOffer, type User } from '../index.js';
import { checkData } from './schemas.js';
import { offerData } from './serialize.js';
import type { MemberSession, OutgoingRequest } from './SignalingClient.js';

/** Brings the offers of the server to the client of a user, and its answers back. */
export class OfferDelivery {
	readonly #user: User;
	/** The last offer that was brought, and the session that got it. */
	#brought: { offer: ServerOffer; to: MemberSession<unknown> } | undefined;
	#request: OutgoingRequest | undefined;

	constructor(user: User) {
		this.#user = user;
	}

	/** Notes that the client knows the offer by the response to its own request. */
	known(offer: ServerOffer, to: MemberSession<unknown>): void {
		this.#brought = { offer, to };
	}

	/** Asks for the answer to the pending offer, if there is one that this session does not know. */
	bring(to: MemberSession<unknown>): void {
		const offer = this.#user.pendingOffer;
		if (!offer || (this.#brought?.offer === offer && this.#brought.to === to)) return;
		this.#brought = { offer, to };
		this.#request?.cancel();
		void this.#ask(offer, to);
	}

	async #ask(offer: ServerOffer, to: MemberSession<unknown>): Promise<void> {
		const { connection } = offer;
		try {
			const request = to.client.request('offer', offerData(offer));
			this.#request = request;
			connection.once('closed', request.cancel);
			const response = await request.response.finally(() => connection.off('closed', request.cancel));
			// The client may have answered it by a request meanwhile.
			if (!this.#isPending(offer)) return;
			if (response.ok) await offer.answer(checkData.offerResponse(response.data).sdp.sdp);
			else offer.refuse();
		} catch (error) {
			const code = error instanceof SfuError ? error.code : 'internal';
			// The next session gets the offer again.
			if (code === 'closed' || !to.open || !this.#isPending(offer) || this.#brought?.to !== to) return;
			connection.close(code === 'timeout' ? 'answerTimeout' : 'offerFailed');
		}
	}

	#isPending(offer: ServerOffer): boolean {
		return this.#user.pendingOffer === offer;
	}
}
