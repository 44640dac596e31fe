import assert from 'node:assert/strict';
import * as ortc from 'mediasoup/ortc';
import { describe, it } from 'node:test';
import {
	consumerCapabilities,
	formatFeedback,
	formatParameters,
	producerParameters,
} from '../../src/sdp/rtpParameters.js';
import {
	addLine,
	dependencyDescriptor,
	editMedia,
	loadOffer,
	offerNames,
	replaceLine,
	withoutLine,
} from '../support/offers.js';
import { chromium, firefox, mediaAt, parse } from './setup.js';

type Offered = Parameters<typeof producerParameters>[0];

/** The parameters of an m-line's codec, by default the first. */
function produce(sdp: string, index: number, { codec = 0, taken = new Map<string, number>() } = {}) {
	const media = mediaAt(sdp, index) as Offered;
	return producerParameters(media, media.codecs[codec]!, taken);
}

const extensions = (...args: Parameters<typeof produce>) =>
	(produce(...args).headerExtensions ?? []).map(({ uri, id }) => [id, uri.replace(/.*[:/]/, '')]);

describe('The parameters of a producer', () => {
	it('are one codec, its RTX and the source', () => {
		const { codecs, encodings, mid, rtcp } = produce(chromium, 1);
		assert.deepEqual(
			codecs.map(({ mimeType, payloadType, parameters }) => [mimeType, payloadType, parameters]),
			[
				['video/VP8', 96, {}],
				['video/rtx', 97, { apt: 96 }],
			],
		);
		assert.deepEqual(encodings, [{ ssrc: 2589898055, rtx: { ssrc: 2666678098 } }]);
		assert.equal(mid, '1');
		assert.deepEqual(rtcp, { reducedSize: true, cname: 'gnt82NnZar7Y5B6C' });
	});

	it('are what mediasoup takes, for every codec of every client', () => {
		for (const name of offerNames) {
			for (const media of parse(loadOffer(name)).media.filter(({ kind }) => kind)) {
				for (const codec of media.codecs) {
					const parameters = producerParameters(media as Offered, codec, new Map());
					assert.doesNotThrow(() => {
						ortc.validateAndNormalizeRtpParameters(parameters);
					}, `${name} ${codec.name}`);
				}
			}
		}
	});

	it('have channels for audio alone', () => {
		assert.equal(produce(chromium, 0).codecs[0]?.channels, 2);
		assert.ok(!('channels' in produce(chromium, 1).codecs[0]!));
	});

	it('have an empty encoding when no source is announced', () => {
		assert.deepEqual(produce(withoutLine(chromium, 'a=ssrc'), 1).encodings, [{}]);
	});

	it('have no RTX source without an RTX codec', () => {
		const sdp = editMedia(chromium, 1, (media) => withoutLine(media, 'a=fmtp:97 apt'));
		assert.deepEqual(produce(sdp, 1).encodings, [{ ssrc: 2589898055 }]);
		assert.equal(produce(sdp, 1).codecs.length, 1);
	});

	it('have no mid and no cname when the offer has none', () => {
		const bare = produce(withoutLine(withoutLine(chromium, 'a=mid'), 'a=ssrc'), 0);
		assert.ok(!('mid' in bare));
		assert.deepEqual(bare.rtcp, { reducedSize: true });
	});

	it('have the feedback that the worker knows', () => {
		const feedback = (...lines: string[]) =>
			produce(
				addLine(
					editMedia(chromium, 1, (media) => withoutLine(media, 'a=rtcp-fb')),
					1,
					...lines,
				),
				1,
			).codecs[0]?.rtcpFeedback?.map(formatFeedback);
		assert.deepEqual(feedback('a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack rpsi', 'a=rtcp-fb:96 ccm tmmbr'), ['nack']);
		assert.deepEqual(feedback('a=rtcp-fb:* nack pli', 'a=rtcp-fb:* transport-cc'), ['nack pli', 'transport-cc']);
		assert.deepEqual(produce(chromium, 1).codecs[1]?.rtcpFeedback, []);
	});

	it('have transport-cc only together with its header extension', () => {
		const without = withoutLine(chromium, 'a=extmap:3 ');
		assert.deepEqual(produce(without, 1).codecs[0]?.rtcpFeedback?.map(formatFeedback), [
			'goog-remb',
			'ccm fir',
			'nack',
			'nack pli',
		]);
	});
});

