import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sdpTransform from 'sdp-transform';
import type { Offer, OfferedMediaSection } from '../../src/sdp/Offer.js';
import { producerParameters } from '../../src/sdp/rtpParameters.js';
import type { LocalTransport } from '../../src/sdp/lines.js';
import { writeAnswer, type MediaSectionToAnswer } from '../../src/sdp/writeAnswer.js';
import {
	assertAnswers,
	editMedia,
	loadOffer,
	offerNames,
	onlyMedia,
	replaceLine,
	sections,
	withoutLine,
} from '../support/offers.js';
import { chromium, firefox, parse } from './setup.js';

/** As a WebRtcTransport of mediasoup has it. */
const transport: LocalTransport = {
	iceParameters: { usernameFragment: 'localufrag', password: 'localpasswordoflocalpassword', iceLite: true },
	iceCandidates: [
		{
			foundation: 'udpcandidate',
			priority: 1076302079,
			ip: '192.0.2.1',
			address: 'sfu.example.com',
			protocol: 'udp',
			port: 40000,
			type: 'host',
		},
		{
			foundation: 'tcpcandidate',
			priority: 1076276479,
			ip: '192.0.2.1',
			address: 'sfu.example.com',
			protocol: 'tcp',
			port: 40001,
			type: 'host',
			tcpType: 'passive',
		},
	],
	dtlsParameters: {
		role: 'auto',
		fingerprints: [
			{ algorithm: 'sha-512', value: 'FF:FF' },
			{ algorithm: 'sha-256', value: '00:11' },
		],
	},
	sctpParameters: { port: 5000, maxReceiveMessageSize: 1000 },
};

const answer = (offer: Offer, media: readonly MediaSectionToAnswer[]) =>
	writeAnswer({ offer, media, transport, sessionId: 123456789012345, sessionVersion: 7 });

type Kinded = OfferedMediaSection & { kind: 'audio' | 'video' };

const parametersOf = (media: OfferedMediaSection) => producerParameters(media as Kinded, media.codecs[0]!, new Map());

const receive = (media: OfferedMediaSection): MediaSectionToAnswer => ({
	direction: 'recvonly',
	receive: parametersOf(media),
});

function send(media: OfferedMediaSection): MediaSectionToAnswer {
	const parameters = parametersOf(media);
	const rtx = parameters.codecs.length > 1 ? { rtx: { ssrc: 2000 + media.index } } : {};
	return {
		direction: 'sendonly',
		send: {
			parameters: { ...parameters, encodings: [{ ssrc: 1000 + media.index, ...rtx }], rtcp: { cname: 'cname' } },
			streamId: '{stream}',
			trackId: 'track',
		},
	};
}

const nothing = (): MediaSectionToAnswer => ({ direction: 'inactive' });

const answers: Record<string, (media: OfferedMediaSection) => MediaSectionToAnswer> = {
	'is received where it sends': (media) =>
		media.kind && media.direction.includes('send') ? receive(media) : nothing(),
	'is sent to where it receives': (media) => (media.kind && media.direction.includes('recv') ? send(media) : nothing()),
	'is received and sent to where it does both': (media) =>
		media.kind && media.direction === 'sendrecv'
			? { ...receive(media), ...send(media), direction: 'sendrecv' }
			: nothing(),
	'is paused': (media) => (media.kind ? { ...receive(media), direction: 'inactive' } : nothing()),
	'is not used at all': nothing,
};

for (const [use, answered] of Object.entries(answers)) {
	describe(`An answer when an offer ${use}`, () => {
		for (const name of offerNames) {
			it(name, () => {
				const sdp = loadOffer(name);
				const offer = parse(sdp);
				const media = offer.media.map(answered);
				const written = answer(offer, media);
				assertAnswers(sdp, written);
				assert.deepEqual(
					sdpTransform.parse(written).media.map(({ port, direction }) => [port, direction]),
					offer.media.map(({ kind, data }, index) => {
						if (data) return [9, undefined];
						return kind ? [9, media[index]!.direction] : [0, 'inactive'];
					}),
				);
			});
		}
	});
}

