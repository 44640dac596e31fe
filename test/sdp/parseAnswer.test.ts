import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAnswer, type ExpectedMediaSection } from '../../src/sdp/parseAnswer.js';
import { addSessionLine, editMedia, replaceLine, withoutLine } from '../support/offers.js';

const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':');
const limits = { sdpBytes: 10_000, mediaSections: 3 };
const offered: ExpectedMediaSection[] = [
	{ mid: '0', type: 'audio', stopped: false },
	{ mid: '1', type: 'video', stopped: false },
];

const good = [
	'v=0',
	'o=- 1 1 IN IP4 127.0.0.1',
	's=-',
	't=0 0',
	'a=group:BUNDLE 0 1',
	'm=audio 9 UDP/TLS/RTP/SAVPF 111',
	'a=mid:0',
	'a=recvonly',
	'a=setup:active',
	`a=fingerprint:sha-256 ${fingerprint.toLowerCase()}`,
	'a=rtcp-mux',
	'a=rtpmap:111 opus/48000/2',
	'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
	'a=mid:1',
	'a=recvonly',
	'a=setup:active',
	`a=fingerprint:sha-256 ${fingerprint}`,
	'a=rtcp-mux',
	'a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
	'a=rtpmap:96 VP8/90000',
	'a=rtpmap:97 rtx/90000',
	'a=fmtp:97 apt=96',
	'',
].join('\r\n');

const parse = (sdp: string, expected = offered) => parseAnswer(sdp, expected, limits);
const reject = (sdp: string, index: number) => editMedia(sdp, index, (media) => media.replace(/ 9 /, ' 0 '));

