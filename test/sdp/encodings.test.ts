import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sdpTransform from 'sdp-transform';
import type { OfferedMediaSection } from '../../src/sdp/Offer.js';
import { producerParameters } from '../../src/sdp/rtpParameters.js';
import { writeAnswer } from '../../src/sdp/writeAnswer.js';
import { loadOffer, replaceLine, withoutLine } from '../support/offers.js';
import { mediaAt, parse } from './setup.js';

const chromium = loadOffer('chromium-sendonly-video-simulcast');
const firefox = loadOffer('firefox-sendonly-video-simulcast');
const libwebrtc = loadOffer('libwebrtc-sendonly-audio-simulcast');

const simulcast = (sdp: string, value: string) => replaceLine(sdp, 'a=simulcast:', `a=simulcast:${value}`);
const rids = (sdp: string) => mediaAt(sdp, 0).rids.map(({ rid }) => rid);

describe('The rids of an m-line', () => {
	it('are those that it sends, in the order of a=simulcast', () => {
		assert.deepEqual(rids(chromium), ['h', 'm', 'l']);
		assert.deepEqual(rids(firefox), ['h', 'm', 'l']);
		assert.deepEqual(rids(simulcast(chromium, 'send l;m;h')), ['l', 'm', 'h']);
		assert.deepEqual(rids(simulcast(chromium, 'recv x;y send m;h')), ['m', 'h']);
	});

	it('have what is paused at first, the first of alternatives, and each once', () => {
		assert.deepEqual(rids(simulcast(chromium, 'send ~l;m;~h')), ['l', 'm', 'h']);
		assert.deepEqual(rids(simulcast(chromium, 'send l,m;~h,m')), ['l', 'h']);
		assert.deepEqual(rids(simulcast(chromium, 'send l;l;h')), ['l', 'h']);
	});

	it('are none that a=rid does not describe as sent', () => {
		assert.deepEqual(rids(simulcast(chromium, 'send l;x;h')), ['l', 'h']);
		assert.deepEqual(rids(withoutLine(chromium, 'a=rid:m')), ['h', 'l']);
		assert.deepEqual(rids(replaceLine(chromium, 'a=rid:m', 'a=rid:m recv')), ['h', 'l']);
		assert.deepEqual(rids(simulcast(chromium, 'recv h;m;l')), []);
		assert.deepEqual(rids(withoutLine(chromium, 'a=simulcast')), []);
	});

	it('may be numbers', () => {
		const sdp = replaceLine(chromium, 'a=rid:', 'a=rid:0 send', 'a=rid:1 send');
		assert.deepEqual(rids(simulcast(sdp, 'send 0;1')), ['0', '1']);
		assert.deepEqual(rids(simulcast(sdp, 'send 0')), ['0']);
	});

	it('know the payload types that they are restricted to', () => {
		const sdp = replaceLine(chromium, 'a=rid:m', 'a=rid:m send max-width=640;pt=96,98');
		assert.deepEqual(
			mediaAt(sdp, 0).rids.map(({ payloadTypes }) => payloadTypes),
			[undefined, [96, 98], undefined],
		);
	});

	it('are no more than eight', () => {
		const names = Array.from({ length: 9 }, (_, index) => `r${index}`);
		const lines = names.map((name) => `a=rid:${name} send`);
		const sdp = simulcast(replaceLine(chromium, 'a=rid:h', ...lines), `send ${names.join(';')}`);
		assert.throws(() => parse(sdp), {
			code: 'invalid_argument',
			message: 'invalid offer: a=simulcast has 9 streams, more than the 8 that can be taken',
		});
		assert.equal(rids(simulcast(sdp, `send ${names.slice(1).join(';')}`)).length, 8);
	});
});

