import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PusherDetails, PushOptions } from 'sfu-rooms';
import { anOffer, editMedia } from '../support/offers.js';
import { rejects, startCall, startRoom } from '../rooms/setup.js';
import { mediaPushers } from '../support/parted.js';

const said = ({ source, metadata }: { source: string | undefined; metadata: unknown }) => [source, metadata];

describe('What a user says of its pushers', () => {
	it('is there from the first on, in what the others are told', async (t) => {
		const { room, join } = await startRoom(t);
		const alice = await join('alice');
		const told: unknown[] = [];
		room.on('pusherAdded', ({ pusher }) => told.push(said(pusher)));
		room.on('pusherChanged', () => told.push('changed'));
		const tracks = await alice.push(anOffer('chromium-sendonly-audio-video'), {
			media: { '0': { source: 'microphone' }, '1': { source: 'camera', metadata: { label: 'Front' } } },
		});
		const pushers = mediaPushers(tracks);
		const expected = [
			['microphone', undefined],
			['camera', { label: 'Front' }],
		];
		assert.deepEqual(pushers.map(said), expected);
		assert.deepEqual(told, expected);
	});

	it('is nothing when nothing is said', async (t) => {
		const { alice, pushed } = await startCall(t);
		assert.deepEqual(pushed.pushers.map(said), [
			[undefined, undefined],
			[undefined, undefined],
		]);
		const tracks = await alice.push(anOffer('chromium-sendonly-audio'), {
			media: { '0': { source: null, metadata: null } },
		});
		const pushers = mediaPushers(tracks);
		assert.deepEqual(pushers.map(said), [[undefined, undefined]]);
	});

	it('is changed by a call: what is given, and nothing else; of each change all are told once', async (t) => {
		const { room, alice, pushed } = await startCall(t);
		const [pusher] = pushed.pushers;
		const told: unknown[] = [];
		pusher!.on('changed', () => told.push(['pusher', ...said(pusher!)]));
		alice.on('pusherChanged', (event) => told.push(['user', ...said(event.pusher)]));
		room.on('pusherChanged', (event) => told.push([event.user.userId, ...said(event.pusher)]));
		const changes: [PusherDetails, unknown[]][] = [
			[{ source: 'microphone' }, ['microphone', undefined]],
			[{ metadata: { muted: true } }, ['microphone', { muted: true }]],
			[{ metadata: [1] }, ['microphone', [1]]],
			[{ source: null }, [undefined, [1]]],
			[{ source: 'instrument', metadata: null }, ['instrument', undefined]],
		];
		for (const [details, expected] of changes) {
			pusher!.update(details);
			const owners = ['alice', 'user', 'pusher'];
			assert.deepEqual(
				told.splice(0),
				owners.map((owner) => [owner, ...expected]),
			);
			pusher!.update(details);
			pusher!.update({});
			assert.deepEqual(told, []);
		}
	});

	it('is changed by a later offer of the same connection, of what it still carries', async (t) => {
		const { room, join } = await startRoom(t);
		const alice = await join('alice');
		const offer = anOffer('chromium-sendonly-audio-video');
		const tracks = await alice.push(offer, {
			media: { '0': { source: 'microphone', metadata: 1 }, '1': { source: 'camera' } },
		});
		const pushers = mediaPushers(tracks);
		const told: unknown[] = [];
		room.on('pusherChanged', ({ pusher }) =>
			told.push([pusher.kind === 'data' ? 'data' : pusher.mid, ...said(pusher)]),
		);
		const paused = editMedia(offer, 0, (media) => media.replace('a=sendonly', 'a=inactive'));
		const again = await alice.push(paused, { media: { '0': { metadata: 2 }, '1': { source: 'camera' } } });
		assert.deepEqual(again.pushers, pushers);
		assert.deepEqual(told, [['0', 'microphone', 2]]);
	});

	it('is what the app gave at the time, whatever becomes of its object', async (t) => {
		const { pushed } = await startCall(t);
		const [pusher] = pushed.pushers;
		const metadata = { list: ['a'], date: new Date(0), ['__proto__']: { polluted: true } };
		pusher!.update({ metadata });
		metadata.list.push('b');
		const kept = pusher!.metadata as { list: string[] };
		assert.throws(() => kept.list.push('c'), TypeError);
		assert.throws(() => Object.assign(kept, { more: 1 }), TypeError);
		assert.equal(JSON.stringify(kept), JSON.stringify({ ...metadata, list: ['a'] }));
	});

	it('may be as long as the limits, and no longer', async (t) => {
		const { pushed } = await startCall(t, { limits: { idLength: 5, metadataBytes: 10 } });
		const [pusher] = pushed.pushers;
		pusher!.update({ source: '😀😀😀😀😀', metadata: 'éééé' });
		const kept = said(pusher!);
		assert.throws(
			() => {
				pusher!.update({ source: 'other', metadata: 'ééééé' });
			},
			{ code: 'too_large', message: 'the metadata has 12 bytes as JSON, more than the 10 that are allowed' },
		);
		assert.throws(
			() => {
				pusher!.update({ source: 'others', metadata: 1 });
			},
			{ code: 'invalid_argument', message: 'the source must NOT have more than 5 characters' },
		);
		assert.deepEqual(said(pusher!), kept);
	});

	const cycle: { self?: object } = {};
	cycle.self = cycle;
	const wrong: [unknown, string][] = [
		[null, 'details must be object'],
		[{ source: 1 }, 'details.source must be string,null'],
		[{ source: '' }, 'details.source must NOT have fewer than 1 characters'],
		[{ name: 'x' }, 'details.name is not known'],
		[{ metadata: () => 1 }, 'the metadata must be a JSON value'],
		[{ metadata: Symbol('x') }, 'the metadata must be a JSON value'],
		[{ metadata: 1n }, 'the metadata must be a JSON value'],
		[{ metadata: cycle }, 'the metadata must be a JSON value'],
	];
	it('is refused when it is wrong, and stays as it was', async (t) => {
		const { pushed } = await startCall(t);
		const [pusher] = pushed.pushers;
		pusher!.update({ source: 'camera', metadata: 1 });
		pusher!.on('changed', () => assert.fail('nothing has changed'));
		for (const [details, message] of wrong) {
			assert.throws(
				() => {
					pusher!.update(details as object);
				},
				{ name: 'SfuError', code: 'invalid_argument', message },
			);
		}
		assert.deepEqual(said(pusher!), ['camera', 1]);
		pusher!.close();
		pusher!.update({ source: 'screen' });
		assert.deepEqual(said(pusher!), ['camera', 1], 'nothing changes after it has closed');
		assert.deepEqual(said(pusher!), ['camera', 1]);
	});
});