/** The lines of a section of the answer to an offer whose sending m-lines are all received. */
function lines(sdp: string, section: number, answered: (media: OfferedMediaSection) => MediaSectionToAnswer = receive) {
	const offer = parse(sdp);
	const media = offer.media.map((offered) => (offered.kind ? answered(offered) : nothing()));
	return sections(answer(offer, media))[section]!.trimEnd().split('\r\n');
}

describe('The session of an answer', () => {
	it('has the id and the version, our fingerprint by sha-256, and is ice-lite', () => {
		assert.deepEqual(
			lines(chromium, 0).toSorted(),
			[
				'v=0',
				'o=- 123456789012345 7 IN IP4 127.0.0.1',
				's=-',
				't=0 0',
				'a=extmap-allow-mixed',
				'a=ice-lite',
				'a=fingerprint:sha-256 00:11',
				'a=msid-semantic: WMS *',
				'a=group:BUNDLE 0 1',
			].toSorted(),
		);
	});

	it('has extmap-allow-mixed only when that of the offer has', () => {
		assert.ok(!lines(firefox, 0).includes('a=extmap-allow-mixed'));
		assert.ok(lines(firefox, 1).includes('a=extmap-allow-mixed'));
		assert.ok(!lines(chromium, 1).includes('a=extmap-allow-mixed'));
	});

	it('has no bundle when no m-line has a mid, or none is accepted', () => {
		const single = withoutLine(onlyMedia(chromium, 1), 'a=mid');
		assert.ok(!lines(single, 0).some((line) => line.startsWith('a=group')));
		assert.ok(!lines(single, 1).some((line) => line.startsWith('a=mid')));
		const rejected = withoutLine(chromium, 'a=rtcp-mux');
		assert.ok(!lines(rejected, 0).some((line) => line.startsWith('a=group')));
	});

	it('ends every line with CRLF', () => {
		const offer = parse(chromium);
		const written = answer(offer, offer.media.map(receive));
		assert.match(written, /^([a-z]=[^\r\n]+\r\n)+$/);
	});
});

describe('An m-line that is received', () => {
	it('has the one codec, its RTX, and the accepted extensions under the numbers of the offer', () => {
		assert.deepEqual(
			lines(chromium, 2).toSorted(),
			[
				'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
				'c=IN IP4 127.0.0.1',
				'a=rtpmap:96 VP8/90000',
				'a=rtpmap:97 rtx/90000',
				'a=fmtp:97 apt=96',
				'a=rtcp-fb:96 goog-remb',
				'a=rtcp-fb:96 transport-cc',
				'a=rtcp-fb:96 ccm fir',
				'a=rtcp-fb:96 nack',
				'a=rtcp-fb:96 nack pli',
				'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
				'a=extmap:13 urn:3gpp:video-orientation',
				'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
				'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
				'a=setup:passive',
				'a=mid:1',
				'a=recvonly',
				'a=ice-ufrag:localufrag',
				'a=ice-pwd:localpasswordoflocalpassword',
				'a=candidate:udpcandidate 1 udp 1076302079 sfu.example.com 40000 typ host',
				'a=candidate:tcpcandidate 1 tcp 1076276479 sfu.example.com 40001 typ host tcptype passive',
				'a=end-of-candidates',
				'a=rtcp-mux',
				'a=rtcp-rsize',
			].toSorted(),
		);
	});

	it('has audio with its channels and its parameters', () => {
		assert.deepEqual(
			lines(chromium, 1).filter((line) => /^(m=|a=(rtpmap|fmtp))/.test(line)),
			['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1'],
		);
	});

	it('bounds what the client sends', () => {
		const bounded = (media: OfferedMediaSection) => ({ ...receive(media), maxBitrate: 1_500_001 });
		const bounds = (written: string[]) => written.filter((line) => line.startsWith('b='));
		assert.deepEqual(bounds(lines(chromium, 2, bounded)), ['b=AS:1501', 'b=TIAS:1500001']);
		assert.deepEqual(bounds(lines(chromium, 2)), []);
		const onlySent = (media: OfferedMediaSection) => ({ ...send(media), maxBitrate: 1_500_001 });
		assert.deepEqual(bounds(lines(loadOffer('chromium-recvonly-video-audio'), 1, onlySent)), []);
	});

	it('tells what bitrate to begin with, of video alone, with the codec that it may send', () => {
		const hinted = (media: OfferedMediaSection) => ({ ...receive(media), startBitrate: 1_250_000 });
		const formats = (written: string[]) => written.filter((line) => line.startsWith('a=fmtp'));
		assert.deepEqual(formats(lines(chromium, 2, hinted)), [
			'a=fmtp:96 x-google-start-bitrate=1250',
			'a=fmtp:97 apt=96',
		]);
		assert.deepEqual(formats(lines(chromium, 1, hinted)), formats(lines(chromium, 1)));
		const sdp = loadOffer('chromium-sendrecv-audio-video');
		const both = (media: OfferedMediaSection) => ({ ...send(media), ...hinted(media), direction: 'sendrecv' as const });
		assert.equal(formats(lines(sdp, 2, both)).length, 2);
		assert.match(formats(lines(sdp, 2, both))[0]!, /x-google-start-bitrate=1250$/);
	});

	it('announces no source', () => {
		assert.ok(!lines(chromium, 2).some((line) => /^a=(ssrc|msid)/.test(line)));
	});
});

