/**
 * What carries messages between the servers of a cluster: Redis, NATS, or anything else that has subjects. It keeps nothing,
 * and may lose, repeat or delay messages: the cluster finds that out and repairs it.
 */
export interface Bus {
	/** Whether messages get through at the moment, as far as this process can know. */
	readonly connected: boolean;

	/**
	 * Sends a message to all subscribers of a subject, those of this process among them.
	 *
	 * @param subject - words of letters, digits, `-` and `_`, with dots in between, of at most 200 characters
	 * @returns resolves when the message is on its way; rejects, soon, if it cannot be sent. Even then it may arrive, soon. The
	 *   bytes may be changed after the call
	 */
	publish(subject: string, message: Uint8Array): Promise<void>;

	/**
	 * Calls `listener` with each message that is published to a subject from then on. A subscription outlasts a lost connection:
	 * it is there again before `connected` is.
	 *
	 * @returns resolves when messages arrive, with a function that ends the subscription; rejects, soon, if it cannot be made
	 */
	subscribe(subject: string, listener: (message: Uint8Array) => void): Promise<() => void>;

	/** Calls `listener` whenever {@link Bus.connected} has changed. @returns a function that ends this */
	onConnected(listener: (connected: boolean) => void): () => void;

	/** Ends all subscriptions, and the connections that the bus has made itself. Later calls reject with `closed`. */
	close(): Promise<void>;
}