describe('The header extensions of a producer', () => {
	it('are those that mediasoup reads, under the ids of the offer', () => {
		assert.deepEqual(extensions(chromium, 0), [
			[4, 'mid'],
			[3, 'draft-holmer-rmcat-transport-wide-cc-extensions-01'],
			[2, 'abs-send-time'],
			[1, 'ssrc-audio-level'],
		]);
		assert.deepEqual(extensions(chromium, 1), [
			[4, 'mid'],
			[3, 'draft-holmer-rmcat-transport-wide-cc-extensions-01'],
			[2, 'abs-send-time'],
			[13, 'video-orientation'],
		]);
	});

	it('never have toffset', () => {
		assert.ok(!extensions(firefox, 1).some(([, name]) => name === 'toffset'));
	});

	it('have the dependency descriptor with AV1 alone', () => {
		const sdp = addLine(chromium, 1, `a=extmap:12 ${dependencyDescriptor}`);
		const av1 = mediaAt(sdp, 1).codecs.findIndex(({ name }) => name === 'AV1');
		const has = (codec: number) =>
			produce(sdp, 1, { codec }).headerExtensions?.some(({ uri }) => uri === dependencyDescriptor);
		assert.equal(has(av1), true);
		assert.equal(has(0), false);
	});

	it('leave out what the client only receives', () => {
		for (const direction of ['recvonly', 'inactive']) {
			const sdp = chromium.replaceAll('a=extmap:4 ', `a=extmap:4/${direction} `);
			assert.ok(!extensions(sdp, 1).some(([, name]) => name === 'mid'));
		}
		const sdp = chromium.replaceAll('a=extmap:4 ', 'a=extmap:4/sendonly ');
		assert.ok(extensions(sdp, 1).some(([id, name]) => id === 4 && name === 'mid'));
	});

	it('have an id once, when the offer has it twice', () => {
		const sdp = chromium.replaceAll('a=extmap:2 ', 'a=extmap:4 ');
		assert.deepEqual(
			extensions(sdp, 1).filter(([id]) => id === 4),
			[[4, 'mid']],
		);
	});

	it('have one id on all m-lines of a transport', () => {
		const mid = 'urn:ietf:params:rtp-hdrext:sdes:mid';
		assert.ok(extensions(chromium, 1, { taken: new Map([[mid, 4]]) }).some(([, name]) => name === 'mid'));
		assert.ok(!extensions(chromium, 1, { taken: new Map([[mid, 5]]) }).some(([, name]) => name === 'mid'));
	});

	it('leave out an id that another m-line has for something else', () => {
		assert.ok(!extensions(chromium, 1, { taken: new Map([['urn:other', 4]]) }).some(([id]) => id === 4));
	});
});

describe('The capabilities of a consumer', () => {
	const capabilities = (sdp: string, index: number, rtx?: number) => {
		const media = mediaAt(sdp, index) as Offered;
		return consumerCapabilities(media, media.codecs[0]!, rtx);
	};

	it('are one codec, and RTX when it is wanted', () => {
		const offer = loadOffer('chromium-recvonly-video-audio');
		const numbers = (rtx?: number) =>
			capabilities(offer, 0, rtx).codecs?.map((codec) => [
				codec.mimeType,
				codec.preferredPayloadType,
				codec.parameters,
			]);
		assert.deepEqual(numbers(), [['video/VP8', 96, {}]]);
		assert.deepEqual(numbers(97), [
			['video/VP8', 96, {}],
			['video/rtx', 97, { apt: 96 }],
		]);
	});

	it('are what mediasoup takes, for every codec of every client', () => {
		for (const name of offerNames) {
			for (const media of parse(loadOffer(name)).media.filter(({ kind }) => kind)) {
				for (const codec of media.codecs) {
					const taken = consumerCapabilities(media as Offered, codec, codec.rtxPayloadType);
					assert.doesNotThrow(() => {
						ortc.validateAndNormalizeRtpCapabilities(taken);
					}, `${name} ${codec.name}`);
				}
			}
		}
	});

	it('have the feedback of the client, but no estimate of its own', () => {
		const [codec] = capabilities(firefox, 1).codecs ?? [];
		assert.deepEqual(codec?.rtcpFeedback?.map(formatFeedback), ['nack', 'nack pli', 'ccm fir', 'transport-cc']);
	});

	it('have the header extensions that the client receives', () => {
		const sdp = replaceLine(
			firefox,
			'a=extmap:4',
			'a=extmap:4/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
		);
		assert.deepEqual(
			capabilities(sdp, 1).headerExtensions?.map(({ preferredId }) => preferredId),
			[3, 5, 6, 7],
		);
	});
});

describe('What SDP writes', () => {
	it('of feedback: the type, and the parameter if there is one', () => {
		assert.equal(formatFeedback({ type: 'nack', parameter: 'pli' }), 'nack pli');
		assert.equal(formatFeedback({ type: 'nack', parameter: '' }), 'nack');
		assert.equal(formatFeedback({ type: 'nack' }), 'nack');
	});

	it('of parameters: all of them, parted by semicolons', () => {
		assert.equal(formatParameters({ minptime: 10, useinbandfec: 1 }), 'minptime=10;useinbandfec=1');
		assert.equal(formatParameters({}), '');
		assert.equal(formatParameters(), '');
	});
});
