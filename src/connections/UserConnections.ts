import { Quota } from '../Quota.js';
import type { Offer } from '../sdp/Offer.js';
import { AnsweringConnection } from './AnsweringConnection.js';
import type { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { OfferingConnection } from './OfferingConnection.js';
import type { ServerOffer } from './ServerOffer.js';

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
	readonly #quota: Quota;
	readonly #answering = new Set<AnsweringConnection>();
	#offering: OfferingConnection | undefined;

	constructor(context: ConnectionContext, owner: ConnectionsOwner) {
		this.#context = context;
		this.#owner = owner;
		this.#quota = new Quota(context.options.limits.connectionsPerUser, 'connections of one user');
	}

	get all(): readonly Connection[] {
		return [...this.#answering, this.#offering ?? []].flat();
	}

	/** The connection for which the server offers, if there is one. */
	get offering(): OfferingConnection | undefined {
		return this.#offering;
	}

	/** The connection of the RTCPeerConnection that an offer comes from, if it has made an offer before. */
	find(offer: Offer): AnsweringConnection | undefined {
		return [...this.#answering].find((connection) => connection.isOf(offer));
	}

	/**
	 * The connection of the RTCPeerConnection that an offer comes from. It is opened if need be.
	 *
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	toAnswer(offer: Offer): AnsweringConnection {
		const known = this.find(offer);
		if (known) return known;
		const giveBack = this.#quota.take();
		const connection = new AnsweringConnection(this.#context, offer);
		this.#answering.add(connection);
		return this.#open(connection, () => {
			this.#answering.delete(connection);
			giveBack();
		});
	}

	/**
	 * The connection for which the server offers. It is opened if need be.
	 *
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	toOffer(): OfferingConnection {
		if (this.#offering) return this.#offering;
		const giveBack = this.#quota.take();
		this.#offering = new OfferingConnection(this.#context, this.#owner.offered);
		return this.#open(this.#offering, () => {
			this.#offering = undefined;
			giveBack();
		});
	}

	#open<Kind extends Connection>(connection: Kind, forget: () => void): Kind {
		connection.once('closed', forget);
		this.#owner.opened(connection);
		return connection;
	}
}
