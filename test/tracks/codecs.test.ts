import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JoinOptions, PushOptions, RoomOptions, User } from 'sfu-rooms';
import { anOffer, editMedia } from '../support/offers.js';
import { rejects, startRoom, startSfu } from '../rooms/setup.js';
import { mediaPushers } from '../support/parted.js';

/** What comes of the camera that a user pushes; its offer has VP8, VP9, H264 and AV1, in this order. */
async function pushed(user: User, codecs?: string[]) {
	const tracks = await user.push(anOffer('chromium-sendonly-audio-video'), codecs && { media: { '1': { codecs } } });
	const pushers = mediaPushers(tracks);
	return pushers.map(({ media }) => media.codec);
}

describe('The codec of a pusher', () => {
	it('is the first one of its offer, unless the room, the user or the push prefers another one', async (t) => {
		const { sfu } = await startSfu(t);
		const plain = await sfu.getOrCreateRoom('plain');
		assert.deepEqual(await pushed(await plain.join({ userId: '1' })), ['opus', 'VP8']);
		assert.deepEqual(await pushed(await plain.join({ userId: '2', codecs: ['H264', 'VP8'] })), ['opus', 'H264']);
		assert.deepEqual(await pushed(await plain.join({ userId: '3' }), ['AV1']), ['opus', 'AV1']);

		const room = await sfu.getOrCreateRoom('room', { codecs: ['vp9', 'H264'] });
		assert.deepEqual(await pushed(await room.join({ userId: '1' })), ['opus', 'VP9']);
		assert.deepEqual(await pushed(await room.join({ userId: '2', codecs: ['VP8', 'H264', 'VP9'] })), ['opus', 'H264']);
		assert.deepEqual(await pushed(await room.join({ userId: '3', codecs: ['H264'] }), ['VP9', 'H264']), [
			'opus',
			'H264',
		]);
	});

	it('stays when a later push prefers another one', async (t) => {
		const { join } = await startRoom(t);
		const alice = await join('alice');
		const offer = anOffer('chromium-sendonly-audio-video');
		const [, video] = mediaPushers(await alice.push(offer));
		const again = await alice.push(offer, { media: { '1': { codecs: ['H264'], source: 'camera' } } });
		assert.equal(again.pushers[1], video);
		assert.deepEqual([video!.media.codec, video!.source], ['VP8', 'camera']);
	});

	it('is the preferred one of a source that takes the place of another', async (t) => {
		const { join } = await startRoom(t);
		const alice = await join('alice');
		const offer = anOffer('chromium-sendonly-audio-video');
		const [, video] = mediaPushers(await alice.push(offer));
		const replaced = editMedia(offer, 1, (media) =>
			media.replaceAll(`a=ssrc:${video!.media.ssrc}`, 'a=ssrc:4242').replace(/^a=ssrc-group.*\r\n/m, ''),
		);
		const again = await alice.push(replaced, {
			media: { '1': { codecs: ['H264'] } },
		});
		assert.notEqual(again.pushers[1], video);
		assert.equal(mediaPushers(again)[1]!.media.codec, 'H264');
	});
});

describe('A room that is open, or being opened,', () => {
	it('keeps its own codecs, whatever others ask for', async (t) => {
		const { sfu } = await startSfu(t);
		const [first, second] = await Promise.all([
			sfu.getOrCreateRoom('room', { codecs: ['VP9'] }),
			sfu.getOrCreateRoom('room', { codecs: ['H264'] }),
		]);
		assert.equal(first, second);
		assert.equal(await sfu.getOrCreateRoom('room'), first);
		assert.deepEqual(await pushed(await first.join({ userId: 'alice' })), ['opus', 'VP9']);
		first.close();
		const next = await sfu.getOrCreateRoom('room');
		assert.deepEqual(await pushed(await next.join({ userId: 'alice' })), ['opus', 'VP8']);
	});
});

describe('Codecs are refused, and nothing changes,', () => {
	const wrong: [unknown, string | RegExp][] = [
		[null, 'options.codecs must be array'],
		['VP8', 'options.codecs must be array'],
		[[], 'options.codecs must NOT have fewer than 1 items'],
		[[8], 'options.codecs.0 must be string'],
		[['VP8', 'VP10'], /^no codec has the name "VP10"; there are opus, .*AV1$/],
	];

	it('when they are none', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const alice = await join('alice');
		for (const [codecs, message] of wrong) {
			await rejects(sfu, () => sfu.getOrCreateRoom('other', { codecs } as RoomOptions), 'invalid_argument', message);
			await rejects(sfu, () => sfu.getOrCreateRoom('room', { codecs } as RoomOptions), 'invalid_argument', message);
			await rejects(sfu, () => room.join({ userId: 'bob', codecs } as JoinOptions), 'invalid_argument', message);
			const media = { '1': { codecs } };
			const push = () => alice.push(anOffer('chromium-sendonly-audio-video'), { media } as PushOptions);
			const named = typeof message === 'string' ? message.replace('options', 'options.media.1') : message;
			await rejects(sfu, push, 'invalid_argument', named);
		}
		await rejects(sfu, () => sfu.getOrCreateRoom('other', { codec: [] } as object), 'invalid_argument');
		await rejects(sfu, () => sfu.getOrCreateRoom('other', null as never), 'invalid_argument');
		assert.deepEqual([sfu.rooms.size, room.users.size, alice.connections.length], [1, 1, 0]);
	});

	it('when they leave nothing', async (t) => {
		const { sfu } = await startSfu(t);
		await rejects(sfu, () => sfu.getOrCreateRoom('room', { codecs: ['PCMU'] }), 'unsupported', /PCMU .* opus$/);
		const room = await sfu.getOrCreateRoom('room', { codecs: ['VP8', 'VP9'] });
		await rejects(sfu, () => room.join({ userId: 'alice', codecs: ['H264'] }), 'unsupported', /those are VP8, VP9$/);
		const alice = await room.join({ userId: 'alice', codecs: ['VP9'] });
		await rejects(sfu, () => pushed(alice, ['VP8']), 'unsupported', /VP8 .* those are VP9$/);
		await rejects(sfu, () => pushed(alice, ['opus']), 'unsupported', /none of opus is an allowed video codec/);
		const withoutVp9 = anOffer('gstreamer-send-bundled');
		await rejects(
			sfu,
			() => alice.push(withoutVp9, { media: { video1: { codecs: ['VP9'] } } }),
			'unsupported',
			/VP9 can be taken: m-line 1 offers/,
		);
		assert.deepEqual([room.users.size, alice.connections.length], [1, 0]);
	});
});
