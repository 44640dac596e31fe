import assert from 'node:assert/strict';
import * as ortc from 'mediasoup/ortc';
import { describe, it } from 'node:test';
import { CodecPolicy, checkCodecNames, findCodec } from '../../src/media/codecs.js';
import { isReachable, routerCodecs } from '../../src/media/remap/payloadTypes.js';
import { defaultCodecs } from '../../src/options.js';
import { SfuError } from '../../src/SfuError.js';
import type { OfferedCodec } from '../../src/sdp/Offer.js';
import { loadOffer, offerNames } from '../support/offers.js';
import { mediaAt, parse } from '../sdp/setup.js';

const offered = (mimeType: string, parameters: OfferedCodec['parameters'] = {}, rest: Partial<OfferedCodec> = {}) => ({
	name: mimeType.split('/')[1]!,
	mimeType,
	payloadType: 96,
	clockRate: mimeType.startsWith('audio') ? 48000 : 90000,
	channels: mimeType === 'audio/opus' ? 2 : 1,
	parameters,
	rtcpFeedback: [],
	rtxPayloadType: undefined,
	...rest,
});

const allPayloadTypes = Array.from({ length: 128 }, (_, payloadType) => payloadType);
const video = { kind: 'video' as const, mimeType: 'video/VP8', clockRate: 90000, parameters: {} };

/** The payload types of a codec and its RTX that mediasoup makes of these router codecs. */
function numbers(codecs: ReturnType<typeof routerCodecs>, mimeType: string) {
	const capabilities = ortc.generateRouterRtpCapabilities(codecs).codecs ?? [];
	const { preferredPayloadType } = capabilities.find((codec) => codec.mimeType === mimeType) ?? {};
	const rtx = capabilities.find((codec) => codec.parameters?.apt === preferredPayloadType);
	return { payloadType: preferredPayloadType, rtxPayloadType: rtx?.preferredPayloadType };
}

describe('A room takes by default', () => {
	const policy = new CodecPolicy(defaultCodecs);
	const accepts = (...args: Parameters<typeof offered>) =>
		policy.accepts(offered(...args), args[0].startsWith('audio') ? 'audio' : 'video');

	it('Opus, in stereo', () => {
		assert.ok(accepts('audio/opus'));
		assert.ok(accepts('audio/OPUS', { minptime: 10, useinbandfec: 1 }, { channels: 2 }));
		assert.ok(!accepts('audio/opus', {}, { channels: 1 }));
		assert.ok(!accepts('audio/PCMU', {}, { clockRate: 8000 }));
	});

	it('VP8, VP9 with profile 0 and AV1', () => {
		assert.ok(accepts('video/VP8', { 'max-fs': 12288 }));
		assert.ok(accepts('video/VP9'));
		assert.ok(accepts('video/VP9', { 'profile-id': 0 }));
		assert.ok(!accepts('video/VP9', { 'profile-id': 2 }));
		assert.ok(accepts('video/AV1', { profile: 0, 'level-idx': 5, tier: 0 }));
		assert.ok(!accepts('video/H265'));
	});

	it('H264 as Constrained Baseline with packetization mode 1', () => {
		const h264 = (profile: string | undefined, mode: number | undefined) =>
			accepts('video/H264', {
				...(profile !== undefined && { 'profile-level-id': profile }),
				...(mode !== undefined && { 'packetization-mode': mode }),
			});
		assert.ok(h264('42e01f', 1));
		assert.ok(h264('42e00a', 1));
		assert.ok(h264(undefined, 1));
		assert.ok(!h264('42e01f', 0));
		assert.ok(!h264('42e01f', undefined));
		assert.ok(!h264('640032', 1));
	});

	it('nothing with parameters that make no sense', () => {
		assert.ok(!accepts('video/H264', { 'profile-level-id': 'nonsense', 'packetization-mode': 1 }));
		assert.ok(!accepts('video/H264', { 'profile-level-id': 42, 'packetization-mode': 1 }));
	});

	it('something of every m-line of every client', () => {
		for (const name of offerNames) {
			for (const { kind, codecs } of parse(loadOffer(name)).media) {
				if (kind)
					assert.ok(
						codecs.some((codec) => policy.accepts(codec, kind)),
						name,
					);
			}
		}
	});
});

describe('The codecs of a room', () => {
	it('must be known to mediasoup', () => {
		assert.throws(
			() => new CodecPolicy([{ kind: 'video', mimeType: 'video/H263', clockRate: 90000 }]),
			(error: unknown) =>
				error instanceof SfuError && error.code === 'invalid_argument' && error.cause instanceof Error,
		);
	});

	it('leave out what is not among them', () => {
		const policy = new CodecPolicy([{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }]);
		assert.ok(policy.accepts(offered('video/VP9'), 'video'));
		assert.ok(!policy.accepts(offered('video/VP8'), 'video'));
	});
});

describe('The codec that an offer shares with capabilities', () => {
	const capabilities = ortc.generateRouterRtpCapabilities([{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }]);

	it('is the first one in the order of the offer', () => {
		const { codecs } = mediaAt(loadOffer('chromium-recvonly-video-audio'), 0);
		assert.equal(findCodec(codecs, 'video', capabilities)?.payloadType, 98);
		assert.equal(findCodec(codecs.toReversed(), 'video', capabilities)?.payloadType, 98);
	});

	it('may not be there', () => {
		assert.equal(findCodec([offered('video/VP8')], 'video', capabilities), undefined);
		assert.equal(findCodec([], 'video', capabilities), undefined);
	});
});

