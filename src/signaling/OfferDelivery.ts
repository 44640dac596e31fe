import { SfuError, type ServerOffer, type User } from '../index.js';
import { checkData } from './schemas.js';
import { offerData } from './serialize.js';
import type { MemberSession, OutgoingRequest } from './SignalingClient.js';

/** Brings the offers of the server to the client of a user, and the answers back. */
export class OfferDelivery {
	readonly #user: User;
	/** The offer that was brought last, and the session that got it. */
	#brought: { offer: ServerOffer; to: MemberSession<unknown> } | undefined;
	#request: OutgoingRequest | undefined;

	constructor(user: User) {
		this.#user = user;
	}

	/** Notes that the response to a request of the client brings it this offer. */
	known(offer: ServerOffer, to: MemberSession<unknown>): void {
		this.#brought = { offer, to };
	}

	/** Asks for the answer to the pending offer, unless there is none or this session knows it. */
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
			// The client may have answered with the request `answer` meanwhile.
			if (!this.#isPending(offer)) return;
			if (response.ok) await offer.answer(checkData.offerResponse(response.data).sdp.sdp);
			else offer.refuse();
		} catch (error) {
			const code = error instanceof SfuError ? error.code : 'internal';
			// The next session gets the offer again.
			if (code === 'closed' || !to.open || !this.#isPending(offer) || this.#brought?.to !== to) return;
			if (code === 'timeout') offer.expire();
			else connection.close('offerFailed');
		}
	}

	#isPending(offer: ServerOffer): boolean {
		return this.#user.pendingOffer === offer;
	}
}
