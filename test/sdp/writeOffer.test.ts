import type { RtpParameters } from 'mediasoup/types';
import assert from 'node:assert/strict';
import sdpTransform from 'sdp-transform';
import { describe, it } from 'node:test';
import { writeOffer, type MediaSectionToOffer, type RtpSectionToOffer } from '../../src/sdp/writeOffer.js';

const transport = {
	iceParameters: { usernameFragment: 'ufrag', password: 'password', iceLite: true },
	iceCandidates: [
		{
			foundation: 'udpcandidate',
			priority: 1,
			ip: '127.0.0.1',
			address: '127.0.0.1',
			protocol: 'udp' as const,
			port: 40_000,
			type: 'host' as const,
		},
	],
	dtlsParameters: {
		role: 'auto' as const,
		fingerprints: [
			{ algorithm: 'sha-1' as const, value: 'AA' },
			{ algorithm: 'sha-256' as const, value: 'BB' },
		],
	},
	sctpParameters: { port: 5000, maxReceiveMessageSize: 262_144 },
};

const opus: RtpParameters = {
	codecs: [
		{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, parameters: { useinbandfec: 1 } },
	],
	headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 }],
	encodings: [{ ssrc: 1 }],
	rtcp: { cname: 'cname' },
};
const vp8: RtpParameters = {
	codecs: [
		{
			mimeType: 'video/VP8',
			payloadType: 96,
			clockRate: 90000,
			parameters: {},
			rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }],
		},
		{ mimeType: 'video/rtx', payloadType: 97, clockRate: 90000, parameters: { apt: 96 } },
	],
	encodings: [{ ssrc: 2, rtx: { ssrc: 3 } }],
	rtcp: { cname: 'cname' },
};

const sent = (mid: string, kind: 'audio' | 'video', parameters: RtpParameters): RtpSectionToOffer => ({
	mid,
	kind,
	parameters,
	rejected: false,
	send: { parameters, streamId: 'stream', trackId: `track${mid}` },
});

function write(sections: MediaSectionToOffer[], mids = sections.flatMap(({ mid, rejected }) => (rejected ? [] : mid))) {
	return writeOffer({ media: sections, mids, transport, sessionId: 7, sessionVersion: 3 });
}

describe('An offer', () => {
	it('says what is sent, and where', () => {
		assert.deepEqual(write([sent('0', 'audio', opus), sent('1', 'video', vp8)]).split('\r\n'), [
			'v=0',
			'o=- 7 3 IN IP4 127.0.0.1',
			's=-',
			't=0 0',
			'a=extmap-allow-mixed',
			'a=ice-lite',
			'a=fingerprint:sha-256 BB',
			'a=msid-semantic: WMS *',
			'a=group:BUNDLE 0 1',
			'm=audio 9 UDP/TLS/RTP/SAVPF 111',
			'c=IN IP4 127.0.0.1',
			'a=rtpmap:111 opus/48000/2',
			'a=fmtp:111 useinbandfec=1',
			'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
			'a=setup:actpass',
			'a=mid:0',
			'a=msid:stream track0',
			'a=sendonly',
			'a=ice-ufrag:ufrag',
			'a=ice-pwd:password',
			'a=candidate:udpcandidate 1 udp 1 127.0.0.1 40000 typ host',
			'a=end-of-candidates',
			'a=ssrc:1 cname:cname',
			'a=rtcp-mux',
			'a=rtcp-rsize',
			'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
			'c=IN IP4 127.0.0.1',
			'a=rtpmap:96 VP8/90000',
			'a=rtpmap:97 rtx/90000',
			'a=fmtp:97 apt=96',
			'a=rtcp-fb:96 nack',
			'a=rtcp-fb:96 nack pli',
			'a=rtcp-fb:96 transport-cc',
			'a=setup:actpass',
			'a=mid:1',
			'a=msid:stream track1',
			'a=sendonly',
			'a=ice-ufrag:ufrag',
			'a=ice-pwd:password',
			'a=candidate:udpcandidate 1 udp 1 127.0.0.1 40000 typ host',
			'a=end-of-candidates',
			'a=ssrc:2 cname:cname',
			'a=ssrc:3 cname:cname',
			'a=ssrc-group:FID 2 3',
			'a=rtcp-mux',
			'a=rtcp-rsize',
			'',
		]);
	});

	it('keeps an m-line that carries nothing, inactive, with its formats', () => {
		const [media] = sdpTransform.parse(write([{ mid: '0', kind: 'video', parameters: vp8, rejected: false }])).media;
		assert.deepEqual(
			[media?.direction, media?.port, String(media?.mid), media?.payloads],
			['inactive', 9, '0', '96 97'],
		);
		assert.deepEqual([media?.msid, media?.ssrcs, media?.ssrcGroups], [undefined, undefined, undefined]);
		assert.equal(media?.iceUfrag, 'ufrag');
	});

	it('keeps an m-line that was rejected, stopped, outside of BUNDLE', () => {
		const offer = write([sent('0', 'audio', opus), { ...sent('1', 'video', vp8), rejected: true }]);
		const [, media] = sdpTransform.parse(offer).media;
		assert.deepEqual([media?.direction, media?.port, media?.mid], ['inactive', 0, undefined]);
		assert.deepEqual([media?.setup, media?.iceUfrag, media?.candidates, media?.ssrcs], Array(4).fill(undefined));
		assert.match(offer, /^a=group:BUNDLE 0\r$/m);
	});

	it('has data channels on the same transport', () => {
		const offer = write([sent('0', 'audio', opus), { mid: '1', kind: 'data', rejected: false }]);
		assert.match(offer, /^a=group:BUNDLE 0 1\r$/m);
		assert.deepEqual(offer.slice(offer.indexOf('m=application')).split('\r\n'), [
			'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
			'c=IN IP4 127.0.0.1',
			'a=setup:actpass',
			'a=mid:1',
			'a=ice-ufrag:ufrag',
			'a=ice-pwd:password',
			'a=candidate:udpcandidate 1 udp 1 127.0.0.1 40000 typ host',
			'a=end-of-candidates',
			'a=sctp-port:5000',
			'a=max-message-size:262144',
			'',
		]);
		const rejected = write([sent('0', 'audio', opus), { mid: '1', kind: 'data', rejected: true }]);
		assert.match(rejected, /^m=application 0 UDP\/DTLS\/SCTP webrtc-datachannel\r$/m);
		assert.match(rejected, /^a=group:BUNDLE 0\r$/m);
		assert.doesNotMatch(rejected, /sctp-port/);
	});

	it('bundles in the order that it is told', () => {
		assert.match(write([sent('2', 'audio', opus), sent('1', 'video', vp8)], ['1', '2']), /^a=group:BUNDLE 1 2\r$/m);
	});

	it('can be read again', () => {
		const offer = write([sent('0', 'audio', opus), sent('1', 'video', vp8)]);
		assert.equal(sdpTransform.write(sdpTransform.parse(offer)), offer);
	});
});
