import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idleOpus, PayloadTypeTable } from '../../../src/media/remap/PayloadTypeTable.js';

const vp8 = (payloadType: number) =>
	({ mimeType: 'video/VP8', payloadType, clockRate: 90000, parameters: {} }) as const;
const rtx = (payloadType: number) => ({ mimeType: 'video/rtx', payloadType, clockRate: 90000 }) as const;
const opus = (payloadType: number, parameters: Record<string, unknown> = {}) =>
	({ mimeType: 'audio/opus', payloadType, clockRate: 48000, channels: 2, parameters }) as const;

describe('The payload types of a session that we offer', () => {
	it('are those of the pusher while they are free', () => {
		const table = new PayloadTypeTable();
		assert.deepEqual(table.choose(vp8(120), rtx(124)), { payloadType: 120, rtxPayloadType: 124 });
		assert.deepEqual(table.choose(opus(0), undefined), { payloadType: 0, rtxPayloadType: undefined });
	});

	it('are the same for the same codec, whoever pushes it', () => {
		const table = new PayloadTypeTable();
		const first = table.choose(vp8(96), rtx(97));
		assert.deepEqual(table.choose({ ...vp8(120), mimeType: 'video/vp8' }, rtx(124)), first);
		const stereo = table.choose(opus(111, { useinbandfec: 1, minptime: 10 }), undefined);
		assert.deepEqual(table.choose(opus(109, { minptime: 10, useinbandfec: 1 }), undefined), stereo);
	});

	it('are others for other parameters, and for other codecs', () => {
		const table = new PayloadTypeTable();
		table.choose(opus(111), undefined);
		assert.notEqual(table.choose(opus(111, { stereo: 1 }), undefined).payloadType, 111);
		table.choose(vp8(96), rtx(97));
		const vp9 = table.choose({ ...vp8(96), mimeType: 'video/VP9' }, rtx(98));
		const other = table.choose({ ...vp8(99), mimeType: 'video/H264' }, rtx(97));
		const numbers = [vp9, other].flatMap(({ payloadType, rtxPayloadType }) => [payloadType, rtxPayloadType]);
		assert.equal(new Set([96, 97, 111, ...numbers]).size, 7);
	});

	it('are never the one that mediasoup probes with', () => {
		const table = new PayloadTypeTable();
		const { payloadType, rtxPayloadType } = table.choose(vp8(127), rtx(126));
		assert.ok(payloadType !== 127 && rtxPayloadType !== 127 && payloadType !== rtxPayloadType);
	});

	it('are never the one for idle m-lines', () => {
		assert.notEqual(new PayloadTypeTable().choose(opus(idleOpus), undefined).payloadType, idleOpus);
	});

	it('come without RTX where mediasoup cannot have it, and get it from a later pusher', () => {
		const table = new PayloadTypeTable();
		assert.deepEqual(table.choose(vp8(45), rtx(46)), { payloadType: 45, rtxPayloadType: undefined });
		assert.deepEqual(table.choose(vp8(45), undefined), { payloadType: 45, rtxPayloadType: undefined });
		assert.deepEqual(table.choose(vp8(96), rtx(97)), { payloadType: 45, rtxPayloadType: 97 });
		assert.deepEqual(table.choose(vp8(45), rtx(99)), { payloadType: 45, rtxPayloadType: 97 });
		table.choose({ ...vp8(102), mimeType: 'video/VP9' }, undefined);
		table.choose({ ...vp8(100), mimeType: 'video/AV1' }, undefined);
		const added = table.choose({ ...vp8(98), mimeType: 'video/AV1' }, rtx(102));
		assert.equal(added.payloadType, 100);
		assert.ok(added.rtxPayloadType !== undefined && ![45, 97, 100, 102].includes(added.rtxPayloadType));
	});

	it('run out, and what is known goes on', () => {
		const table = new PayloadTypeTable();
		const codec = (variant: number) => ({ ...opus(96), mimeType: `audio/codec${variant}` }) as const;
		const first = table.choose(codec(0), undefined);
		assert.throws(
			() => {
				for (let variant = 1; variant < 100; variant++) table.choose(codec(variant), undefined);
			},
			{ name: 'SfuError', code: 'limit_exceeded' },
		);
		assert.deepEqual(table.choose(codec(0), undefined), first);
		assert.deepEqual(table.choose(codec(0), rtx(100)), first, 'nor is there any for RTX');
	});

	it('do not run out by parameters that a decoder need not know', () => {
		const h264 = (parameters: Record<string, unknown>) => ({ ...vp8(96), mimeType: 'video/H264', parameters }) as const;
		const table = new PayloadTypeTable();
		for (let camera = 0; camera < 300; camera++) {
			const sets = { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'sprop-parameter-sets': `set${camera}` };
			table.choose(h264(sets), rtx(97));
			table.choose(opus(111, { variant: camera }), undefined);
		}
		const last = table.choose(h264({ 'packetization-mode': 1, 'profile-level-id': '42e033' }), rtx(97));
		assert.deepEqual(table.choose(h264({ 'packetization-mode': 1, 'profile-level-id': '42e01f' }), rtx(97)), last);
		const others = [vp8(120), { ...vp8(98), mimeType: 'video/VP9' } as const, opus(111, { stereo: 1 })];
		const chosen = [last, ...others.map((codec) => table.choose(codec, undefined))];
		assert.equal(new Set(chosen.map(({ payloadType }) => payloadType)).size, 4);
		const baseline = table.choose(h264({ 'packetization-mode': 0, 'profile-level-id': '42e01f' }), undefined);
		assert.notEqual(baseline.payloadType, last.payloadType);
	});
});