describe('The sources of an m-line', () => {
	const sources = (sdp: string) => mediaAt(sdp, 1).sources;
	const group = (value: string) => replaceLine(libwebrtc, 'a=ssrc-group:SIM', `a=ssrc-group:SIM ${value}`);

	it('are those of its SIM group, in order, each with that of its RTX', () => {
		assert.deepEqual(sources(libwebrtc), [
			{ ssrc: 1437290463, rtxSsrc: 1437290464 },
			{ ssrc: 2089145731, rtxSsrc: 2089145732 },
			{ ssrc: 3341760982, rtxSsrc: 3341760983 },
		]);
	});

	it('are the first one alone, without a group of two that are announced', () => {
		const first = [{ ssrc: 1437290463, rtxSsrc: 1437290464 }];
		assert.deepEqual(sources(withoutLine(libwebrtc, 'a=ssrc-group:SIM')), first);
		for (const value of ['2089145731', '7 2089145731', 'x y', '0 4294967296']) {
			assert.deepEqual(sources(group(value)), first, value);
		}
	});

	it('are no more than eight, and each once', () => {
		const nine = Array.from({ length: 9 }, (_, index) => index + 1);
		const announced = nine.map((ssrc) => `a=ssrc:${ssrc} cname:c\r\n`).join('');
		assert.throws(() => parse(group(nine.join(' ')) + announced), {
			code: 'invalid_argument',
			message: /a=ssrc-group:SIM has 9 sources/,
		});
		assert.throws(() => parse(group('2089145731 2089145731')), {
			code: 'invalid_argument',
			message: 'invalid offer: the SSRC 2089145731 is announced twice',
		});
	});
});

type Offered = Parameters<typeof producerParameters>[0];

/** The encodings to produce with, by default of the first codec. */
function encodings(sdp: string, index: number, codecName = 'VP8', mode?: string) {
	const media = mediaAt(sdp, index) as Offered;
	const codec = media.codecs.find(({ name }) => name === codecName)!;
	return producerParameters(media, codec, new Map(), mode).encodings;
}

describe('The encodings of a producer', () => {
	const named = (...names: string[]) => names.map((rid) => ({ rid, scalabilityMode: 'L1T3' }));

	it('are the rids, with the temporal layers that browsers send', () => {
		for (const sdp of [chromium, firefox]) assert.deepEqual(encodings(sdp, 0), named('h', 'm', 'l'));
		assert.deepEqual(encodings(chromium, 0, 'H264'), named('h', 'm', 'l'));
	});

	it('are the sources of a SIM group', () => {
		assert.deepEqual(encodings(libwebrtc, 1), [
			{ ssrc: 1437290463, rtx: { ssrc: 1437290464 }, scalabilityMode: 'L1T3' },
			{ ssrc: 2089145731, rtx: { ssrc: 2089145732 }, scalabilityMode: 'L1T3' },
			{ ssrc: 3341760982, rtx: { ssrc: 3341760983 }, scalabilityMode: 'L1T3' },
		]);
	});

	it('are the first one alone of a codec that mediasoup does not take as simulcast', () => {
		for (const codec of ['VP9', 'AV1']) {
			assert.deepEqual(encodings(chromium, 0, codec), [{ rid: 'h' }]);
			assert.deepEqual(encodings(libwebrtc, 1, codec), [{ ssrc: 1437290463, rtx: { ssrc: 1437290464 } }]);
		}
	});

	it('have the scalability mode that the client says', () => {
		assert.deepEqual(
			encodings(chromium, 0, 'VP8', 'L1T2')?.map(({ scalabilityMode }) => scalabilityMode),
			['L1T2', 'L1T2', 'L1T2'],
		);
		const [single] = encodings(loadOffer('chromium-sendonly-video'), 0, 'VP9', 'L3T3_KEY') ?? [];
		assert.equal(single?.scalabilityMode, 'L3T3_KEY');
	});

	it('leave out a rid that is restricted to other payload types', () => {
		assert.deepEqual(encodings(replaceLine(chromium, 'a=rid:m', 'a=rid:m send pt=98'), 0), named('h', 'l'));
	});

	it('have no rids without what tells them apart', () => {
		const without = withoutLine(chromium, 'a=extmap:10 ');
		assert.deepEqual(encodings(without, 0), [{}]);
		assert.deepEqual(encodings(withoutLine(withoutLine(firefox, 'a=mid'), 'a=group'), 0), [
			{ ssrc: 3759035403, rtx: { ssrc: 2021852994 } },
		]);
	});

	it('come with the header extensions for them, and only then', () => {
		const has = (sdp: string, index: number) => {
			const media = mediaAt(sdp, index) as Offered;
			const { headerExtensions = [] } = producerParameters(media, media.codecs[0]!, new Map());
			return headerExtensions.filter(({ uri }) => uri.includes('rtp-stream-id')).map(({ id }) => id);
		};
		assert.deepEqual(has(chromium, 0), [10, 11]);
		assert.deepEqual(has(firefox, 0), [9, 10]);
		assert.deepEqual(has(libwebrtc, 1), []);
	});
});

