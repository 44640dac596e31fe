import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { addLine, anOffer, dependencyDescriptor, editMedia, replaceLine, withoutLine } from '../support/offers.js';
import { rejects, startCall, startRoom } from '../rooms/setup.js';
import { mediaPushers, producerOf } from '../support/parted.js';

/** Alice pushes simulcast, and can push again from the same RTCPeerConnection. */
async function startSimulcast(t: TestContext, name = 'chromium-sendonly-video-simulcast') {
	const { join, sfu } = await startRoom(t);
	const alice = await join('alice');
	const offer = anOffer(name);
	const first = await alice.push(offer);
	const told: string[] = [];
	alice.on('pusherClosed', ({ pusher, reason }) => told.push(`${pusher.kind} ${reason}`));
	const ofVideo = (result: typeof first) => mediaPushers(result).find(({ kind }) => kind === 'video')!;
	return { sfu, alice, offer, first, told, ofVideo, video: ofVideo(first) };
}

const simulcast = (sdp: string, value: string) => replaceLine(sdp, 'a=simulcast:', `a=simulcast:${value}`);
const unicast = (sdp: string) => withoutLine(withoutLine(sdp, 'a=rid'), 'a=simulcast');

describe('A simulcast pusher', () => {
	for (const name of [
		'chromium-sendonly-video-simulcast',
		'firefox-sendonly-video-simulcast',
		'werift-send-simulcast',
	]) {
		it(`of ${name} is received with all its rids`, async (t) => {
			const { video, first } = await startSimulcast(t, name);
			assert.deepEqual(
				video.media.encodings.map(({ rid, ssrc, scalabilityMode }) => [rid, ssrc, scalabilityMode]),
				['h', 'm', 'l'].map((rid) => [rid, undefined, 'L1T3']),
			);
			assert.equal(video.media.ssrc, undefined);
			assert.equal(producerOf(video).type, 'simulcast');
			assert.match(first.answer, /^a=simulcast:recv h;m;l\r$/m);
		});
	}

	it('of old clients is received by its SSRCs', async (t) => {
		const { video } = await startSimulcast(t, 'libwebrtc-sendonly-audio-simulcast');
		const { encodings, ssrc, rtxSsrc } = video.media;
		assert.equal(encodings.length, 3);
		assert.deepEqual([encodings[0]!.ssrc, encodings[0]!.rtxSsrc], [ssrc, rtxSsrc]);
		assert.equal(new Set(encodings.flatMap((encoding) => [encoding.ssrc, encoding.rtxSsrc])).size, 6);
		assert.equal(producerOf(video).type, 'simulcast');
	});

	it('takes a codec that can be simulcast, before others that the client prefers', async (t) => {
		const { join } = await startRoom(t);
		const alice = await join('alice');
		const preferred = (sdp: string) => sdp.replace(/^(m=video 9 \S+) 96 97 /m, '$1 98 99 96 97 ');
		const [simulcast] = mediaPushers(await alice.push(preferred(anOffer('chromium-sendonly-video-simulcast'))));
		const [single] = mediaPushers(await alice.push(preferred(anOffer('chromium-sendonly-video'))));
		assert.deepEqual([simulcast?.media.codec, single?.media.codec], ['VP8', 'VP9']);
	});

	it('has one stream when there is no such codec', async (t) => {
		const { join } = await startRoom(t, { codecs: [{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }] });
		const alice = await join('alice');
		const { answer, ...tracks } = await alice.push(anOffer('chromium-sendonly-video-simulcast'));
		const pushers = mediaPushers(tracks);
		assert.deepEqual(pushers[0]?.media.encodings, [{ rid: 'h' }]);
		assert.match(answer, /^a=simulcast:recv h\r$/m);
	});
});

describe('A later offer of simulcast', () => {
	it('with the same rids, fewer of them, or with paused ones goes on', async (t) => {
		const { alice, offer, video, told } = await startSimulcast(t);
		for (const [sent, received] of [
			['h;m;l', 'h;m;l'],
			['h;~m;~l', 'h;~m;~l'],
			['m;l', 'm;l'],
			['l;m;h', 'h;m;l'],
		] as const) {
			const { answer, ...tracks } = await alice.push(simulcast(offer, `send ${sent}`));
			const pushers = mediaPushers(tracks);
			assert.deepEqual(pushers, [video], sent);
			assert.match(answer, new RegExp(`^a=simulcast:recv ${received}\r$`, 'm'));
			assert.equal(video.paused, false);
		}
		assert.deepEqual(told, []);
	});

	it('with another rid is a new pusher, and so is one without rids', async (t) => {
		const { alice, offer, video, told } = await startSimulcast(t);
		const other = simulcast(replaceLine(offer, 'a=rid:m', 'a=rid:x send'), 'send h;x;l');
		const second = mediaPushers(await alice.push(other));
		assert.equal(second.length, 1);
		assert.notEqual(second[0], video);
		assert.deepEqual(
			second[0]?.media.encodings.map(({ rid }) => rid),
			['h', 'x', 'l'],
		);
		const third = mediaPushers(await alice.push(unicast(other)));
		assert.deepEqual(third[0]?.media.encodings, [{}]);
		assert.deepEqual(told, ['video removed', 'video removed']);
		const fourth = mediaPushers(await alice.push(offer));
		assert.equal(fourth[0]?.media.encodings.length, 3);
		assert.equal(alice.pushers.size, 1);
	});

	it('that is inactive has its rids answered, and pauses the pusher', async (t) => {
		const { alice, offer, video } = await startSimulcast(t);
		const { answer, ...tracks } = await alice.push(replaceLine(offer, 'a=sendonly', 'a=inactive'));
		const pushers = mediaPushers(tracks);
		assert.deepEqual(pushers, [video]);
		assert.equal(video.paused, true);
		assert.match(answer, /^a=simulcast:recv h;m;l\r$/m);
		assert.match(answer, /sdes:rtp-stream-id\r$/m);
	});

	it('by SSRCs goes on with the same ones, and with fewer', async (t) => {
		const { alice, offer, video, told, ofVideo } = await startSimulcast(t, 'libwebrtc-sendonly-audio-simulcast');
		assert.equal(ofVideo(await alice.push(offer)), video);
		assert.equal(ofVideo(await alice.push(withoutLine(offer, 'a=ssrc-group:SIM'))), video);
		const [, second] = video.media.encodings;
		const changed = offer.replaceAll(String(second!.ssrc), '123456');
		assert.notEqual(ofVideo(await alice.push(changed)), video);
		assert.deepEqual(told, ['video removed']);
	});

	it('of a stream that was unicast is a new pusher', async (t) => {
		const { join } = await startRoom(t);
		const alice = await join('alice');
		const offer = anOffer('chromium-sendonly-video-simulcast');
		const [single] = mediaPushers(await alice.push(unicast(offer)));
		const [layered] = mediaPushers(await alice.push(offer));
		assert.deepEqual([single?.closed, layered?.media.encodings.length], [true, 3]);
	});
});