describe('An m-line that is sent', () => {
	it('announces the stream, the track, and its SSRCs', () => {
		const offer = loadOffer('chromium-recvonly-video-audio');
		assert.deepEqual(
			lines(offer, 1, send)
				.filter((line) => /^a=(ssrc|msid|sendonly)/.test(line))
				.toSorted(),
			[
				'a=msid:{stream} track',
				'a=sendonly',
				'a=ssrc:1000 cname:cname',
				'a=ssrc:2000 cname:cname',
				'a=ssrc-group:FID 1000 2000',
			].toSorted(),
		);
		assert.deepEqual(
			lines(offer, 2, send).filter((line) => line.startsWith('a=ssrc')),
			['a=ssrc:1001 cname:cname'],
		);
	});

	it('has the stream for a cname when the pusher had none', () => {
		const written = lines(chromium, 1, (media) => ({
			direction: 'sendonly',
			send: { parameters: { ...parametersOf(media), rtcp: {} }, streamId: '{stream}', trackId: 'track' },
		}));
		assert.ok(written.includes('a=ssrc:1328790476 cname:{stream}'));
	});
});

describe('An m-line that is received and sent to', () => {
	const first = [{ mimeType: 'video/VP9', payloadType: 98, clockRate: 90000 }];
	const both = (media: OfferedMediaSection): MediaSectionToAnswer => {
		const { send: sent } = send(media);
		return {
			direction: 'sendrecv',
			receive: { ...parametersOf(media), codecs: first },
			send: { ...sent!, parameters: { ...sent!.parameters, codecs: [...parametersOf(media).codecs, ...first] } },
		};
	};

	it('lists what we receive first, and nothing twice', () => {
		const written = lines(loadOffer('chromium-sendrecv-audio-video'), 2, both);
		assert.equal(written[0], 'm=video 9 UDP/TLS/RTP/SAVPF 98 96 97');
		assert.equal(written.filter((line) => line.startsWith('a=rtpmap:98')).length, 1);
		assert.equal(written.filter((line) => line.startsWith('a=extmap:4 ')).length, 1);
	});

	it('has no header extension that the offer does not have', () => {
		const written = lines(chromium, 1, (media) => ({
			...receive(media),
			receive: { ...parametersOf(media), headerExtensions: [{ uri: 'urn:3gpp:video-orientation', id: 9 }] },
		}));
		assert.ok(!written.some((line) => line.startsWith('a=extmap')));
	});
});

