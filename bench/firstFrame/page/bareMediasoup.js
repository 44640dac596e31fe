/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

/** What a page does with mediasoup-client. ../bareMediasoup.ts answers what it asks. */
import { Device } from 'mediasoup-client';
import { Socket } from './Socket.js';

const { navigator } = /** @type {any} */ (globalThis);

/** @typedef {import('../System.js').Seat} Seat */
/** @typedef {import('./PullClock.js').PullClock} PullClock */

/** Every router has the same capabilities. @type {Promise<any> | undefined} */
let loading;

/** @param {any} routerRtpCapabilities */
async function load(routerRtpCapabilities) {
	const device = await Device.factory();
	await device.load({ routerRtpCapabilities });
	return device;
}

/** @param {Seat} seat */
async function join({ url, roomId, userId }) {
	const socket = await Socket.open(url);
	const capabilities = await socket.request('join', { roomId, userId });
	loading ??= load(capabilities);
	const device = await loading;
	return { socket, device };
}

/**
 * Lets the server connect its side of a transport when mediasoup-client asks for it.
 *
 * @param {any} transport
 * @param {Socket} socket
 * @returns {any}
 */
function connecting(transport, socket) {
	transport.on('connect', (/** @type {any} */ data, /** @type {any} */ done, /** @type {any} */ failed) => {
		void socket.request('connect', data).then(done, failed);
	});
	return transport;
}

/**
 * Pushes a camera, like that of `client.createPusher()`.
 *
 * @param {Seat} seat
 * @returns {Promise<() => void>} ends it
 */
export async function push(seat) {
	const { socket, device } = await join(seat);
	const transport = connecting(device.createSendTransport(await socket.request('createTransport')), socket);
	transport.on('produce', (/** @type {any} */ data, /** @type {any} */ done, /** @type {any} */ failed) => {
		void socket.request('produce', data).then(done, failed);
	});
	const video = { width: 320, height: 240, frameRate: 15 };
	const [track] = (await navigator.mediaDevices.getUserMedia({ video })).getTracks();
	await transport.produce({ track });
	return () => {
		transport.close();
		track.stop();
		socket.close();
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
	const { socket, device } = await join(seat);
	clock.take('prepared');
	const transport = connecting(device.createRecvTransport(await socket.request('createTransport')), socket);
	transport.on('connectionstatechange', (/** @type {string} */ state) => {
		if (state === 'connected') clock.take('connected');
	});
	clock.take('requested');
	const options = await socket.request('consume', { rtpCapabilities: device.recvRtpCapabilities });
	clock.take('responded');
	const { track } = await transport.consume(options);
	clock.watch(track);
	// As mediasoup recommends: what came before the client is ready would be lost, a keyframe too.
	await socket.request('resume');
	return () => {
		transport.close();
		socket.close();
	};
}
