import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { AppMessage, ServerOffer, User, UserDetails } from '../index.js';
import { closeCodes, type AppMessageData } from '../protocol/index.js';
import { RateLimit } from '../RateLimit.js';
import { AppDelivery } from './AppDelivery.js';
import type { ClientLimits } from './limits.js';
import { OfferDelivery } from './OfferDelivery.js';
import type { MemberSession } from './SignalingClient.js';

/** A user of a room, and its current session. */
export class Member<Message> {
	readonly user: User;
	readonly #delivery: OfferDelivery;
	readonly #appDelivery: AppDelivery<Message>;
	/** The user may come back on another socket. */
	readonly #offers: RateLimit;
	#session: MemberSession<Message> | undefined;
	/** What the client and the app have said of the user in its joins. Both may have changed that since. */
	readonly said: { client: UserDetails; app: UserDetails } = { client: {}, app: {} };
	#listening = false;
	#leaving = false;
	#graceTimer: NodeJS.Timeout | undefined;
	#giveBack: (() => void) | undefined;
	/** Each session gets one. */
	#token: string | undefined;
	/** The token that the client came back with. It counts until the client is known to have the new one. */
	#usedToken: string | undefined;

	constructor(
		user: User,
		{ offerBurst, offersPerSecond }: Readonly<ClientLimits>,
		app: { roomId: string; encode: (message: AppMessage, data: AppMessageData) => Message },
	) {
		this.user = user;
		this.#appDelivery = new AppDelivery({ user, session: () => this.#session, ...app });
		user.line.connect(this.#appDelivery);
		this.#delivery = new OfferDelivery(user);
		this.#offers = new RateLimit(offerBurst, offersPerSecond);
		user.once('closed', () => {
			this.#endGrace();
		});
	}

	/** The session that speaks for the user, `undefined` while its socket is lost. */
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

	/** Whether the user itself decided to leave, so that its client needs no notification. */
	get leaving(): boolean {
		return this.#leaving;
	}

	/** The secret by which the client comes back. Each session gets another one. */
	get resumeToken(): string {
		return (this.#token ??= newToken());
	}

	/** Whether a client that sends this token is the one that joined. */
	isResumedBy(token: string): boolean {
		return [this.#token, this.#usedToken].some((known) => known !== undefined && equal(known, token));
	}

	/** Notes that the client has sent a message after its join, so that it has the new token. */
	confirm(): void {
		if (this.#usedToken === undefined) return;
		this.#usedToken = undefined;
		this.#tellTickets(false);
	}

	/** Notes what a join says of the user. What it leaves out stays. */
	noteSaid(client: UserDetails, app: UserDetails): void {
		for (const [said, { userName, metadata }] of [
			[this.said.client, client],
			[this.said.app, app],
		] as const) {
			if (userName !== undefined) said.userName = userName;
			if (metadata !== undefined) said.metadata = metadata;
		}
	}

	/** Makes the user leave because its client left or got lost, or another client takes its place. */
	leave(reason: 'left' | 'disconnected' | 'replaced'): void {
		this.#leaving = true;
		this.user.close(reason);
	}

	/**
	 * Lets `session` speak for the user. The session gets no notification before {@link Member.listen}.
	 *
	 * @param usedToken - the token that the client came back with
	 */
	attach(session: MemberSession<Message>, usedToken?: string | null): void {
		this.#usedToken = usedToken ?? undefined;
		this.#token = newToken();
		this.#tellTickets(false);
		this.#endGrace();
		this.#session = session;
		this.#listening = false;
		this.#appDelivery.joining();
	}

	/** Lets the session receive notifications. */
	listen(): void {
		this.#listening = true;
		// The offer must come after the response to the join.
		queueMicrotask(() => {
			this.bringOffer();
			if (this.#listening) this.#appDelivery.listen();
		});
	}

	/** Asks the client to answer the pending offer of the server, unless the session has it already. */
	bringOffer(): void {
		if (this.#listening && this.#session) this.#delivery.bring(this.#session);
	}

	/** Notes that the response to a request of the client brings it this offer. */
	knowsOffer(offer: ServerOffer, session: MemberSession<Message>): void {
		this.#delivery.known(offer, session);
	}

	/**
	 * Handles the loss of the socket: the user leaves unless another session comes within `grace` ms.
	 *
	 * @param giveBack - called when the user has come back or has left
	 */
	detach(grace: number, giveBack: () => void): void {
		this.#session = undefined;
		this.#appDelivery.lost();
		this.#tellTickets(true);
		this.#giveBack = giveBack;
		this.#graceTimer = setTimeout(() => {
			this.leave('disconnected');
		}, grace);
	}

	/** @returns whether the user may make one more offer now */
	takeOffer(): boolean {
		return this.#offers.take();
	}

	/** Lets other servers know the client. */
	#tellTickets(lost: boolean): void {
		this.user.tickets.set([this.resumeToken, this.#usedToken ?? []].flat(), lost);
	}

	#endGrace(): void {
		clearTimeout(this.#graceTimer);
		this.#graceTimer = undefined;
		this.#giveBack?.();
		this.#giveBack = undefined;
	}

	/**
	 * Closes the socket of the client that spoke for the user before. The client is told that this is final.
	 *
	 * @param session - the session to close
	 * @param notification - the encoded notification `replaced`
	 */
	static dismiss<Message>(session: MemberSession<Message>, notification: Message): void {
		session.client.send(notification);
		session.close(closeCodes.replaced, 'joined again on another socket');
	}

	/** Whether the client reads so slowly that it should get nothing that it can do without. */
	get slow(): boolean {
		return this.#session?.client.isSlow?.() === true;
	}

	/** Sends an encoded notification. */
	send(message: Message): void {
		this.#session?.client.send(message);
	}
}

/** 256 bits, which nobody guesses. */
const newToken = () => randomBytes(32).toString('base64url');

function equal(known: string, given: string): boolean {
	const [a, b] = [Buffer.from(known), Buffer.from(given)];
	return a.length === b.length && timingSafeEqual(a, b);
}
