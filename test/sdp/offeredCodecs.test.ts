import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addLine, replaceLine, withoutLine } from '../support/offers.js';
import { chromium, mediaAt } from './setup.js';

const video = (...lines: string[]) =>
	addLine(
		['a=rtpmap', 'a=fmtp', 'a=rtcp-fb'].reduce(
			withoutLine,
			replaceLine(chromium, 'm=video', 'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98'),
		),
		1,
		...lines,
	);

/** The codecs of an m-line with the payload types 96, 97 and 98 and these lines. */
const codecs = (...lines: string[]) => mediaAt(video(...lines), 1).codecs;

describe('Codecs are offered', () => {
	it('in the order of the m= line, not of the rtpmap lines', () => {
		const offered = codecs('a=rtpmap:98 AV1/90000', 'a=rtpmap:97 VP9/90000', 'a=rtpmap:96 VP8/90000');
		assert.deepEqual(
			offered.map(({ name }) => name),
			['VP8', 'VP9', 'AV1'],
		);
	});

	it('only when the m= line lists them and an rtpmap describes them', () => {
		assert.deepEqual(codecs('a=rtpmap:100 VP8/90000'), []);
		assert.deepEqual(codecs(), []);
	});

	it('in the spelling of their registration, whatever the spelling of the offer', () => {
		const offered = codecs('a=rtpmap:96 OPUS/48000/2', 'a=rtpmap:97 vp8/90000', 'a=rtpmap:98 Unknown/90000');
		assert.deepEqual(
			offered.map(({ name, mimeType }) => [name, mimeType]),
			[
				['opus', 'video/opus'],
				['VP8', 'video/VP8'],
				['Unknown', 'video/Unknown'],
			],
		);
	});

	it('with the channels of the offer, one unless written', () => {
		const offered = codecs('a=rtpmap:96 opus/48000/2', 'a=rtpmap:97 opus/48000');
		assert.deepEqual(
			offered.map(({ channels }) => channels),
			[2, 1],
		);
	});

	it('without those that repair, repeat or fill in', () => {
		for (const name of ['rtx', 'RTX', 'red', 'ulpfec', 'flexfec', 'flexfec-03', 'CN', 'telephone-event']) {
			assert.deepEqual(codecs(`a=rtpmap:96 ${name}/90000`), [], name);
		}
		assert.equal(codecs('a=rtpmap:96 redder/90000').length, 1);
	});

	it('without those that cannot be', () => {
		const odd = (formats: string, rtpmap: string) =>
			mediaAt(replaceLine(video(rtpmap), 'm=video', `m=video 9 UDP/TLS/RTP/SAVPF ${formats}`), 1).codecs;
		assert.equal(odd('127', 'a=rtpmap:127 VP8/90000').length, 1);
		assert.deepEqual(odd('96 128', 'a=rtpmap:128 VP8/90000'), []);
		assert.deepEqual(odd('096 97', 'a=rtpmap:96 VP8/90000'), []);
		assert.deepEqual(odd('96', 'a=rtpmap:96 VP8/0'), []);
		assert.deepEqual(odd('96', 'a=rtpmap:96 VP8'), []);
		assert.deepEqual(odd('none 96', 'a=rtpmap:96 VP8/90000').length, 1);
		for (const formats of ['webrtc-datachannel', '128', '00']) {
			assert.throws(() => odd(formats, 'a=rtpmap:96 VP8/90000'), { code: 'invalid_argument' });
		}
	});

	it('once, even when the m= line lists a payload type twice', () => {
		const sdp = replaceLine(video('a=rtpmap:96 VP8/90000'), 'm=video', 'm=video 9 UDP/TLS/RTP/SAVPF 96 96');
		assert.equal(mediaAt(sdp, 1).codecs.length, 1);
	});
});

