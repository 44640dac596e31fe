import type { Router } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setPayloadTypes } from '../../../src/media/remap/payloadTypes.js';

/** A router that keeps the codecs that it is given. */
function aRouter() {
	const given: string[][] = [];
	const updateMediaCodecs = (codecs: { mimeType: string; preferredPayloadType?: number }[]) => {
		const own = codecs.filter(({ mimeType }) => mimeType !== 'audio/telephone-event');
		given.push(own.map(({ mimeType, preferredPayloadType }) => `${mimeType} ${preferredPayloadType}`));
		const numbers = codecs.map(({ preferredPayloadType }) => preferredPayloadType);
		assert.equal(new Set(numbers).size, numbers.length, 'each payload type is given once');
	};
	return { given, router: { updateMediaCodecs } as unknown as Router };
}

const audio = (router: Router, payloadType: number) => {
	const codecs = [{ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType }];
	setPayloadTypes(router, { kind: 'audio', rtpParameters: { codecs } }, { payloadType, rtxPayloadType: undefined });
};
const video = (router: Router, payloadType: number, rtxPayloadType: number) => {
	const codecs = [{ mimeType: 'video/VP8', clockRate: 90_000, payloadType }];
	setPayloadTypes(router, { kind: 'video', rtpParameters: { codecs } }, { payloadType, rtxPayloadType });
};

describe('The codecs of a router', () => {
	it('are set once for all clients that have the same ones', () => {
		const { given, router } = aRouter();
		for (let client = 0; client < 3; client++) {
			audio(router, 111);
			video(router, 96, 97);
		}
		assert.deepEqual(given, [['audio/opus 111'], ['audio/opus 111', 'video/VP8 96']]);
	});

	it('are set again for others', () => {
		const { given, router } = aRouter();
		audio(router, 111);
		video(router, 96, 97);
		video(router, 120, 124);
		audio(router, 109);
		video(router, 120, 124);
		assert.deepEqual(given.slice(2), [
			['audio/opus 111', 'video/VP8 120'],
			['audio/opus 109'],
			['audio/opus 109', 'video/VP8 120'],
		]);
	});

	it('have no audio beside video that wants its payload type', () => {
		const { given, router } = aRouter();
		audio(router, 111);
		video(router, 111, 112);
		audio(router, 111);
		video(router, 110, 111);
		assert.deepEqual(given, [['audio/opus 111'], ['video/VP8 111'], ['audio/opus 111'], ['video/VP8 110']]);
	});
});
