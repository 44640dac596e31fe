import type { Socket, SocketHandlers } from '../Socket.js';

class MemorySocket implements Socket {
	readonly bufferedAmount = 0;
	handlers: SocketHandlers | undefined;
	#peer: MemorySocket | undefined;
	#closed = false;

	static pair(): [MemorySocket, MemorySocket] {
		const pair: [MemorySocket, MemorySocket] = [new MemorySocket(), new MemorySocket()];
		[pair[1].#peer, pair[0].#peer] = pair;
		return pair;
	}

	send(text: string): void {
		if (this.#closed) return;
		queueMicrotask(() => {
			this.#peer?.handlers?.message(text);
		});
	}

	close(code: number): void {
		for (const socket of [this, this.#peer]) {
			if (!socket || socket.#closed) continue;
			socket.#closed = true;
			queueMicrotask(() => {
				socket.handlers?.closed(code);
			});
		}
	}

	listen(handlers: SocketHandlers): void {
		this.handlers = handlers;
		if (this.#closed) {
			queueMicrotask(() => {
				handlers.closed(1006);
			});
		}
	}
}

/** Makes two connected {@link Socket}s in memory, for tests and for clients in the same process. */
export function createSocketPair(): [Socket, Socket] {
	return MemorySocket.pair();
}
