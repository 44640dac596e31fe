import type { Offer } from '../sdp/Offer.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { Quality } from '../stats/quality.js';
import type { QualityMonitor } from '../stats/QualityMonitor.js';
import { Quota } from '../rooms/Quota.js';
import { AnsweringConnection } from './AnsweringConnection.js';
import type { Connection, ConnectionCloseReason } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { OfferingConnection } from './OfferingConnection.js';
import type { OfferingListener } from './ServerOffer.js';

/** Is told what happens to connections. */
export interface ConnectionsListener extends OfferingListener {
	/** The client has opened a data channel in-band. */
	dataChannelOpened: (pusher: DataPusher) => void;
	qualityChanged: (connection: Connection, quality: Quality) => void;
	/** It was in use, and is gone. */
	closed: (connection: Connection, reason: ConnectionCloseReason) => void;
}

/** The RTCPeerConnections of one user: any number for which the client offers, and one for which the server does. */
export class UserConnections {
	readonly #context: ConnectionContext;
	readonly #quality: QualityMonitor;
	readonly #listener: ConnectionsListener;
	readonly #quota: Quota;
	readonly #answering = new Set<AnsweringConnection>();
	#offering: OfferingConnection | undefined;

	constructor(context: ConnectionContext, quality: QualityMonitor, listener: ConnectionsListener) {
		this.#context = context;
		this.#quality = quality;
		this.#listener = listener;
		this.#quota = new Quota(context.options.limits.connectionsPerUser, 'connections of one user');
	}

	get all(): readonly Connection[] {
		return [...this.#answering, this.#offering ?? []].flat();
	}

	/** That for which the server offers, if there is one. */
	get offering(): OfferingConnection | undefined {
		return this.#offering;
	}

	/** That of the RTCPeerConnection which an offer comes from, if it has made one before. */
	find(offer: Offer): AnsweringConnection | undefined {
		return [...this.#answering].find((connection) => connection.isOf(offer));
	}

	/**
	 * That of the RTCPeerConnection which an offer comes from.
	 *
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	toAnswer(offer: Offer): AnsweringConnection {
		const known = this.find(offer);
		if (known) return known;
		const { dataChannelOpened } = this.#listener;
		return this.#open(
			() => new AnsweringConnection(this.#context, offer, dataChannelOpened),
			(connection) => {
				this.#answering.add(connection);
				return () => this.#answering.delete(connection);
			},
		);
	}

	/**
	 * That for which the server offers.
	 *
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	toOffer(): OfferingConnection {
		if (this.#offering) return this.#offering;
		return this.#open(
			() => new OfferingConnection(this.#context, this.#listener),
			(connection) => {
				this.#offering = connection;
				return () => (this.#offering = undefined);
			},
		);
	}

	/** @param keep - keeps the connection, and returns how to forget it */
	#open<Kind extends Connection>(create: () => Kind, keep: (connection: Kind) => () => void): Kind {
		const giveBack = this.#quota.take();
		const connection = create();
		const forget = keep(connection);
		this.#quality.add(connection);
		connection.on('qualityChanged', ({ quality }) => {
			this.#listener.qualityChanged(connection, quality);
		});
		connection.once('closed', ({ reason }) => {
			forget();
			giveBack();
			if (reason !== 'negotiationFailed') this.#listener.closed(connection, reason);
		});
		return connection;
	}
}
