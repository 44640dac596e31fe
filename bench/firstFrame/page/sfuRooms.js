/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

/** What a page does with sfu-rooms, by the protocol of ProtooAdapter. */
import { Socket } from './Socket.js';

const { RTCPeerConnection, client } = /** @type {any} */ (globalThis);

/** @typedef {import('../System.js').Seat} Seat */
/** @typedef {import('./PullClock.js').PullClock} PullClock */

/** @param {Seat} seat */
async function join({ url, roomId, userId }) {
	const socket = await Socket.open(url);
	const member = { roomId, userId };
	const { users } = await socket.request('join', { ...member, userName: userId });
	return {
		users,
		/**
		 * @param {string} method
		 * @param {object} data
		 */
		request: (method, data) => socket.request(method, { ...member, ...data }),
		close: () => {
			socket.close();
		},
	};
}

/**
 * Pushes a camera.
 *
 * @param {Seat} seat
 * @returns {Promise<() => void>} ends it
 */
export async function push(seat) {
	const { request, close } = await join(seat);
	const { id, offer } = await client.createPusher({ audio: false });
	const { sdp } = await request('push', { sdp: { type: 'offer', sdp: offer } });
	await client.acceptAnswer(id, sdp);
	return () => {
		client.close(id);
		close();
	};
}

/**
 * Pulls the camera of the other one.
 *
 * @param {Seat} seat
 * @param {PullClock} clock
 * @returns {Promise<() => void>} ends it
 */
export async function pull(seat, clock) {
	const { users, request, close } = await join(seat);
	const { target = users[0].userId } = seat;
	const { userId: targetUserId, pushers } = users.find((/** @type {any} */ { userId }) => userId === target);
	const wanted = { targetUserId, specs: [{ type: 'video', pusher_id: pushers[0].pusherId }] };
	clock.take('prepared');
	const connection = new RTCPeerConnection();
	connection.ontrack = (/** @type {any} */ { track }) => {
		clock.watch(track);
	};
	connection.onconnectionstatechange = () => {
		if (connection.connectionState === 'connected') clock.take('connected');
	};
	if (seat.system === 'client') {
		connection.addTransceiver('video', { direction: 'recvonly' });
		await connection.setLocalDescription();
		clock.take('requested');
		const { sdp } = await request('pull', { ...wanted, sdp: connection.localDescription });
		clock.take('responded');
		await connection.setRemoteDescription({ type: 'answer', sdp });
	} else {
		clock.take('requested');
		const { sdp, connectionId } = await request('pull', wanted);
		clock.take('responded');
		await connection.setRemoteDescription(sdp);
		await connection.setLocalDescription();
		await request('answer', { connectionId, sdp: connection.localDescription });
	}
	return () => {
		connection.close();
		close();
	};
}
