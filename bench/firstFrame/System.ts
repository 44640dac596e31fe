/** Who carries the calls: sfu-rooms, with offers of the client or of the server, or mediasoup with its own client. */
export type SystemName = 'client' | 'server' | 'bare';

/** On which worker the puller is: that of the pusher, or another one. */
export type Place = 'same' | 'other';

/** One side of a call in a page. */
export interface Seat {
	system: SystemName;
	/** Of the WebSocket. */
	url: string;
	roomId: string;
	userId: string;
	/** Whom it pulls. Default: the only user who pushes. */
	target?: string;
}

/** A server of calls between two users, on two workers. */
export interface Server {
	/** Of its WebSocket. */
	url: string;
	close: () => void;
}

/** The only user who pushes. */
export const pusherId = 'pusher';

/** A room whose pullers are in this place. */
export const roomIdOf = (place: Place, name: string) => `${place} ${name}`;

/** The worker of a user, of the first and the second one. */
export const workerOf = ({ roomId, userId }: { roomId: string; userId?: string | undefined }): 0 | 1 =>
	userId !== undefined && userId !== pusherId && roomId.startsWith('other') ? 1 : 0;
