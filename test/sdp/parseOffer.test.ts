import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { defaultLimits } from '../../src/options.js';
import { parseOffer } from '../../src/sdp/parseOffer.js';
import { SfuError } from '../../src/SfuError.js';
import {
	addLine,
	addSessionLine,
	editMedia,
	loadOffer,
	offerNames,
	onlyMedia,
	repeatMedia,
	replaceLine,
	sections,
	withoutLine,
} from '../support/offers.js';
import { chromium, firefox, mediaAt, parse } from './setup.js';

const kinds = (sdp: string) => parse(sdp).media.map(({ kind }) => kind);

function rejects(sdp: unknown, message: string | RegExp, code = 'invalid_argument') {
	assert.throws(() => parseOffer(sdp as string, defaultLimits), { name: 'SfuError', code, message });
}

describe('An offer of a real client', () => {
	for (const name of offerNames) {
		it(name, () => {
			const sdp = loadOffer(name);
			const [session = '', ...media] = sections(sdp);
			const offer = parse(sdp);

			assert.equal(offer.sessionId, /^o=\S+ (\d+)/.exec(session.split('\r\n')[1] ?? '')?.[1]);
			assert.equal(offer.dtls.role, 'client');
			assert.equal(offer.media.length, media.length);
			for (const [index, parsed] of offer.media.entries()) {
				const written = media[index]!;
				const [, type, port, protocol, formats] = /^m=(\S+) (\d+) (\S+) (.*)\r$/m.exec(written) ?? [];
				assert.deepEqual(
					{ index, type, protocol, formats },
					{ index: parsed.index, type: parsed.type, protocol: parsed.protocol, formats: parsed.formats },
				);
				assert.equal(parsed.mid, /^a=mid:(.*)\r$/m.exec(written)?.[1]);
				assert.equal(parsed.direction, /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(written)?.[1] ?? 'sendrecv');
				const stopped = port === '0' && !written.includes('a=bundle-only');
				const unbundled = index > 0 && !session.includes('a=group:BUNDLE');
				const takes = type !== 'application' && !stopped && !unbundled;
				assert.equal(parsed.kind, takes ? type : undefined);
				if (takes) assert.notEqual(parsed.codecs.length, 0);
			}
		});
	}
});