describe('The answer to simulcast', () => {
	const transport = {
		iceParameters: { usernameFragment: 'ufragufrag', password: 'localpasswordoflocalpassword', iceLite: true },
		iceCandidates: [],
		dtlsParameters: { fingerprints: [{ algorithm: 'sha-256' as const, value: '00:11' }] },
	};

	/** What is said of rids in the answer to `later` when `sdp` was received. */
	function answered(sdp: string, later = sdp, direction: 'recvonly' | 'inactive' = 'recvonly') {
		const media = mediaAt(sdp, 0) as Offered & OfferedMediaSection;
		const receive = producerParameters(media, media.codecs[0]!, new Map());
		const offer = parse(later);
		const answer = writeAnswer({
			offer,
			media: [{ direction, receive }],
			transport,
			sessionId: 1,
			sessionVersion: 1,
		});
		const [written] = sdpTransform.parse(answer).media;
		return {
			answer,
			rids: written?.rids?.map(({ id, direction }) => `${id} ${direction}`) ?? [],
			simulcast: written?.simulcast,
			extensions: written?.ext?.filter(({ uri }) => uri.includes('rtp-stream-id')).map(({ value }) => value) ?? [],
		};
	}

	it('receives each of its streams, and has the header extensions', () => {
		for (const direction of ['recvonly', 'inactive'] as const) {
			const { rids, simulcast, extensions, answer } = answered(chromium, chromium, direction);
			assert.deepEqual(rids, ['h recv', 'm recv', 'l recv']);
			assert.deepEqual({ ...simulcast }, { dir1: 'recv', list1: 'h;m;l' });
			assert.deepEqual(extensions, [10, 11]);
			assert.ok(answer.includes('a=simulcast:recv h;m;l\r\n'));
		}
	});

	it('takes what is paused, and leaves it paused', () => {
		assert.equal(answered(simulcast(chromium, 'send l;~m;~h')).simulcast?.list1, 'l;~m;~h');
		assert.equal(answered(simulcast(chromium, 'send ~l;~m;~h')).simulcast?.list1, '~l;~m;~h');
		assert.equal(answered(chromium, simulcast(chromium, 'send h;m;~l')).simulcast?.list1, 'h;m;~l');
		assert.equal(answered(simulcast(chromium, 'send l;~m'), simulcast(chromium, 'send l;m')).simulcast?.list1, 'l;m');
	});

	it('has no more streams than a later offer', () => {
		assert.deepEqual(answered(chromium, simulcast(chromium, 'send m;~l')).rids, ['m recv', 'l recv']);
		const unicast = withoutLine(withoutLine(chromium, 'a=rid'), 'a=simulcast');
		assert.deepEqual(answered(chromium, unicast).rids, []);
		assert.deepEqual(answered(chromium, withoutLine(chromium, 'a=extmap:10 ')).rids, []);
	});

	it('by SSRCs says nothing of it', () => {
		const media = parse(libwebrtc).media.map((offered) => ({
			direction: 'recvonly' as const,
			receive: producerParameters(offered as Offered, offered.codecs[0]!, new Map()),
		}));
		const answer = writeAnswer({ offer: parse(libwebrtc), media, transport, sessionId: 1, sessionVersion: 1 });
		assert.doesNotMatch(answer, /a=(rid|simulcast|ssrc)/);
		assert.match(answer, /^m=video 9 UDP\/TLS\/RTP\/SAVPF 96 97\r$/m);
	});
});
