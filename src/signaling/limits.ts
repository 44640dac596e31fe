import { count, milliseconds, strict } from '../schemas.js';

/** How much one client may ask of the server. Adapters keep `messageLength`, `invalidMessages` and `bufferedBytes`. */
export interface ClientLimits {
	/**
	 * The size of one message, in UTF-16 code units. A larger request is answered with 413; a message of more than sixteen
	 * times the size closes the socket (1009). Default 262,144.
	 */
	messageLength: number;
	/** Requests that wait for their answer. More are answered with 429. Default 256. */
	pendingRequests: number;
	/** How long a client may take to respond to a request of the server, in ms. Default 30,000. */
	responseTimeout: number;
	/**
	 * Messages a second in the long run. More are answered with 429, or dropped when they are no requests; as many as
	 * `messageBurst` of these in a row close the socket (1008). Default 50.
	 */
	messagesPerSecond: number;
	/** Messages at once. Default 500. */
	messageBurst: number;
	/** Offers of a user a second in the long run. More are answered with 429. Default 10. */
	offersPerSecond: number;
	/** Offers of a user at once. Default 200. */
	offerBurst: number;
	/** Messages in a row that are not of the protocol. More close the socket (1008). Default 20. */
	invalidMessages: number;
	/** Bytes that wait for a slow reader. More close the socket (1013). Default 4,194,304. */
	bufferedBytes: number;
}

/** The limits without any option. */
export const defaultClientLimits: Readonly<ClientLimits> = {
	messageLength: 262_144,
	pendingRequests: 256,
	responseTimeout: 30_000,
	messagesPerSecond: 50,
	messageBurst: 500,
	offersPerSecond: 10,
	offerBurst: 200,
	invalidMessages: 20,
	bufferedBytes: 4_194_304,
};

/** The schema of the option `limits`. */
export const limitsSchema = strict({
	...Object.fromEntries(Object.keys(defaultClientLimits).map((limit) => [limit, count])),
	responseTimeout: { ...milliseconds, minimum: 1 },
});
