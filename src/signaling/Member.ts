import type { ServerOffer } from '../connections/ServerOffer.js';
import type { User } from '../rooms/User.js';
import { SfuError } from '../SfuError.js';
import type { Notifications } from '../protocol/messages.js';
import { OfferDelivery } from './OfferDelivery.js';
import type { Peer, PeerLimits } from '../protoo/Peer.js';
import { RateLimit } from './RateLimit.js';

/** A user of a room, and the socket that speaks for it at the moment. */
export class Member {
	readonly user: User;
	readonly #offers: RateLimit;
	readonly #carrier: OfferDelivery;
	#peer: Peer | undefined;
	#listening = false;
	#leaving = false;
	#graceTimer: NodeJS.Timeout | undefined;

	constructor(user: User, { offerBurst, offersPerSecond }: PeerLimits) {
		this.user = user;
		this.#offers = new RateLimit(offerBurst, offersPerSecond);
		this.#carrier = new OfferDelivery(user);
		user.once('closed', () => {
			clearTimeout(this.#graceTimer);
		});
	}

	get peer(): Peer | undefined {
		return this.#peer;
	}

	/** Whether the socket was lost, and another one may come yet. */
	get lost(): boolean {
		return this.#graceTimer !== undefined;
	}

	/** Whether the user leaves of its own accord, so that nobody need tell it. */
	get leaving(): boolean {
		return this.#leaving;
	}

	/** The user leaves of its own accord. */
	leave(reason: 'left' | 'disconnected'): void {
		this.#leaving = true;
		this.user.close(reason);
	}

	/** From now on `peer` speaks for the user; it is told nothing before {@link Member.listen}. */
	attach(peer: Peer): void {
		clearTimeout(this.#graceTimer);
		this.#graceTimer = undefined;
		this.#peer = peer;
		this.#listening = false;
	}

	/** From now on the socket is told what happens. */
	listen(): void {
		this.#listening = true;
		// After the response to the join.
		queueMicrotask(() => {
			this.bringOffer();
		});
	}

	/** Asks the client to answer the offer of the server that waits, unless it has been asked. */
	bringOffer(): void {
		if (this.#listening && this.#peer) this.#carrier.bring(this.#peer);
	}

	/** The client has an offer of the server by the response to its request on this socket. */
	knowsOffer(offer: ServerOffer, peer: Peer): void {
		this.#carrier.known(offer, peer);
	}

	/** The socket is lost: the user leaves unless another one comes within `grace` ms. */
	detach(grace: number): void {
		this.#peer = undefined;
		this.#graceTimer = setTimeout(() => {
			this.leave('disconnected');
		}, grace);
	}

	/** @throws {@link SfuError} `limit_exceeded` when the user has made too many offers */
	countOffer(): void {
		if (!this.#offers.take()) throw new SfuError('limit_exceeded', 'too many offers in too short a time');
	}

	notify<Method extends keyof Notifications>(method: Method, data: Notifications[Method]): void {
		if (this.#listening) this.#peer?.notify(method, data);
	}
}
