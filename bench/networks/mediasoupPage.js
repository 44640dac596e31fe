/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

/** What a page does with mediasoup-client. bareMediasoup.ts bundles it, and answers what it asks. */
import { Device } from 'mediasoup-client';

const { MediaStream, client, document, navigator, signal } = /** @type {any} */ (globalThis);

/** @type {any} */
let device;

/** @param {'Send' | 'Recv'} direction */
async function createTransport(direction) {
	device ??= await Device.factory();
	if (!device.loaded) await device.load({ routerRtpCapabilities: await signal('capabilities') });
	const transport = device[`create${direction}Transport`](await signal('createTransport'));
	const { id: transportId } = transport;
	transport.on(
		'connect',
		(/** @type {any} */ { dtlsParameters }, /** @type {any} */ callback, /** @type {any} */ errback) => {
			signal('connect', { transportId, dtlsParameters }).then(callback, errback);
		},
	);
	transport.on(
		'produce',
		(/** @type {any} */ { kind, rtpParameters }, /** @type {any} */ callback, /** @type {any} */ errback) => {
			signal('produce', { transportId, kind, rtpParameters }).then(callback, errback);
		},
	);
	return transport;
}

/**
 * Pushes what `client.createPusher()` pushes.
 *
 * @param {import('./scenarios.js').Video} video
 */
export async function push({ noise, encodings }) {
	const transport = await createTransport('Send');
	const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
	const { rtpSender } = await transport.produce({ track: client.drawNoise(noise), encodings });
	await rtpSender.setParameters({ ...rtpSender.getParameters(), degradationPreference: 'maintain-resolution' });
	await transport.produce({ track: stream.getAudioTracks()[0] });
}

/**
 * Pulls everything on one transport, and plays it.
 *
 * @returns {Promise<string>} the id of the connection, for `client.stats()`
 */
export async function pull() {
	const transport = await createTransport('Recv');
	client.connections.set(transport.id, transport);
	const { recvRtpCapabilities } = device;
	for (const options of await signal('consume', {
		transportId: transport.id,
		rtpCapabilities: recvRtpCapabilities,
	})) {
		const { id, track } = await transport.consume(options);
		const element = document.createElement(track.kind);
		element.autoplay = true;
		element.srcObject = new MediaStream([track]);
		document.body.append(element);
		// As mediasoup recommends: what came before the client is ready would be lost, a keyframe too.
		await signal('resume', { consumerId: id });
	}
	return transport.id;
}