describe('An answer', () => {
	it('is read', () => {
		assert.deepEqual(parse(good), {
			dtls: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] },
			bandwidth: undefined,
			media: [
				{ accepted: true, direction: 'recvonly', payloadTypes: [111], headerExtensions: [], bandwidth: undefined },
				{
					accepted: true,
					direction: 'recvonly',
					payloadTypes: [96, 97],
					headerExtensions: ['http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'],
					bandwidth: undefined,
				},
			],
		});
	});

	it('may say for the session what holds for all m-lines', () => {
		const session = addSessionLine(
			['setup', 'fingerprint', 'recvonly'].reduce((sdp, line) => withoutLine(sdp, `a=${line}`), good),
			'a=inactive',
			'a=setup:passive',
			`a=fingerprint:sha-256 ${fingerprint}`,
		);
		const { dtls, media } = parse(session);
		assert.equal(dtls?.role, 'server');
		assert.deepEqual(
			media.map(({ direction }) => direction),
			['inactive', 'inactive'],
		);
	});

	it('may bound what is sent', () => {
		const bounded = editMedia(good.replace('t=0 0', 'b=AS:900\r\nt=0 0'), 1, (media) =>
			media.replace('a=mid', 'b=TIAS:500500\r\na=mid'),
		);
		const { bandwidth, media } = parse(bounded);
		assert.deepEqual([bandwidth, ...media.map((section) => section.bandwidth)], [900_000, undefined, 500_500]);
	});

	it('that says no direction goes both ways', () => {
		assert.equal(parse(withoutLine(good, 'a=recvonly')).media[0]?.direction, 'sendrecv');
	});

	it('may reject m-lines, of which nothing more is asked', () => {
		const rejected = replaceLine(reject(good, 0), 'a=group', 'a=group:BUNDLE 1');
		const { dtls, media } = parse(editMedia(rejected, 0, (section) => section.replace(/\r\n[^]*/, '\r\n')));
		assert.deepEqual(
			media.map(({ accepted }) => accepted),
			[false, true],
		);
		assert.equal(dtls?.role, 'client');
		assert.equal(parse(reject(reject(good, 0), 1)).dtls, undefined);
	});

	it('of one m-line needs no BUNDLE', () => {
		assert.equal(parse(withoutLine(reject(good, 0), 'a=group')).media[1]?.accepted, true);
	});

	it('repeats that an m-line has stopped', () => {
		const expected = offered.map((section, index) => ({ ...section, stopped: index === 0 }));
		assert.equal(parse(reject(good, 0), expected).media[0]?.accepted, false);
	});

	const withData = `${replaceLine(good, 'a=group', 'a=group:BUNDLE 0 1 2')}${[
		'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
		'a=mid:2',
		'a=setup:active',
		`a=fingerprint:sha-256 ${fingerprint}`,
		'a=sctp-port:5000',
		'',
	].join('\r\n')}`;
	const offeredWithData: ExpectedMediaSection[] = [...offered, { mid: '2', type: 'application', stopped: false }];

	it('may take data channels, or reject them', () => {
		const { media } = parse(withData, offeredWithData);
		assert.deepEqual([media.length, media[2]?.accepted], [3, true]);
		assert.equal(parse(reject(withData, 2), offeredWithData).media[2]?.accepted, false);
	});

	const expecting = (change: Partial<ExpectedMediaSection>) => [{ ...offered[0]!, ...change }, offered[1]!];
	for (const [what, sdp, message, expected] of [
		['with too few m-lines', editMedia(good, 1, () => ''), 'it has 1 m-lines, the offer has 2'],
		['with too many m-lines', `${good}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n`, 'it has 3 m-lines, the offer has 2'],
		['of another kind', good, 'm-line 0 is audio, not video', expecting({ type: 'video' })],
		['with another mid', good, 'the mid of m-line 0 is not "a"', expecting({ mid: 'a' })],
		['without a mid', withoutLine(good, 'a=mid:1'), 'the mid of m-line 1 is not "1"'],
		['that takes what has stopped', good, 'm-line 0 was not offered', expecting({ stopped: true })],
		['without rtcp-mux', withoutLine(good, 'a=rtcp-mux'), 'it has no a=rtcp-mux'],
		['without BUNDLE', withoutLine(good, 'a=group'), 'its a=group:BUNDLE does not have the mid "0"'],
		[
			'with less than all in BUNDLE',
			replaceLine(good, 'a=group', 'a=group:BUNDLE 0'),
			'its a=group:BUNDLE does not have the mid "1"',
		],
		['without a=setup', withoutLine(good, 'a=setup'), 'it has no a=setup'],
		[
			'that leaves the role open',
			replaceLine(good, 'a=setup', 'a=setup:actpass'),
			'a=setup:actpass is no answer to actpass',
		],
		['without a fingerprint', withoutLine(good, 'a=fingerprint'), 'it has no a=fingerprint'],
		[
			'with a fingerprint that is none',
			replaceLine(good, 'a=fingerprint', 'a=fingerprint:sha-256 AB:CD'),
			'its a=fingerprint is no sha-256 value',
		],
		[
			'with another port of SCTP',
			replaceLine(withData, 'a=sctp-port', 'a=sctp-port:5001'),
			'm-line 2 has no data channels as we know them',
			offeredWithData,
		],
		[
			'with the older form of data channels',
			replaceLine(withData, 'm=application', 'm=application 9 DTLS/SCTP 5000'),
			'm-line 2 has no data channels as we know them',
			offeredWithData,
		],
		['that is none', 'nonsense', 'the SDP does not begin with v=0'],
	] as [string, string, string, ExpectedMediaSection[]?][]) {
		it(`${what} is refused`, () => {
			assert.throws(() => parse(sdp, expected), {
				name: 'SfuError',
				code: 'invalid_argument',
				message: `invalid answer: ${message}`,
			});
		});
	}

	it('beyond the limits is refused', () => {
		const code = 'too_large';
		assert.throws(() => parse(good.padEnd(10_001)), { code });
		assert.throws(() => parse(good + 'm=audio 0 UDP/TLS/RTP/SAVPF 0\r\n'.repeat(2)), { code, message: /4 m-lines/ });
	});
});
