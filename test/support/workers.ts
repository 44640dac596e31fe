import type { WorkerOptions } from 'sfu-rooms';

/** Two workers, on which RTCPeerConnections are in turn, so that what is pulled crosses from one to the other. */
export function onTwoWorkers(): WorkerOptions {
	let placed = 0;
	return { count: 2, place: ({ userId }) => (userId === undefined ? 0 : placed++ % 2) };
}