describe('The codecs for a router', () => {
	const reachable = allPayloadTypes.filter(isReachable);

	it('reach the RTX payload types 96 to 127, those that mediasoup gives out', () => {
		assert.deepEqual(
			reachable,
			allPayloadTypes.filter((payloadType) => payloadType >= 96),
		);
	});

	it('give each reachable RTX payload type to every payload type of a codec', () => {
		for (const payloadType of allPayloadTypes) {
			for (const rtxPayloadType of reachable) {
				if (payloadType === rtxPayloadType) continue;
				const wanted = { payloadType, rtxPayloadType };
				assert.deepEqual(numbers(routerCodecs(video, wanted), 'video/VP8'), wanted);
			}
		}
	});

	it('give the codec its payload type when RTX does not matter', () => {
		for (const payloadType of allPayloadTypes) {
			const given = numbers(routerCodecs(video, { payloadType, rtxPayloadType: undefined }), 'video/VP8');
			assert.equal(given.payloadType, payloadType);
			assert.notEqual(given.rtxPayloadType, payloadType);
		}
	});

	it('keep channels and parameters', () => {
		const opus = {
			kind: 'audio' as const,
			mimeType: 'audio/opus',
			clockRate: 48000,
			channels: 2,
			parameters: { a: 1 },
		};
		assert.deepEqual(routerCodecs(opus, { payloadType: 111, rtxPayloadType: undefined }), [
			{ ...opus, preferredPayloadType: 111 },
		]);
		assert.ok(!('channels' in routerCodecs(video, { payloadType: 96, rtxPayloadType: undefined })[0]!));
	});

	it('reach the numbers of all that a room takes of any client, but for the RTX that mediasoup cannot give', () => {
		const policy = new CodecPolicy(defaultCodecs);
		for (const name of offerNames) {
			for (const { kind, codecs } of parse(loadOffer(name)).media.filter((media) => media.kind === 'video')) {
				for (const codec of codecs.filter((codec) => policy.accepts(codec, 'video'))) {
					const given = numbers(routerCodecs({ kind: kind!, ...codec }, codec), codec.mimeType);
					assert.equal(given.payloadType, codec.payloadType, `${name} ${codec.name}`);
					if (codec.rtxPayloadType !== undefined && isReachable(codec.rtxPayloadType)) {
						assert.equal(given.rtxPayloadType, codec.rtxPayloadType, `${name} ${codec.name}`);
					}
				}
			}
		}
	});
});

describe('A preference of codecs', () => {
	const policy = new CodecPolicy(defaultCodecs);
	const offer = ['video/H264', 'video/VP8', 'video/VP9', 'video/AV1'].map((mimeType, index) =>
		offered(mimeType, mimeType === 'video/H264' ? { 'profile-level-id': '42e01f', 'packetization-mode': 1 } : {}, {
			payloadType: 96 + index,
		}),
	);
	const chosen = (names: string[][], codecs = offer) =>
		names.reduce((narrowed, list) => narrowed.narrow(list), policy).select(codecs, 'video')[0]?.name;

	it('decides in place of the order of the offer, which is the default', () => {
		assert.equal(chosen([]), 'H264');
		assert.equal(chosen([['VP9', 'VP8']]), 'VP9');
		assert.equal(chosen([['vp8', 'H264']]), 'VP8');
		assert.equal(chosen([['AV1', 'VP9', 'VP8']], offer.slice(0, 2)), 'VP8');
	});

	it('takes nothing that it does not name', () => {
		assert.equal(chosen([['VP9']], offer.slice(0, 2)), undefined);
		assert.ok(!policy.narrow(['VP9']).accepts(offer[1]!, 'video'));
	});

	it('takes the first that is offered of several with one name', () => {
		const [h264, vp8] = offer;
		const twice = [vp8!, { ...h264!, payloadType: 102 }, { ...h264!, payloadType: 103 }];
		assert.equal(policy.narrow(['H264']).select(twice, 'video')[0]?.payloadType, 102);
	});

	it('leaves a kind alone of which it names nothing', () => {
		const audio = policy.narrow(['opus']);
		assert.equal(audio.select(offer, 'video')[0]?.name, 'H264');
		assert.ok(policy.narrow(['VP8']).accepts(offered('audio/opus'), 'audio'));
	});

	it('orders anew what is left of another one, and brings nothing back', () => {
		assert.equal(
			chosen([
				['VP8', 'VP9'],
				['VP9', 'H264', 'VP8'],
			]),
			'VP9',
		);
		assert.throws(() => chosen([['VP8', 'VP9'], ['H264']]), {
			code: 'unsupported',
			message: 'none of H264 is an allowed video codec; those are VP8, VP9',
		});
		assert.throws(() => policy.narrow(['PCMU', 'VP8']), { code: 'unsupported', message: /opus$/ });
	});

	it('has names of codecs alone', () => {
		for (const name of ['VP10', 'rtx', 'telephone-event', 'video/VP8', '', '__proto__']) {
			assert.throws(() => policy.narrow([name]), { name: 'SfuError', code: 'invalid_argument' }, name);
			assert.throws(
				() => {
					checkCodecNames(['VP8', name]);
				},
				{ code: 'invalid_argument' },
				name,
			);
		}
		checkCodecNames(['pcmu', 'OPUS', 'h264']);
	});
});
