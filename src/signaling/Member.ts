import { SfuError, type ServerOffer, type User } from '../index.js';
import type { ClientLimits } from './limits.js';
import { OfferDelivery } from './OfferDelivery.js';
import { RateLimit } from './RateLimit.js';
import type { MemberSession } from './SignalingClient.js';

/** A user of a room, and the session that speaks for it at the moment. */
export class Member<Message> {
	readonly user: User;
	readonly #offers: RateLimit;
	readonly #delivery: OfferDelivery;
	#session: MemberSession<Message> | undefined;
	#listening = false;
	#leaving = false;
	#graceTimer: NodeJS.Timeout | undefined;

	constructor(user: User, { offerBurst, offersPerSecond }: ClientLimits) {
		this.user = user;
		this.#offers = new RateLimit(offerBurst, offersPerSecond);
		this.#delivery = new OfferDelivery(user);
		user.once('closed', () => {
			clearTimeout(this.#graceTimer);
		});
	}

	get session(): MemberSession<Message> | undefined {
		return this.#session;
	}

	/** Whether a session receives notifications. */
	get listening(): boolean {
		return this.#listening && this.#session !== undefined;
	}

	/** Whether the socket was lost, and the user may come back. */
	get lost(): boolean {
		return this.#graceTimer !== undefined;
	}

	/** Whether the user leaves of its own accord, so that nobody needs to tell it. */
	get leaving(): boolean {
		return this.#leaving;
	}

	/** The user leaves of its own accord. */
	leave(reason: 'left' | 'disconnected'): void {
		this.#leaving = true;
		this.user.close(reason);
	}

	/** Lets `session` speak for the user. It receives nothing before {@link Member.listen}. */
	attach(session: MemberSession<Message>): void {
		clearTimeout(this.#graceTimer);
		this.#graceTimer = undefined;
		this.#session = session;
		this.#listening = false;
	}

	/** Lets the session receive notifications. */
	listen(): void {
		this.#listening = true;
		// After the response to the join.
		queueMicrotask(() => {
			this.bringOffer();
		});
	}

	/** Asks the client to answer the pending offer of the server, unless it has been asked. */
	bringOffer(): void {
		if (this.#listening && this.#session) this.#delivery.bring(this.#session);
	}

	/** Notes that the client gets an offer by the response to its own request. */
	knowsOffer(offer: ServerOffer, session: MemberSession<Message>): void {
		this.#delivery.known(offer, session);
	}

	/** The socket is lost: the user leaves unless another session comes within `grace` ms. */
	detach(grace: number): void {
		this.#session = undefined;
		this.#graceTimer = setTimeout(() => {
			this.leave('disconnected');
		}, grace);
	}

	/** @throws {@link SfuError} `limit_exceeded` when the user has made too many offers */
	countOffer(): void {
		if (!this.#offers.take()) throw new SfuError('limit_exceeded', 'too many offers in too short a time');
	}

	/** Sends an encoded notification. */
	send(message: Message): void {
		this.#session?.client.send(message);
	}
}
