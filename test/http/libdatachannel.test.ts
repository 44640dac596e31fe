import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import * as libdatachannel from 'node-datachannel';
import { until } from '../media/setup.js';
import { mediaPushers } from '../support/parted.js';
import { sdp, serve, startHttp } from './setup.js';

const patience = 30_000;

/** One RTP packet of Opus: silence. */
function packet(sequence: number, ssrc: number): Buffer {
	const header = Buffer.alloc(12);
	header.writeUInt8(0x80, 0);
	header.writeUInt8(111, 1);
	header.writeUInt16BE(sequence & 0xffff, 2);
	header.writeUInt32BE(sequence * 960, 4);
	header.writeUInt32BE(ssrc, 8);
	return Buffer.concat([header, Buffer.from([0xf8, 0xff, 0xfe])]);
}

describe('libdatachannel, which OBS pushes with', () => {
	it('pushes by WHIP until it goes without a word, and its session ends within the timeouts', async (t) => {
		const { sfu, http } = await startHttp(t, {}, { webRtc: { consentTimeout: 2000, disconnectTimeout: 500 } });
		const url = await serve(t, http.handle);
		t.after(() => {
			libdatachannel.cleanup();
		});
		const ssrc = randomInt(1, 2 ** 32);
		const peer = new libdatachannel.PeerConnection('obs', { iceServers: [], disableAutoNegotiation: true });
		const audio = new libdatachannel.Audio('0', 'SendOnly');
		audio.addOpusCodec(111);
		audio.addSSRC(ssrc, 'obs', 'obs', 'obs-audio');
		const track = peer.addTrack(audio);
		const gathered = new Promise<void>((resolve) => {
			peer.onGatheringStateChange((state) => {
				if (state === 'complete') resolve();
			});
		});
		peer.setLocalDescription('offer');
		await gathered;
		const response = await fetch(`${url}/whip/stage/obs`, {
			method: 'POST',
			headers: { 'content-type': sdp },
			body: peer.localDescription()!.sdp,
		});
		const answer = await response.text();
		assert.equal(response.status, 201, answer);
		peer.setRemoteDescription(answer, 'answer');
		await until(() => track.isOpen(), 'the track is open', patience);
		let sequence = 0;
		const sending = setInterval(() => {
			track.sendMessageBinary(packet(sequence++, ssrc));
		}, 20);
		t.after(() => {
			clearInterval(sending);
		});
		const [pusher] = mediaPushers(sfu.rooms.get('stage')!.users.get('obs')!);
		await until(
			async () => (await pusher!.getStats()).streams.some(({ packets }) => packets > 10),
			'packets arrive',
			patience,
		);
		clearInterval(sending);
		peer.close();
		await until(() => http.sessions === 0, 'the session ends when its client is silent', patience);
	});
});
