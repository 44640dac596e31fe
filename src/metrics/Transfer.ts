import type { Connection, TransportStats } from '../index.js';

type Bytes = Record<'received' | 'sent', number>;

/** What all connections of an Sfu send and receive. */
export interface Transferred {
	/** In bytes, since the beginning. */
	total: Bytes;
	/** In bytes per second, at the moment. */
	rate: Bytes;
}

/** Adds up what connections send and receive, over all that come and go. */
export class Transfer {
	readonly #total: Bytes = { received: 0, sent: 0 };
	readonly #known = new WeakMap<Connection, Bytes>();

	/**
	 * Asks the workers. What has not answered within `timeout` ms is left out: a worker that hangs must not hang a scrape, too.
	 * What a connection has carried since its last measurement is lost when it closes.
	 */
	async measure(connections: readonly Connection[], timeout: number): Promise<Transferred> {
		const rate: Bytes = { received: 0, sent: 0 };
		let late = false;
		const asked = connections.map(async (connection) => {
			const stats = await connection.getTransportStats();
			if (late) return;
			this.#add(connection, stats);
			rate.received += stats.incomingBitrate / 8;
			rate.sent += stats.outgoingBitrate / 8;
		});
		await inTime(Promise.allSettled(asked), timeout);
		late = true;
		return { total: { ...this.#total }, rate };
	}

	#add(connection: Connection, { bytesReceived: received, bytesSent: sent }: TransportStats): void {
		const before = this.#known.get(connection) ?? { received: 0, sent: 0 };
		this.#total.received += received - before.received;
		this.#total.sent += sent - before.sent;
		this.#known.set(connection, { received, sent });
	}
}

/** What a promise resolves with, or undefined after so many ms. */
export async function inTime<Result>(promise: Promise<Result>, timeout: number): Promise<Result | undefined> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<undefined>((resolve) => {
		timer = setTimeout(resolve, timeout, undefined);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}