describe('Of what Chromium offers', () => {
	it('the microphone: one codec after the other, without redundancy, noise and tones', () => {
		const { codecs, ...audio } = mediaAt(chromium, 0);
		assert.deepEqual(
			codecs.map(({ name, payloadType, clockRate }) => [name, payloadType, clockRate]),
			[
				['opus', 111, 48000],
				['G722', 9, 8000],
				['PCMU', 0, 8000],
				['PCMA', 8, 8000],
			],
		);
		assert.deepEqual(codecs[0], {
			name: 'opus',
			mimeType: 'audio/opus',
			payloadType: 111,
			clockRate: 48000,
			channels: 2,
			parameters: { minptime: 10, useinbandfec: 1 },
			rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
			rtxPayloadType: undefined,
		});
		assert.deepEqual(audio, {
			index: 0,
			type: 'audio',
			protocol: 'UDP/TLS/RTP/SAVPF',
			formats: '111 63 9 0 8 13 110 126',
			mid: '0',
			direction: 'sendonly',
			kind: 'audio',
			data: undefined,
			headerExtensions: [
				{ id: 1, uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', direction: 'sendrecv' },
				{ id: 2, uri: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', direction: 'sendrecv' },
				{
					id: 3,
					uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
					direction: 'sendrecv',
				},
				{ id: 4, uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', direction: 'sendrecv' },
			],
			rids: [],
			sources: [{ ssrc: 1328790476, rtxSsrc: undefined }],
			cname: 'gnt82NnZar7Y5B6C',
			streamId: '6942835f-a362-4c4f-ae36-c0cb190d6c29',
			tracks: 1,
			unusable: undefined,
			rtcpMux: true,
			rtcpRsize: true,
			extmapAllowMixed: false,
			bandwidth: undefined,
		});
	});

	it('the camera: each codec with the RTX payload type that names it', () => {
		const { codecs, sources } = mediaAt(chromium, 1);
		assert.deepEqual(
			codecs.map(({ name, payloadType, rtxPayloadType }) => [name, payloadType, rtxPayloadType]),
			[
				['VP8', 96, 97],
				['H264', 102, 103],
				['H264', 104, 107],
				['H264', 108, 109],
				['H264', 114, 115],
				['H264', 116, 117],
				['H264', 39, 40],
				['AV1', 45, 46],
				['VP9', 98, 99],
				['VP9', 100, 101],
			],
		);
		assert.deepEqual(sources, [{ ssrc: 2589898055, rtxSsrc: 2666678098 }]);
	});

	it('its credentials, its fingerprint and the word of extmap-allow-mixed', () => {
		const { ice, dtls, extmapAllowMixed } = parse(chromium);
		assert.deepEqual(ice, { usernameFragment: 'Tr6L', password: 'L2Fc9dcZgNu1vdVcFgtUgtId' });
		assert.deepEqual(dtls.fingerprints, [
			{ algorithm: 'sha-256', value: /^a=fingerprint:sha-256 (.*)\r$/m.exec(chromium)?.[1] },
		]);
		assert.equal(extmapAllowMixed, true);
	});

	it('simulcast: its rids, and no source', () => {
		const { rids, sources, codecs } = mediaAt(loadOffer('chromium-sendonly-video-simulcast'), 0);
		assert.deepEqual(
			rids.map(({ rid }) => rid),
			['h', 'm', 'l'],
		);
		assert.deepEqual(sources, []);
		assert.equal(codecs[0]?.name, 'VP8');
	});
});

describe('Of what Firefox offers', () => {
	it("its stream's id, in braces", () => {
		assert.equal(mediaAt(firefox, 0).streamId, '{5995b97b-7ac6-4f0f-95c5-7b53cc2778c6}');
	});

	it('extmap-allow-mixed in the m-lines, and rtcp-rsize on video alone', () => {
		assert.equal(parse(firefox).extmapAllowMixed, false);
		assert.deepEqual(
			parse(firefox).media.map(({ extmapAllowMixed, rtcpRsize }) => [extmapAllowMixed, rtcpRsize]),
			[
				[true, false],
				[true, true],
			],
		);
	});

	it('the directions of header extensions', () => {
		assert.deepEqual(
			mediaAt(firefox, 1).headerExtensions.map(({ id, direction }) => [id, direction]),
			[
				[3, 'sendrecv'],
				[4, 'sendrecv'],
				[5, 'sendrecv'],
				[6, 'recvonly'],
				[7, 'sendrecv'],
			],
		);
	});

	it('an m-line that it has stopped', () => {
		const { kind, mid, formats } = mediaAt(loadOffer('firefox-sendonly-stopped-audio'), 0);
		assert.deepEqual({ kind, mid, formats }, { kind: undefined, mid: '0', formats: '0' });
	});

	it('an m-line with port 0 that is bundle-only', () => {
		assert.deepEqual(kinds(loadOffer('firefox-sendonly-max-bundle')), ['audio', 'video']);
		assert.deepEqual(kinds(loadOffer('firefox-sendonly-grown')), ['audio', 'video', 'video']);
	});
});

describe('An offer is rejected', () => {
	it('when it is not a string', () => {
		for (const sdp of [undefined, null, 1, {}, [chromium]]) rejects(sdp, 'invalid offer: the SDP is not a string');
	});

	it('when it is empty', () => {
		rejects('', 'invalid offer: the SDP is empty');
		rejects(' \r\n', 'invalid offer: the SDP is empty');
	});

	it('when it has a NUL character, which no value of SDP may have', () => {
		rejects(chromium.replace('s=-', 's=\0'), 'invalid offer: it has a NUL character');
	});

	it('when it has a character at which some readers end a line, and others do not', () => {
		for (const separator of ['\u2028', '\u2029']) {
			rejects(
				chromium.replace('a=group:BUNDLE 0', `a=group:BUNDLE 0${separator}`),
				'invalid offer: it has a line or paragraph separator (U+2028, U+2029)',
			);
		}
	});

	it('when it is something else', () => {
		rejects('{"sdp":"v=0"}', 'invalid offer: the SDP does not begin with v=0');
	});

	it('beyond the limit of bytes, which is one of bytes and not of characters', () => {
		const bytes = Buffer.byteLength(chromium);
		assert.ok(parseOffer(chromium, { ...defaultLimits, sdpBytes: bytes }));
		assert.throws(() => parseOffer(chromium, { ...defaultLimits, sdpBytes: bytes - 1 }), {
			code: 'too_large',
			message: `the SDP has ${bytes} bytes, more than the ${bytes - 1} that are allowed`,
		});
		assert.throws(() => parseOffer(replaceLine(chromium, 's=-', 's=€'), { ...defaultLimits, sdpBytes: bytes + 1 }), {
			code: 'too_large',
		});
	});

	it('beyond the limit of m-lines', () => {
		const two = { ...defaultLimits, mediaSections: 2 };
		assert.ok(parseOffer(chromium, two));
		assert.throws(() => parseOffer(repeatMedia(chromium, 1, 3), two), {
			code: 'too_large',
			message: 'the offer has 3 m-lines, more than the 2 that are allowed',
		});
	});

	const cases: Record<string, [sdp: string, reason: string]> = {
		'without an m-line': [sections(chromium)[0]!, 'it has no m-line'],
		'without an o= line': [withoutLine(chromium, 'o='), 'it has no valid o= line'],
		'with an o= line that is none': [replaceLine(chromium, 'o=', 'o=-'), 'it has no valid o= line'],
		'without a=ice-ufrag': [withoutLine(chromium, 'a=ice-ufrag'), 'it has no valid a=ice-ufrag'],
		'with an ufrag of 3 characters': [
			replaceLine(chromium, 'a=ice-ufrag', 'a=ice-ufrag:abc'),
			'it has no valid a=ice-ufrag',
		],
		'with an ufrag of 257 characters': [
			replaceLine(chromium, 'a=ice-ufrag', `a=ice-ufrag:${'a'.repeat(257)}`),
			'it has no valid a=ice-ufrag',
		],
		'with an ufrag of other characters': [
			replaceLine(chromium, 'a=ice-ufrag', 'a=ice-ufrag:a:bc'),
			'it has no valid a=ice-ufrag',
		],
		'without a=ice-pwd': [withoutLine(chromium, 'a=ice-pwd'), 'it has no valid a=ice-pwd'],
		'with a password of 21 characters': [
			replaceLine(chromium, 'a=ice-pwd', `a=ice-pwd:${'a'.repeat(21)}`),
			'it has no valid a=ice-pwd',
		],
		'without a=fingerprint': [withoutLine(chromium, 'a=fingerprint'), 'it has no a=fingerprint'],
		'with a fingerprint of an unknown algorithm': [
			replaceLine(chromium, 'a=fingerprint', 'a=fingerprint:md5 00:11'),
			'the fingerprint algorithm "md5" is not supported',
		],
		'with a fingerprint algorithm that is a name of every object': [
			replaceLine(chromium, 'a=fingerprint', 'a=fingerprint:constructor 00:11'),
			'the fingerprint algorithm "constructor" is not supported',
		],
		'with a fingerprint that is too short': [
			replaceLine(chromium, 'a=fingerprint', 'a=fingerprint:sha-256 00:11'),
			'its a=fingerprint is no sha-256 value',
		],
		'with a fingerprint that is not hexadecimal': [
			replaceLine(chromium, 'a=fingerprint', `a=fingerprint:sha-384 ${Array(48).fill('0G').join(':')}`),
			'its a=fingerprint is no sha-384 value',
		],
		'without a=setup': [withoutLine(chromium, 'a=setup'), 'it has no a=setup'],
		'with a=setup:holdconn': [
			replaceLine(chromium, 'a=setup', 'a=setup:holdconn'),
			'a=setup:holdconn is not supported',
		],
		'with an m-line without formats': [
			replaceLine(chromium, 'm=video', 'm=video 9 UDP/TLS/RTP/SAVPF'),
			'm-line 1 is malformed',
		],
		'with an m-line without a port': [replaceLine(chromium, 'm=audio', 'm=audio'), 'm-line 0 is malformed'],
		'with a protocol that is two words': [
			replaceLine(chromium, 'm=audio', 'm=audio 9 UDP\u00a0/TLS/RTP/SAVPF 111'),
			'm-line 0 is malformed',
		],
		'with one mid on two m-lines': [replaceLine(chromium, 'a=mid:1', 'a=mid:0'), 'two m-lines have the mid "0"'],
		'with one SSRC on two m-lines': [
			chromium.replaceAll('1328790476', '2589898055'),
			'the SSRC 2589898055 is announced twice',
		],
		'with an SSRC that is the RTX of another': [
			chromium.replaceAll('1328790476', '2666678098'),
			'the SSRC 2666678098 is announced twice',
		],
		'with an SSRC that is its own RTX': [
			chromium.replaceAll('2666678098', '2589898055'),
			'the SSRC 2589898055 is announced twice',
		],
	};
	for (const [name, [sdp, reason]] of Object.entries(cases)) {
		it(name, () => {
			rejects(sdp, `invalid offer: ${reason}`);
		});
	}
});

describe('Transport attributes', () => {
	const [ufrag, pwd, fingerprint, setup] = ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'].map(
		(name) => new RegExp(`^a=${name}:.*$`, 'm').exec(chromium)![0],
	) as [string, string, string, string];

	it('stand at session level too', () => {
		const bare = ['a=ice-ufrag', 'a=ice-pwd', 'a=fingerprint', 'a=setup'].reduce(withoutLine, chromium);
		const { sessionId, ice, dtls } = parse(addSessionLine(bare, ufrag, pwd, fingerprint, setup));
		assert.deepEqual({ sessionId, ice, dtls }, pick(parse(chromium)));
	});

	it('of the m-line win over those of the session', () => {
		const sdp = addSessionLine(chromium, 'a=ice-ufrag:other', `a=ice-pwd:${'o'.repeat(22)}`, 'a=setup:passive');
		assert.deepEqual(pick(parse(sdp)), pick(parse(chromium)));
	});

	it('are those of the first m-line that has not stopped', () => {
		const sdp = editMedia(loadOffer('chromium-sendonly-stopped-audio'), 0, (media) =>
			media.replace(/^a=ice-ufrag:.*$/m, 'a=ice-ufrag:stopped'),
		);
		assert.notEqual(parse(sdp).ice.usernameFragment, 'stopped');
	});

	it('are those of the first m-line that is taken, when nothing is bundled', () => {
		const rejected = addLine(withoutLine(loadOffer('gstreamer-send-unbundled'), 'a=rtcp-mux'), 1, 'a=rtcp-mux');
		assert.deepEqual(kinds(rejected), [undefined, 'video']);
		assert.equal(parse(rejected).ice.usernameFragment, 'HmxyxqaF9KiDq4VixbdStaOvWQkog76S');
	});

	it('a=setup decides the DTLS role of the client', () => {
		const roleOf = (value: string) => parse(replaceLine(chromium, 'a=setup', `a=setup:${value}`)).dtls.role;
		assert.deepEqual(['actpass', 'active', 'passive'].map(roleOf), ['client', 'client', 'server']);
	});

	it('fingerprints are upper-cased, and their algorithm lower-cased', () => {
		const lower = chromium.replace(/^a=fingerprint:sha-256 .*$/gm, (line) =>
			line.toLowerCase().replace('sha-256', 'SHA-256'),
		);
		assert.deepEqual(parse(lower).dtls, parse(chromium).dtls);
	});

	it('fingerprints of SHA-256 and better', () => {
		for (const [algorithm, bytes] of Object.entries({ 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 })) {
			const value = Array(bytes).fill('AB').join(':');
			const sdp = replaceLine(chromium, 'a=fingerprint', `a=fingerprint:${algorithm} ${value}`);
			assert.deepEqual(parse(sdp).dtls.fingerprints, [{ algorithm, value }]);
		}
	});

	it('an ufrag that looks like a number keeps its zeros', () => {
		const { ice } = parse(replaceLine(chromium, 'a=ice-ufrag', 'a=ice-ufrag:00012345678901234567890'));
		assert.equal(ice.usernameFragment, '00012345678901234567890');
		assert.equal(parse(replaceLine(chromium, 'a=ice-ufrag', 'a=ice-ufrag:12345')).ice.usernameFragment, '12345');
	});

	function pick({ sessionId, ice, dtls }: ReturnType<typeof parse>) {
		return { sessionId, ice, dtls };
	}
});

describe('An m-line carries nothing', () => {
	it('when it has stopped: port 0 without bundle-only', () => {
		assert.deepEqual(kinds(chromium.replace('m=audio 9', 'm=audio 0')), [undefined, 'video']);
		assert.deepEqual(kinds(addLine(chromium.replace('m=audio 9', 'm=audio 0'), 0, 'a=bundle-only')), [
			'audio',
			'video',
		]);
	});

	it('without rtcp-mux', () => {
		assert.deepEqual(kinds(withoutLine(chromium, 'a=rtcp-mux')), [undefined, undefined]);
	});

	it('with a protocol other than those of JSEP', () => {
		const withProtocol = (protocol: string) => chromium.replace('m=video 9 UDP/TLS/RTP/SAVPF', `m=video 9 ${protocol}`);
		for (const protocol of ['UDP/TLS/RTP/SAVPF', 'TCP/DTLS/RTP/SAVPF', 'RTP/SAVPF', 'UDP/TLS/RTP/SAVP']) {
			assert.deepEqual(kinds(withProtocol(protocol)), ['audio', 'video'], protocol);
		}
		for (const protocol of ['RTP/AVP', 'RTP/AVPF', 'UDP/TLS/RTP/SAVPFX', 'TCP/MSRP']) {
			assert.deepEqual(kinds(withProtocol(protocol)), ['audio', undefined], protocol);
		}
	});

	it('of another type: text', () => {
		assert.deepEqual(kinds(chromium.replace('m=audio', 'm=text')), [undefined, 'video']);
	});

	it('outside of the bundle of the first one that carries something', () => {
		const bundle = (line: string) => kinds(replaceLine(chromium, 'a=group:BUNDLE', line));
		assert.deepEqual(bundle('a=group:BUNDLE 0'), ['audio', undefined]);
		assert.deepEqual(bundle('a=group:BUNDLE 1'), ['audio', undefined]);
		assert.deepEqual(bundle('a=group:LS 0 1'), ['audio', undefined]);
		assert.deepEqual(kinds(withoutLine(chromium, 'a=group:BUNDLE')), ['audio', undefined]);
		assert.deepEqual(
			kinds(addSessionLine(withoutLine(chromium, 'a=group:BUNDLE'), 'a=group:BUNDLE 1', 'a=group:BUNDLE 0')),
			['audio', undefined],
		);
	});

	it('when the offer is unbundled, but for the first', () => {
		assert.deepEqual(kinds(loadOffer('gstreamer-send-unbundled')), ['audio', undefined]);
		assert.deepEqual(kinds(loadOffer('gstreamer-send-bundled')), ['audio', 'video']);
	});
});

describe('A bundle', () => {
	it('may name mids that are not there', () => {
		const sdp = replaceLine(chromium, 'a=group:BUNDLE', 'a=group:BUNDLE 7 0 x 1 8');
		assert.deepEqual(kinds(sdp), ['audio', 'video']);
	});

	it('is not needed by a single m-line, with a mid or without', () => {
		const single = withoutLine(onlyMedia(chromium, 1), 'a=group:BUNDLE');
		assert.deepEqual(kinds(single), ['video']);
		assert.deepEqual(kinds(withoutLine(single, 'a=mid')), ['video']);
		assert.equal(mediaAt(withoutLine(single, 'a=mid'), 0).mid, undefined);
	});

	it('has no m-line without a mid', () => {
		assert.deepEqual(kinds(withoutLine(chromium, 'a=mid:1')), ['audio', undefined]);
		assert.deepEqual(kinds(withoutLine(chromium, 'a=mid:0')), ['audio', undefined]);
	});

	it('has mids of any form', () => {
		const sdp = chromium
			.replace('BUNDLE 0 1', 'BUNDLE 007 NaN')
			.replace('a=mid:0', 'a=mid:007')
			.replace('a=mid:1', 'a=mid:NaN');
		assert.deepEqual(
			parse(sdp).media.map(({ mid, kind }) => [mid, kind]),
			[
				['007', 'audio'],
				['NaN', 'video'],
			],
		);
	});
});

describe('An m-line', () => {
	it('has the direction of the session unless it has its own, and sendrecv without either', () => {
		const bare = withoutLine(chromium, 'a=sendonly');
		assert.deepEqual(
			parse(bare).media.map(({ direction }) => direction),
			['sendrecv', 'sendrecv'],
		);
		assert.deepEqual(
			parse(addSessionLine(addLine(bare, 1, 'a=inactive'), 'a=recvonly')).media.map(({ direction }) => direction),
			['recvonly', 'inactive'],
		);
	});

	it('has header extensions, but for encrypted ones and those with an id that cannot be', () => {
		const extensions = [
			'a=extmap:0 urn:zero',
			'a=extmap:256 urn:large',
			'a=extmap:-1 urn:negative',
			'a=extmap:1.5 urn:fraction',
			'a=extmap:x urn:word',
			'a=extmap:12 urn:ietf:params:rtp-hdrext:encrypt urn:secret',
			'a=extmap:255/sendonly urn:kept with attributes',
		];
		const bare = editMedia(chromium, 1, (media) => withoutLine(media, 'a=extmap'));
		assert.deepEqual(mediaAt(addLine(bare, 1, ...extensions), 1).headerExtensions, [
			{ id: 255, uri: 'urn:kept', direction: 'sendonly' },
		]);
	});

	it('has both header extensions of one id', () => {
		const { headerExtensions } = mediaAt(addLine(chromium, 0, 'a=extmap:4 urn:other'), 0);
		assert.deepEqual(
			headerExtensions.filter(({ id }) => id === 4).map(({ uri }) => uri),
			['urn:ietf:params:rtp-hdrext:sdes:mid', 'urn:other'],
		);
	});

	it('has no source that cannot be', () => {
		const withSsrc = (ssrc: string) =>
			mediaAt(addLine(withoutLine(chromium, 'a=ssrc'), 1, `a=ssrc:${ssrc} cname:c`), 1);
		assert.deepEqual(withSsrc('0').sources, []);
		assert.deepEqual(withSsrc('4294967296').sources, []);
		assert.deepEqual(withSsrc('4294967295').sources, [{ ssrc: 4294967295, rtxSsrc: undefined }]);
	});

	it('has an RTX source only by a FID group that begins with its own', () => {
		const withGroup = (group: string) =>
			mediaAt(replaceLine(chromium, 'a=ssrc-group', `a=ssrc-group:${group}`), 1).sources[0]?.rtxSsrc;
		assert.equal(withGroup('FID 2589898055 7'), 7);
		assert.equal(withGroup('FID 7 2589898055'), undefined);
		assert.equal(withGroup('FEC-FR 2589898055 7'), undefined);
		assert.equal(withGroup('FID 2589898055'), undefined);
		assert.equal(withGroup('FID 2589898055 0'), undefined);
		assert.equal(withGroup('FID 2589898055 4294967296'), undefined);
	});

	it('has the bandwidth that the offerer wants, TIAS before AS, of its own and of the session', () => {
		const offer = loadOffer('chromium-recvonly-video-audio');
		const bandwidthOf = (...lines: string[]) =>
			parse(
				editMedia(offer, 0, (media) => media.replace(/^c=.*\r\n/m, (c) => c + lines.map((b) => `${b}\r\n`).join(''))),
			).media[0]!.bandwidth;
		assert.equal(bandwidthOf('b=AS:500'), 500_000);
		assert.equal(bandwidthOf('b=TIAS:450000'), 450_000);
		assert.equal(bandwidthOf('b=AS:500', 'b=TIAS:450000'), 450_000);
		assert.equal(bandwidthOf('b=TIAS:450000', 'b=AS:500'), 450_000);
		assert.equal(bandwidthOf('b=RS:500', 'b=CT:500'), undefined);
		for (const none of ['0', '-1', 'x', '99999999999999999999', '']) {
			assert.equal(bandwidthOf(`b=AS:${none}`), undefined, none);
		}
		const ofSession = offer.replace('t=0 0', 'b=AS:700\r\nt=0 0');
		assert.equal(parse(ofSession).bandwidth, 700_000);
		assert.equal(parse(ofSession).media[0]!.bandwidth, undefined);
	});

	it('has the stream of its first msid, and none for a dash', () => {
		const withMsid = (...lines: string[]) =>
			mediaAt(replaceLine(chromium, 'a=msid:', ...lines.map((line) => `a=msid:${line}`)), 0).streamId;
		assert.equal(withMsid('one track', 'two track'), 'one');
		assert.equal(withMsid('{one} {track}'), '{one}');
		assert.equal(withMsid('one'), 'one');
		assert.equal(withMsid('- track'), undefined);
		assert.equal(withMsid(), undefined);
	});
});

describe('A damaged offer is rejected for a reason or understood:', () => {
	function survives(sdp: string) {
		try {
			const { media, ice, dtls } = parse(sdp);
			assert.ok(media.length > 0 && ice.password.length >= 22 && dtls.fingerprints.length === 1);
		} catch (error) {
			if (error instanceof SfuError && (error.code === 'invalid_argument' || error.code === 'too_large')) return;
			throw error;
		}
	}

	for (const name of offerNames) {
		const sdp = loadOffer(name);
		// The largest ones only repeat their m-lines.
		const step = sdp.length < 7000 ? 7 : Infinity;

		it(`${name}, cut off after every line and every 7th character`, () => {
			for (let end = 0; end < sdp.length; end++) {
				if (end % step === 0 || sdp[end - 1] === '\n') survives(sdp.slice(0, end));
			}
		});
	}

	for (const name of ['chromium-sendonly-audio-video', 'firefox-sendonly-video-simulcast', 'gstreamer-send-bundled']) {
		const lines = loadOffer(name).split('\r\n');

		it(`${name}, without any one of its lines, or with it emptied, doubled or garbled`, () => {
			for (const [index, line] of lines.entries()) {
				const prefix = /^.=[^: ]*[: ]?/.exec(line)?.[0] ?? '';
				const garbled = ['', '-1 -1 -1', '__proto__=1;constructor=2;*', `${'9'.repeat(400)} 1/0 NaN`];
				for (const replacement of [[], [line, line], ...garbled.map((text) => [prefix + text])]) {
					survives(lines.toSpliced(index, 1, ...replacement).join('\r\n'));
				}
			}
		});
	}

	it('lines that end with LF alone', () => {
		assert.deepEqual(parse(chromium.replaceAll('\r\n', '\n')), parse(chromium));
	});

	// Of the processor, not of the clock: other processes may be busy.
	const milliseconds = () => process.cpuUsage().user / 1000;

	it('a very long line costs no more than its length', () => {
		const started = milliseconds();
		for (const prefix of [
			'a=candidate:',
			'a=fmtp:96 ',
			'a=ssrc:1 ',
			'a=simulcast:',
			'a=rid:',
			'a=extmap:',
			'a=msid:',
			'o=',
		]) {
			for (const filler of [' ', 'a', ';', '1 ', 'a=', '/', ',']) {
				survives(addLine(chromium, 1, prefix + filler.repeat(100_000 / filler.length)));
			}
		}
		const took = milliseconds() - started;
		assert.ok(took < 5000, `took ${took} ms`);
	});

	it('an m-line that lists the same payload types again and again costs no more than its length', () => {
		const formats = Array(300).fill('96 97').join(' ');
		const sdp = replaceLine(chromium, 'a=fmtp:97 apt', 'a=fmtp:97 apt=95').replace(
			/^(m=video 9 \S+) .*$/m,
			`$1 ${formats}`,
		);
		const started = milliseconds();
		survives(sdp);
		const took = milliseconds() - started;
		assert.ok(took < 100, `took ${took} ms`);
	});
});

describe('An m-line for data channels', () => {
	const withData = loadOffer('chromium-sendonly-audio-video-data');
	const dataOf = (sdp: string) => parse(sdp).media.map(({ data }) => data);
	const edited = (edit: (media: string) => string) => dataOf(editMedia(withData, 2, edit))[2];

	it('says how large a message may be', () => {
		assert.deepEqual(dataOf(withData), [undefined, undefined, { maxMessageSize: 262_144 }]);
		assert.deepEqual(dataOf(loadOffer('firefox-sendonly-audio-video-data'))[2], { maxMessageSize: 1_073_741_823 });
		assert.deepEqual(
			edited((media) => withoutLine(media, 'a=max-message-size')),
			{ maxMessageSize: 65_536 },
		);
		const size = (written: string) =>
			edited((media) => replaceLine(media, 'a=max-message-size', written))?.maxMessageSize;
		assert.equal(size('a=max-message-size:0'), Infinity);
		assert.equal(size('a=max-message-size:-1'), 65_536);
		assert.equal(size('a=max-message-size:lots'), 65_536);
	});

	it('of the older form, on another port, or of another format is none', () => {
		assert.deepEqual(dataOf(loadOffer('aiortc-send-data'))[2], undefined);
		assert.deepEqual(
			edited((media) => withoutLine(media, 'a=sctp-port')),
			undefined,
		);
		assert.deepEqual(
			edited((media) => replaceLine(media, 'a=sctp-port', 'a=sctp-port:5001')),
			undefined,
		);
		assert.deepEqual(
			edited((media) => media.replace('webrtc-datachannel', 'bfcp')),
			undefined,
		);
		assert.deepEqual(
			edited((media) => media.replace('UDP/DTLS/SCTP', 'SCTP')),
			undefined,
		);
	});

	it('that has stopped is none', () => {
		assert.deepEqual(
			edited((media) => media.replace('m=application 9', 'm=application 0')),
			undefined,
		);
	});

	it('is one at most, within the bundle', () => {
		const data = sections(withData)[3]!;
		const twice =
			replaceLine(withData, 'a=group:BUNDLE', 'a=group:BUNDLE 0 1 2 3') + replaceLine(data, 'a=mid', 'a=mid:3');
		assert.deepEqual(
			dataOf(twice).map((each) => each !== undefined),
			[false, false, true, false],
		);
		assert.deepEqual(dataOf(replaceLine(withData, 'a=group:BUNDLE', 'a=group:BUNDLE 0 1'))[2], undefined);
	});

	it('can be the first, and carry the transport', () => {
		const [session, , , data] = sections(withData);
		const offer = parse(session! + data!);
		assert.deepEqual(
			offer.media.map((media) => [media.kind, media.data !== undefined]),
			[[undefined, true]],
		);
	});
});
