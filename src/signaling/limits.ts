import { count, milliseconds, strict } from '../schemas.js';

/**
 * The limits of one client: of one socket, or with `clientKey` of all sockets with the same key as far as they are limits of
 * offers, joins, rooms, users, connections and pullers. Adapters enforce `messageLength`, `unjoinedLength`,
 * `joinTimeout`, `lengthPerSecond`, `lengthBurst`, `invalidMessages` and `bufferedBytes`.
 */
export interface ClientLimits {
	/**
	 * The maximum size of one message, in UTF-16 code units. A larger request is answered with 413. A message of more than
	 * sixteen times this size closes the socket with 1009. Default 262,144.
	 */
	messageLength: number;
	/** Requests that may wait for their response. More are answered with 429. Default 256. */
	pendingRequests: number;
	/** How long a client may take to respond to a request of the server, in ms. Default 30,000. */
	responseTimeout: number;
	/**
	 * Messages per second in the long run. More are answered with 429 if they are requests, and dropped otherwise. More
	 * than `messageBurst` of them in a row close the socket with 1008. Default 50.
	 */
	messagesPerSecond: number;
	/** Messages that may come at once. Default 500. */
	messageBurst: number;
	/** Offers of a client per second in the long run. More are answered with 429. Default 10. */
	offersPerSecond: number;
	/** Offers of a client that may come at once. Default 200. */
	offerBurst: number;
	/** Joins of a client per second in the long run. More are answered with 429. Default 5. */
	joinsPerSecond: number;
	/** Joins of a client that may come at once. Default 100. */
	joinBurst: number;
	/** The most open rooms that one client has opened. Default 100. */
	roomsPerClient: number;
	/** The most users of one client at a time, in all rooms. Default 200. */
	usersPerClient: number;
	/** The most users of one client whose socket is lost. Further ones leave at once. Default 50. */
	lostPerClient: number;
	/** The most RTCPeerConnections of one client, in all rooms. Default 400. */
	connectionsPerClient: number;
	/** The most pullers that one client has of one pusher. Default 200. */
	pullersPerPusher: number;
	/**
	 * The longest text message, in UTF-16 code units. A longer request is answered with 413, a longer notification is dropped.
	 * Default 4096.
	 */
	textLength: number;
	/**
	 * How long a client may take to join after it has connected, in ms. Then its socket closes with 1008. Default 10,000.
	 */
	joinTimeout: number;
	/** The maximum size of one message before the join, in UTF-16 code units. Default 16,384. */
	unjoinedLength: number;
	/** UTF-16 code units per second in the long run. Messages beyond are not read, and answered with 429. Default 500,000. */
	lengthPerSecond: number;
	/** UTF-16 code units that may come at once. Default 4,000,000. */
	lengthBurst: number;
	/** Messages in a row that may be invalid. More close the socket with 1008. Default 20. */
	invalidMessages: number;
	/** Bytes that may wait for a slow client. More close the socket with 1013. Default 4,194,304. */
	bufferedBytes: number;
}

/** The limits that apply without options. */
export const defaultClientLimits: Readonly<ClientLimits> = {
	messageLength: 262_144,
	pendingRequests: 256,
	responseTimeout: 30_000,
	messagesPerSecond: 50,
	messageBurst: 500,
	offersPerSecond: 10,
	offerBurst: 200,
	joinsPerSecond: 5,
	joinBurst: 100,
	roomsPerClient: 100,
	usersPerClient: 200,
	lostPerClient: 50,
	connectionsPerClient: 400,
	pullersPerPusher: 200,
	textLength: 4096,
	joinTimeout: 10_000,
	unjoinedLength: 16_384,
	lengthPerSecond: 500_000,
	lengthBurst: 4_000_000,
	invalidMessages: 20,
	bufferedBytes: 4_194_304,
};

/** The schema of the option `limits`. */
export const limitsSchema = strict({
	...Object.fromEntries(Object.keys(defaultClientLimits).map((limit) => [limit, count])),
	responseTimeout: { ...milliseconds, minimum: 1 },
	joinTimeout: { ...milliseconds, minimum: 1 },
});
