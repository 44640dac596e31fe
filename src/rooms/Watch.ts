import type { AnsweringConnection } from '../connections/AnsweringConnection.js';
import type { Connection } from '../connections/Connection.js';
import { isOpen } from '../isOpen.js';
import { parseOffer } from '../sdp/parseOffer.js';
import type { Offer } from '../sdp/Offer.js';
import { SfuError } from '../SfuError.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { User } from './User.js';

/**
 * One audio and one video that an RTCPeerConnection receives, and that may be others later without another offer: for clients
 * that offer once, such as those of WHEP. What is sent comes with a source that no SDP tells of, which clients know by
 * its payload type.
 *
 * @example
 * ```ts
 * const watch = await Watch.open(user, offer, [camera]);
 * await watch.show([screen]);
 * ```
 */
export class Watch {
	/** The SDP answer. */
	readonly answer: string;
	/** The connection that the offer belongs to. The watch ends with it. */
	readonly connection: Connection;
	readonly #user: User;
	readonly #answering: AnsweringConnection;
	#offer: Offer;
	#pushers: readonly Pusher[];
	#pullers: readonly Puller[];

	private constructor(
		user: User,
		opened: { answering: AnsweringConnection; offer: Offer; pushers: readonly Pusher[]; answer: string },
	) {
		const { answering, offer, pushers, answer } = opened;
		this.answer = answer;
		this.connection = answering;
		this.#user = user;
		this.#answering = answering;
		this.#offer = offer;
		this.#pushers = pushers;
		this.#pullers = pullersOf(user, answering);
	}

	/**
	 * Answers an offer to receive. Of each kind the first m-line that receives counts.
	 *
	 * @param user - the user that receives
	 * @param offer - the SDP offer
	 * @param pushers - what to send first, as for {@link Watch.show}; none is sent yet by default
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `unsupported` if the offer receives nothing, or an m-line
	 *   has no codec of the room, `not_found`, `forbidden`, `conflict`, `limit_exceeded`, `unavailable`, `closed`
	 */
	static async open(user: User, offer: string, pushers: readonly Pusher[] = []): Promise<Watch> {
		assertThere(user, pushers);
		const [connections, { options }] = user.parts;
		const parsed = parseOffer(offer, options.limits);
		if (connections.find(parsed)) {
			throw new SfuError('conflict', 'the offer is one of a connection that there is already');
		}
		const answering = connections.toAnswer(parsed);
		const { answer } = await answering.answer(parsed, { pull: { media: [...pushers], data: [] }, standby: true });
		return new Watch(user, { answering, offer: parsed, pushers, answer });
	}

	/** What is sent at the moment. */
	get pullers(): readonly Puller[] {
		return this.#pullers.filter(isOpen);
	}

	/**
	 * Sends these pushers in place of those before, which close (`removed`) when the new ones are there.
	 *
	 * @param pushers - of each kind the first one that is open counts; one in a codec that the client lacks is left out
	 * @returns what is sent now
	 * @throws {@link SfuError} (rejects) `not_found` if a pusher is not one of the room, `forbidden`, `limit_exceeded`,
	 *   `unavailable`, `closed`; nothing has changed then
	 */
	async show(pushers: readonly Pusher[]): Promise<readonly Puller[]> {
		assertThere(this.#user, pushers);
		await this.#apply(this.#offer, pushers);
		return this.pullers;
	}

	/**
	 * Answers an offer of the same RTCPeerConnection that restarts ICE. What is sent stays.
	 *
	 * @param offer - the first offer, with other ICE credentials
	 * @returns the SDP answer
	 * @throws {@link SfuError} (rejects) the errors of {@link Watch.open}; nothing has changed then
	 */
	async restartIce(offer: string): Promise<string> {
		const [, { options }] = this.#user.parts;
		const parsed = parseOffer(offer, options.limits);
		if (!this.#answering.identity.hasCertificateOf(parsed)) {
			throw new SfuError('conflict', 'the offer is not one of the connection: its certificate differs');
		}
		return this.#apply(parsed, this.#pushers);
	}

	async #apply(offer: Offer, pushers: readonly Pusher[]): Promise<string> {
		const before = { offer: this.#offer, pushers: this.#pushers };
		// What is asked for meanwhile begins with this.
		this.#offer = offer;
		this.#pushers = pushers;
		try {
			const pull = { media: [...pushers], data: [] };
			const { answer } = await this.#answering.answer(offer, { pull, standby: true });
			this.#pullers = pullersOf(this.#user, this.#answering);
			return answer;
		} catch (error) {
			if (this.#offer === offer) this.#offer = before.offer;
			if (this.#pushers === pushers) this.#pushers = before.pushers;
			throw error;
		}
	}
}

const pullersOf = ({ pullers }: User, { connectionId }: Connection): Puller[] =>
	[...pullers.values()].flatMap((puller) =>
		puller.connectionId === connectionId && puller.kind !== 'data' ? [puller] : [],
	);

/** @throws {@link SfuError} `closed`, `not_found` */
function assertThere(user: User, pushers: readonly Pusher[]): void {
	if (user.closed) throw new SfuError('closed', 'the user has left the room');
	const [, { findUser }] = user.parts;
	for (const pusher of pushers) {
		if (pusher.closed || findUser(pusher.userId).pushers.get(pusher.pusherId) === pusher) continue;
		throw new SfuError('not_found', `pusher ${pusher.pusherId} is not one of the room`);
	}
}