describe('An m-line', () => {
	it('that has stopped is answered with port 0, outside of the bundle', () => {
		const stopped = loadOffer('firefox-sendonly-stopped-audio');
		assert.ok(lines(stopped, 0).includes('a=group:BUNDLE 1'));
		assert.deepEqual(lines(stopped, 1), [
			'm=audio 0 UDP/TLS/RTP/SAVPF 0',
			'c=IN IP4 127.0.0.1',
			'a=mid:0',
			'a=inactive',
		]);
	});

	it('for data channels is answered with our port and the size of the messages that we take', () => {
		const sdp = loadOffer('chromium-sendonly-audio-video-data');
		assert.ok(lines(sdp, 0).includes('a=group:BUNDLE 0 1 2'));
		assert.deepEqual(
			lines(sdp, 3).filter((line) => !line.startsWith('a=candidate')),
			[
				'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
				'c=IN IP4 127.0.0.1',
				'a=setup:passive',
				'a=mid:2',
				'a=ice-ufrag:localufrag',
				'a=ice-pwd:localpasswordoflocalpassword',
				'a=end-of-candidates',
				'a=sctp-port:5000',
				'a=max-message-size:1000',
			],
		);
	});

	it('for data channels of the older form is answered with port 0 and its own format', () => {
		const media = lines(loadOffer('aiortc-send-data'), 3);
		assert.equal(media[0], 'm=application 0 DTLS/SCTP 5000');
	});

	it('that is bundle-only is answered with port 9', () => {
		assert.equal(lines(loadOffer('firefox-sendonly-max-bundle'), 2)[0], 'm=video 9 UDP/TLS/RTP/SAVPF 120 124');
	});

	it('that is inactive has a format, and keeps its mid and its place in the bundle', () => {
		const written = lines(chromium, 2, nothing);
		assert.deepEqual(
			written.filter((line) => /^(m=|a=(rtpmap|inactive|mid|extmap))/.test(line)).toSorted(),
			['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 VP8/90000', 'a=inactive', 'a=mid:1'].toSorted(),
		);
		assert.ok(lines(chromium, 0, nothing).includes('a=group:BUNDLE 0 1'));
	});

	it('without a known codec has the first format of the offer', () => {
		const bare = editMedia(chromium, 1, (media) => withoutLine(media, 'a=rtpmap'));
		assert.equal(lines(bare, 2, nothing)[0], 'm=video 9 UDP/TLS/RTP/SAVPF 96');
	});

	it('that has other codecs by now under the numbers of what was negotiated is answered with one of its own', () => {
		const written = lines(chromium, 2, (media) => ({
			direction: 'inactive',
			receive: {
				...parametersOf(media),
				codecs: [
					{ mimeType: 'video/H264', payloadType: 96, clockRate: 90000 },
					{ mimeType: 'video/rtx', payloadType: 97, clockRate: 90000, parameters: { apt: 96 } },
				],
			},
		}));
		assert.deepEqual(
			written.filter((line) => /^(m=|a=rtpmap)/.test(line)),
			['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 VP8/90000'],
		);
	});

	it('that nothing is said about is inactive', () => {
		assert.ok(sections(answer(parse(chromium), []))[1]!.includes('a=inactive'));
	});

	it("is ours to connect when the client is passive, and the client's otherwise", () => {
		const setupOf = (setup: string) =>
			lines(replaceLine(chromium, 'a=setup', `a=setup:${setup}`), 1).find((line) => line.startsWith('a=setup'));
		assert.deepEqual(['actpass', 'active', 'passive'].map(setupOf), [
			'a=setup:passive',
			'a=setup:passive',
			'a=setup:active',
		]);
	});

	it('has rtcp-rsize only when that of the offer has', () => {
		assert.ok(!lines(firefox, 1).includes('a=rtcp-rsize'));
		assert.ok(lines(firefox, 2).includes('a=rtcp-rsize'));
	});
});