describe('A push is rejected, and leaves nothing,', () => {
	it('when its options are wrong', async (t) => {
		const { sfu, alice } = await startCall(t, { limits: { metadataBytes: 10 } });
		const push = (options: unknown, offer = 'chromium-sendonly-audio-video') =>
			alice.push(anOffer(offer), options as PushOptions);
		const wrong: [unknown, string][] = [
			[null, 'options must be object'],
			[{ metadata: 1 }, 'options.metadata is not known'],
			[{ media: [] }, 'options.media must be object'],
			[{ media: { '0': null } }, 'options.media.0 must be object'],
			[{ media: { '0': { source: 1 } } }, 'options.media.0.source must be string,null'],
			[{ media: { '0': { name: 'x' } } }, 'options.media.0.name is not known'],
			[{ media: { '0': { source: 'x'.repeat(257) } } }, 'the source of mid "0" must NOT have more than 256 characters'],
			[{ media: { '2': {} } }, 'media names mid "2", on which the offer sends nothing'],
			[{ media: { ['__proto__']: {} } }, 'media names mid "__proto__", on which the offer sends nothing'],
		];
		for (const [options, message] of wrong) await rejects(sfu, () => push(options), 'invalid_argument', message);
		await rejects(
			sfu,
			() => push({ media: { '1': { metadata: '123456789' } } }),
			'too_large',
			'the metadata of mid "1" has 11 bytes as JSON, more than the 10 that are allowed',
		);
		await rejects(
			sfu,
			() => push({ media: { '2': {} } }, 'chromium-sendonly-audio-video-data'),
			'invalid_argument',
			'media names mid "2", on which the offer sends nothing',
		);
		assert.equal(alice.pushers.size, 2);
	});

	it('when it says something of what has stopped, and changes nothing of the rest', async (t) => {
		const { sfu, join } = await startRoom(t);
		const alice = await join('alice');
		const offer = anOffer('chromium-sendonly-audio-video');
		const pushers = mediaPushers(await alice.push(offer));
		pushers[1]!.close();
		const inactive = editMedia(offer, 1, (media) => media.replace('a=sendonly', 'a=inactive'));
		const media = { '0': { source: 'microphone' }, '1': { source: 'camera' } };
		await rejects(sfu, () => alice.push(inactive, { media }), 'invalid_argument', /mid "1"/);
		assert.deepEqual(said(pushers[0]!), [undefined, undefined]);
	});
});