describe('Simulcast SSRCs', () => {
	it('of one m-line cannot be those of another', async (t) => {
		const { sfu, alice, offer, video } = await startSimulcast(t, 'libwebrtc-sendonly-audio-simulcast');
		const taken = video.media.encodings[2]!.rtxSsrc!;
		const other = editMedia(offer, 0, (audio) => audio.replace(/^a=ssrc:\d+/gm, `a=ssrc:${taken}`));
		await rejects(sfu, () => alice.push(other), 'invalid_argument', /announced twice/);
	});
});

describe('The scalability mode of a pusher', () => {
	const only = (sdp: string, payloadTypes: string) => sdp.replace(/^(m=video 9 \S+) .*$/m, `$1 ${payloadTypes}`);
	const vp9 = () => only(anOffer('chromium-sendonly-video'), '98 99');
	const av1 = () => only(anOffer('chromium-sendonly-video'), '45 46');

	it('is what the client says', async (t) => {
		const { alice } = await startCall(t);
		for (const [offer, scalabilityMode, type] of [
			[vp9(), 'L3T3_KEY', 'svc'],
			[vp9(), 'L1T1', 'simple'],
			[addLine(av1(), 0, `a=extmap:13 ${dependencyDescriptor}`), 'L2T1', 'svc'],
			[av1(), 'L1T1', 'simple'],
			[anOffer('chromium-sendonly-video'), 'L1T3', 'svc'],
			[anOffer('chromium-sendonly-video-simulcast'), 'L1T2', 'simulcast'],
		] as const) {
			const tracks = await alice.push(offer, { media: { '0': { scalabilityMode } } });
			const pushers = mediaPushers(tracks);
			const { media } = pushers[0]!;
			const producer = producerOf(pushers[0]!);
			assert.ok(media.encodings.every((encoding) => encoding.scalabilityMode === scalabilityMode));
			assert.equal(producer.type, type, scalabilityMode);
		}
	});

	it('stays as it was when a later push says the same or nothing, and cannot change', async (t) => {
		const { sfu, alice } = await startCall(t);
		const offer = vp9();
		const push = (scalabilityMode?: string) =>
			alice.push(offer, { media: { '0': { source: 'camera', ...(scalabilityMode && { scalabilityMode }) } } });
		const [pusher] = mediaPushers(await push('L3T3_KEY'));
		assert.deepEqual(mediaPushers(await push('L3T3_KEY')), [pusher]);
		assert.deepEqual(mediaPushers(await push()), [pusher]);
		await rejects(sfu, () => push('L3T3'), 'conflict', /scalabilityMode cannot change/);
		assert.equal(pusher?.closed, false);
	});

	for (const scalabilityMode of ['', 'x', 'L0T1', 'L1T', 'l1t3', 'L1T3 ', 'L3T3_KEYS', 'L10T3', 3, null]) {
		it(`${JSON.stringify(scalabilityMode)} is refused`, async (t) => {
			const { sfu, alice } = await startCall(t);
			const options = { media: { '0': { scalabilityMode } } } as unknown as Parameters<typeof alice.push>[1];
			await rejects(
				sfu,
				() => alice.push(vp9(), options),
				'invalid_argument',
				/^options\.media\.0\.scalabilityMode must/,
			);
		});
	}

	it('has no layers of AV1 whose packets do not tell them', async (t) => {
		const { sfu, alice } = await startCall(t);
		for (const scalabilityMode of ['L3T3_KEY', 'L1T2']) {
			const push = () => alice.push(av1(), { media: { '0': { scalabilityMode } } });
			await rejects(sfu, push, 'invalid_argument', /, but AV1 has layers only with the header extension https:/);
		}
	});

	it('has no spatial layers of VP8, of simulcast, and none at all of audio', async (t) => {
		const { sfu, alice } = await startCall(t);
		for (const [name, mid, scalabilityMode] of [
			['chromium-sendonly-video', '0', 'L2T1'],
			['chromium-sendonly-video-simulcast', '0', 'L3T3_KEY'],
			['chromium-sendonly-audio', '0', 'L1T2'],
		] as const) {
			const push = () => alice.push(anOffer(name), { media: { [mid]: { scalabilityMode } } });
			await rejects(sfu, push, 'invalid_argument', new RegExp(`^media says ${scalabilityMode} of mid "0", which is `));
		}
	});
});
