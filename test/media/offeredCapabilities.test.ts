import * as ortc from 'mediasoup/ortc';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { offeredCapabilities } from '../../src/media/offeredCapabilities.js';

const vp8 = { mimeType: 'video/VP8', payloadType: 120, clockRate: 90000, parameters: { 'max-fs': 12288 } } as const;

describe('Capabilities for what is offered', () => {
	it('have one codec, its RTX, and all feedback and header extensions of the worker', () => {
		const capabilities = offeredCapabilities('video', vp8, { payloadType: 96, rtxPayloadType: 97 });
		ortc.validateAndNormalizeRtpCapabilities(structuredClone(capabilities));
		assert.deepEqual(
			capabilities.codecs?.map(({ mimeType, preferredPayloadType, parameters }) => [
				mimeType,
				preferredPayloadType,
				parameters,
			]),
			[
				['video/VP8', 96, { 'max-fs': 12288 }],
				['video/rtx', 97, { apt: 96 }],
			],
		);
		const [codec] = capabilities.codecs ?? [];
		const feedback = (codec?.rtcpFeedback ?? []).map(({ type, parameter }) => `${type} ${parameter ?? ''}`.trim());
		for (const wanted of ['nack', 'nack pli', 'ccm fir', 'transport-cc']) assert.ok(feedback.includes(wanted), wanted);
		const uris = capabilities.headerExtensions?.map(({ uri }) => uri) ?? [];
		for (const wanted of ['sdes:mid', 'transport-wide-cc', 'abs-send-time']) {
			assert.ok(
				uris.some((uri) => uri.includes(wanted)),
				wanted,
			);
		}
		assert.ok(capabilities.headerExtensions?.every(({ kind }) => kind === 'video'));
	});

	it('have no RTX without a payload type for it', () => {
		const capabilities = offeredCapabilities('video', vp8, { payloadType: 96, rtxPayloadType: undefined });
		assert.deepEqual(
			capabilities.codecs?.map(({ mimeType }) => mimeType),
			['video/VP8'],
		);
	});

	it('have the channels of audio alone', () => {
		const opus = { mimeType: 'audio/OPUS', payloadType: 111, clockRate: 48000 } as const;
		const none = { rtxPayloadType: undefined };
		const channels = (codec: typeof opus & { channels?: number }) =>
			offeredCapabilities('audio', codec, { payloadType: 111, ...none }).codecs?.[0]?.channels;
		assert.deepEqual([channels(opus), channels({ ...opus, channels: 2 })], [1, 2]);
		const [codec] = offeredCapabilities('audio', opus, { payloadType: 111, ...none }).codecs ?? [];
		assert.ok(codec?.rtcpFeedback?.length, 'whatever the case of its name');
		const [video] = offeredCapabilities('video', vp8, { payloadType: 96, ...none }).codecs ?? [];
		assert.ok(video && !('channels' in video));
	});
});
