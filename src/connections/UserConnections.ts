import { quoted } from '../quoted.js';
import type { Offer } from '../sdp/Offer.js';
import { SfuError } from '../SfuError.js';
import { AnsweringConnection } from './AnsweringConnection.js';
import type { ClientIdentity } from './ClientIdentity.js';
import type { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import type { ConnectionCloseReason } from './ConnectionEvents.js';
import { OfferingConnection } from './OfferingConnection.js';
import type { ServerOffer } from './ServerOffer.js';

// As many are remembered, with the little that a closed one has.
const mostClosed = 20;

const hasClosed = 'the connection of this RTCPeerConnection has been closed: offer on a new RTCPeerConnection';

/** The owner of the connections. */
export interface ConnectionsOwner {
	/** There is a new connection. */
	opened: (connection: Connection) => void;
	/** There is an offer that no call waits for. */
	offered: (offer: ServerOffer) => void;
}

/** The RTCPeerConnections of one user: any number for which the client offers, and one for which the server does. */
export class UserConnections {
	readonly #context: ConnectionContext;
	readonly #owner: ConnectionsOwner;
	readonly #answering = new Set<AnsweringConnection>();
	/** The last ones that have closed, so that their offers are not taken for those of new ones. */
	readonly #closed: Pick<AnsweringConnection, 'connectionId' | 'identity'>[] = [];
	#offering: OfferingConnection | undefined;

	constructor(context: ConnectionContext, owner: ConnectionsOwner) {
		this.#context = context;
		this.#owner = owner;
	}

	get all(): readonly Connection[] {
		return [...this.#answering, this.#offering ?? []].flat();
	}

	/** The connection for which the server offers, if there is one. */
	get offering(): OfferingConnection | undefined {
		return this.#offering;
	}

	/**
	 * The connection of the RTCPeerConnection that an offer comes from, if it has made an offer before.
	 *
	 * @param connectionId - the id that the client names, if it names one
	 * @throws {@link SfuError} `not_found` if there is no connection with this id; `conflict` if the offer cannot be one of it,
	 *   or if the connection has closed
	 */
	find(offer: Offer, connectionId?: string): AnsweringConnection | undefined {
		const known =
			connectionId === undefined
				? [...this.#answering].find(({ identity }) => identity.isOf(offer))
				: this.#named(connectionId, offer);
		if (known) return known;
		// The RTCPeerConnection would wait for the end of a DTLS handshake that it has had already.
		const goesOn = (identity: ClientIdentity) => identity.isRestartedBy(offer) || identity.isFollowedBy(offer);
		if (this.#closed.some(({ identity }) => identity.isOf(offer) && goesOn(identity))) {
			throw new SfuError('conflict', hasClosed);
		}
		return undefined;
	}

	/**
	 * The connection of the RTCPeerConnection that an offer comes from. It is opened if need be.
	 *
	 * @throws {@link SfuError} `limit_exceeded`, and the errors of {@link UserConnections.find}
	 */
	toAnswer(offer: Offer, connectionId?: string): AnsweringConnection {
		const known = this.find(offer, connectionId);
		if (known) return known;
		const giveBack = this.#context.connectionQuota.take();
		const connection = new AnsweringConnection(this.#context, offer);
		this.#answering.add(connection);
		return this.#open(connection, (reason) => {
			this.#answering.delete(connection);
			const { connectionId, identity } = connection;
			if (reason !== 'negotiationFailed') this.#closed.push({ connectionId, identity });
			if (this.#closed.length > mostClosed) this.#closed.shift();
			giveBack();
		});
	}

	#named(connectionId: string, offer: Offer): AnsweringConnection {
		const isNamed = (connection: { connectionId: string }) => connection.connectionId === connectionId;
		if (this.#closed.some(isNamed)) throw new SfuError('conflict', hasClosed);
		const connection = [...this.#answering].find(isNamed);
		if (connection?.identity.hasCertificateOf(offer)) return connection;
		if (connection) {
			throw new SfuError(
				'conflict',
				`the offer is not one of connection ${quoted(connectionId)}: its certificate differs`,
			);
		}
		throw new SfuError('not_found', `the user has no connection ${quoted(connectionId)} for which the client offers`);
	}

	/**
	 * The connection for which the server offers. It is opened if need be.
	 *
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	toOffer(): OfferingConnection {
		if (this.#offering) return this.#offering;
		const giveBack = this.#context.connectionQuota.take();
		this.#offering = new OfferingConnection(this.#context, this.#owner.offered);
		return this.#open(this.#offering, () => {
			this.#offering = undefined;
			giveBack();
		});
	}

	#open<Kind extends Connection>(connection: Kind, forget: (reason: ConnectionCloseReason) => void): Kind {
		connection.once('closed', ({ reason }) => {
			forget(reason);
		});
		this.#owner.opened(connection);
		return connection;
	}
}