describe('RTX belongs to the codec', () => {
	const rtxOf = (...lines: string[]) => codecs('a=rtpmap:96 VP8/90000', ...lines)[0]?.rtxPayloadType;

	it('that its apt names', () => {
		assert.equal(rtxOf('a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'), 97);
		assert.equal(rtxOf('a=rtpmap:97 RTX/90000', 'a=fmtp:97 rtx-time=3000;apt=96'), 97);
	});

	it('and to none without an apt, or with that of another', () => {
		assert.equal(rtxOf('a=rtpmap:97 rtx/90000'), undefined);
		assert.equal(rtxOf('a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=98'), undefined);
		assert.equal(rtxOf('a=rtpmap:97 VP9/90000', 'a=fmtp:97 apt=96'), undefined);
	});

	it('only when the m= line lists it', () => {
		assert.equal(rtxOf('a=rtpmap:100 rtx/90000', 'a=fmtp:100 apt=96'), undefined);
	});

	it('the first one when there are two', () => {
		assert.equal(rtxOf('a=rtpmap:98 rtx/90000', 'a=fmtp:98 apt=96', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'), 97);
	});
});

describe('The parameters of a codec', () => {
	const parametersOf = (fmtp: string) => codecs('a=rtpmap:96 H264/90000', `a=fmtp:96 ${fmtp}`)[0]?.parameters;

	it('are numbers where they are written as such', () => {
		assert.deepEqual(parametersOf('packetization-mode=1;level-asymmetry-allowed=1;max-fs=007'), {
			'packetization-mode': 1,
			'level-asymmetry-allowed': 1,
			'max-fs': '007',
		});
	});

	it('but for profile-level-id, which is text even when it has digits alone', () => {
		for (const id of ['42e01f', '640010', '640032']) {
			assert.deepEqual(parametersOf(`profile-level-id=${id}`), { 'profile-level-id': id });
		}
	});

	it('are parted by semicolons, with blanks or without, and a last one or none', () => {
		const expected = { a: 1, b: 2 };
		for (const fmtp of ['a=1;b=2', 'a=1; b=2', ' a=1;b=2', 'a=1;b=2;']) assert.deepEqual(parametersOf(fmtp), expected);
	});

	it('may have a blank before the semicolon', () => {
		assert.deepEqual(parametersOf('a=1 ; b=2'), { a: 1, b: 2 });
	});

	it('are left out without a value', () => {
		assert.deepEqual(parametersOf('0-15'), {});
		assert.deepEqual(parametersOf('a;b=2'), { b: 2 });
	});

	it('keep what follows a second equals sign', () => {
		assert.deepEqual(parametersOf('sprop-parameter-sets=Z0LAH9k=,aMk='), { 'sprop-parameter-sets': 'Z0LAH9k=,aMk=' });
	});

	it('are none without an fmtp line', () => {
		assert.deepEqual(codecs('a=rtpmap:96 VP8/90000')[0]?.parameters, {});
	});
});

describe('RTCP feedback', () => {
	const feedbackOf = (...lines: string[]) =>
		codecs('a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96', ...lines)[0]?.rtcpFeedback;

	it('has a type and a parameter, empty without one', () => {
		assert.deepEqual(feedbackOf('a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 ccm fir'), [
			{ type: 'nack', parameter: '' },
			{ type: 'nack', parameter: 'pli' },
			{ type: 'ccm', parameter: 'fir' },
		]);
	});

	it('for * is that of every codec', () => {
		assert.deepEqual(feedbackOf('a=rtcp-fb:* nack', 'a=rtcp-fb:96 goog-remb', 'a=rtcp-fb:98 ccm fir'), [
			{ type: 'nack', parameter: '' },
			{ type: 'goog-remb', parameter: '' },
		]);
	});

	it('that is written twice counts once', () => {
		assert.deepEqual(feedbackOf('a=rtcp-fb:* nack', 'a=rtcp-fb:96 nack'), [{ type: 'nack', parameter: '' }]);
	});
});
