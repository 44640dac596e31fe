import type { SocketIoSocket } from './SocketIoSocket.js';

/** The parts of a connection of Engine.IO that its types do not have. */
interface Queues {
	/** The packets that wait until the transport takes more. */
	writeBuffer?: { readonly length: number };
	/** Of the transport `websocket` alone. */
	transport?: { socket?: { bufferedAmount?: number } };
}

/** How much waits on the connection of a socket of Socket.IO until its client reads. */
export class SendBuffer {
	readonly #connection: SocketIoSocket['conn'];
	/** What waits in Engine.IO, because the transport takes no more. */
	#queued = 0;
	readonly #drained = (): void => {
		this.#queued = 0;
	};

	constructor(connection: SocketIoSocket['conn']) {
		this.#connection = connection;
		// Engine.IO hands over all that waits at once.
		connection.on('drain', this.#drained);
	}

	/** The bytes that wait, as far as Socket.IO lets one know them. */
	get amount(): number {
		return this.#queued + ((this.#connection as Queues).transport?.socket?.bufferedAmount ?? 0);
	}

	/** Counts a message that has been emitted. */
	add(length: number): void {
		if ((this.#connection as Queues).writeBuffer?.length) this.#queued += length;
	}

	/** Forgets the connection, which may carry sockets of other namespaces. */
	close(): void {
		this.#connection.off('drain', this.#drained);
	}
}
