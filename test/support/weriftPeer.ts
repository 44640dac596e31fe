import type { TestContext } from 'node:test';
import type { ServerOffer, User } from 'sfu-rooms';
import * as werift from 'werift';

function newConnection(t: TestContext): werift.RTCPeerConnection {
	const connection = new werift.RTCPeerConnection({
		iceServers: [],
		codecs: { audio: [werift.useOPUS()], video: [werift.useVP8()] },
	});
	t.after(() => connection.close());
	return connection;
}

/** Lets a user push audio and video by werift, and connects. @returns the connection, and a function that sends a packet */
export async function pushByWerift(t: TestContext, user: User) {
	const connection = newConnection(t);
	const track = new werift.MediaStreamTrack({ kind: 'audio' });
	const stream = new werift.MediaStream();
	connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
	await connection.setLocalDescription(await connection.createOffer());
	const pushed = await user.push(connection.localDescription!.sdp);
	await connection.setRemoteDescription({ type: 'answer', sdp: pushed.answer });
	let sequenceNumber = 0;
	const send = () => {
		sequenceNumber++;
		const header = new werift.RtpHeader({ sequenceNumber, timestamp: sequenceNumber * 960, payloadType: 111 });
		track.writeRtp(new werift.RtpPacket(header, Buffer.alloc(100, 1)));
	};
	return { ...pushed, send };
}

/** Lets werift answer an offer of the server. */
export async function answerByWerift(t: TestContext, offer: ServerOffer): Promise<void> {
	const connection = newConnection(t);
	await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
	await connection.setLocalDescription(await connection.createAnswer());
	await offer.answer(connection.localDescription!.sdp);
}
