import type { MediaKind, RtpParameters } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OfferDraft } from '../../src/connections/OfferDraft.js';
import { firstSection, type OfferingSection } from '../../src/connections/MediaSection.js';
import type { DataPuller } from '../../src/tracks/DataPuller.js';
import type { Puller } from '../../src/tracks/Puller.js';

const parameters: RtpParameters = { codecs: [] };

/** As much of a puller as a draft looks at. */
function aPuller(kind: MediaKind, pusherId: string) {
	const puller = {
		kind,
		pusherId,
		streamId: 'stream',
		rtpParameters: parameters,
		closed: false,
		reason: '',
		close(reason: string) {
			puller.closed = true;
			puller.reason = reason;
		},
	};
	return puller as unknown as typeof puller & Puller;
}

const aDataPuller = (pusherId: string) => aPuller('data' as MediaKind, pusherId) as unknown as DataPuller;

const slot = (mid: string, kind: MediaKind, puller?: Puller, rejected = false): OfferingSection => {
	return { mid, kind, puller, parameters, rejected };
};

const words = (draft: OfferDraft) =>
	draft.sections.map(({ mid, kind, puller, rejected }) => {
		return `${mid} ${kind} ${rejected ? 'rejected' : (puller?.pusherId ?? 'idle')}`;
	});

describe('The draft of an offer', () => {
	it('begins with an m-line that the first audio takes', () => {
		const draft = new OfferDraft([firstSection], 10);
		assert.deepEqual(
			[draft.changed, draft.allocate('video', () => '1'), draft.allocate('audio', () => '1')],
			[false, { index: 1, mid: '1' }, { index: 0, mid: '0' }],
		);
	});

	it('has the m-lines that there are, and changes nothing', () => {
		const draft = new OfferDraft([slot('0', 'audio', aPuller('audio', 'a')), slot('1', 'video')], 10);
		assert.deepEqual([words(draft), draft.changed, draft.added], [['0 audio a', '1 video idle'], false, []]);
		assert.deepEqual([draft.carries('a'), draft.carries('b')], [true, false]);
	});

	it('adds m-lines at the end', () => {
		const draft = new OfferDraft([slot('0', 'audio', aPuller('audio', 'a'))], 10);
		const place = draft.allocate('video', () => '7');
		assert.deepEqual(place, { index: 1, mid: '7' });
		draft.put(place, aPuller('video', 'b'));
		assert.deepEqual([words(draft), draft.changed], [['0 audio a', '7 video b'], true]);
		assert.deepEqual(
			draft.added.map(({ pusherId }) => pusherId),
			['b'],
		);
	});

	it('uses an idle m-line of the same kind again, each once, and then one that was rejected', () => {
		const draft = new OfferDraft(
			[slot('0', 'video', undefined, true), slot('1', 'audio', undefined, true), slot('2', 'audio')],
			10,
		);
		const places = ['a', 'b', 'c'].map((pusherId, index) => {
			const place = draft.allocate('audio', () => `new ${index}`);
			draft.put(place, aPuller('audio', pusherId));
			return place;
		});
		assert.deepEqual(places, [
			{ index: 2, mid: '2' },
			{ index: 1, mid: 'new 1' },
			{ index: 3, mid: 'new 2' },
		]);
		assert.deepEqual(words(draft), ['0 video rejected', 'new 1 audio b', '2 audio a', 'new 2 audio c']);
	});

	it('never uses a first m-line again that was rejected', () => {
		const draft = new OfferDraft([slot('0', 'audio', undefined, true), slot('1', 'video')], 10);
		assert.deepEqual(
			draft.allocate('audio', () => '2'),
			{ index: 2, mid: '2' },
		);
	});

	it('tells first that an m-line has become idle, and uses it with a later offer', () => {
		const gone = aPuller('video', 'a');
		gone.close('because');
		const draft = new OfferDraft([slot('0', 'video', gone)], 10);
		assert.deepEqual([words(draft), draft.changed, draft.carries('a')], [['0 video idle'], true, false]);
		assert.deepEqual(
			draft.allocate('video', () => '1'),
			{ index: 1, mid: '1' },
		);
		assert.deepEqual(
			new OfferDraft(draft.sections, 10).allocate('video', () => '1'),
			{ index: 0, mid: '0' },
		);
	});

	it('has no more m-lines than are allowed, but those that there are can be used', () => {
		const draft = new OfferDraft([slot('0', 'audio'), slot('1', 'video', aPuller('video', 'a'))], 2);
		assert.throws(() => draft.allocate('video', () => '2'), { code: 'limit_exceeded', message: /2 m-lines/ });
		assert.deepEqual(
			draft.allocate('audio', () => '2'),
			{ index: 0, mid: '0' },
		);
	});

	it('allocates each m-line once, and again when it was released', () => {
		const draft = new OfferDraft([slot('0', 'audio')], 3);
		const mids = ['1', '2', '3', '4'];
		const allocate = () => draft.allocate('audio', () => mids.shift() ?? '');
		const [idle, first, second] = [allocate(), allocate(), allocate()];
		assert.deepEqual(
			[idle, first, second, draft.hasRoom('audio')],
			[{ index: 0, mid: '0' }, { index: 1, mid: '1' }, { index: 2, mid: '2' }, false],
		);
		assert.throws(allocate, { code: 'limit_exceeded' });
		draft.release(idle);
		assert.equal(draft.hasRoom('audio'), true);
		draft.release(first);
		draft.put(second, aPuller('audio', 'b'));
		assert.deepEqual(words(draft), ['0 audio idle', '2 audio b']);
		assert.deepEqual(
			[allocate(), allocate(), draft.hasRoom('audio')],
			[{ index: 0, mid: '0' }, { index: 2, mid: '3' }, false],
		);
	});

	it('takes a change back that fails half-way', async () => {
		const draft = new OfferDraft([slot('0', 'audio')], 10);
		const kept = aPuller('video', 'kept');
		await draft.attempt(() => {
			draft.put(
				draft.allocate('video', () => '1'),
				kept,
			);
			return Promise.resolve();
		});
		const lost = aPuller('audio', 'lost');
		const failing = draft.attempt(() => {
			draft.put(
				draft.allocate('audio', () => '2'),
				lost,
			);
			return Promise.reject(new Error('half-way'));
		});
		await assert.rejects(failing, /half-way/);
		assert.deepEqual(words(draft), ['0 audio idle', '1 video kept']);
		assert.deepEqual([draft.added, kept.closed, lost.reason], [[kept], false, 'negotiationFailed']);
		assert.deepEqual(
			draft.allocate('audio', () => '3'),
			{ index: 0, mid: '0' },
			'its m-line is free again',
		);
	});

	it('has one m-line for all data channels, of which the first alone changes it', () => {
		const draft = new OfferDraft([slot('0', 'audio')], 2);
		const chat = aDataPuller('chat');
		draft.put(
			draft.allocate('data', () => '1'),
			chat,
		);
		assert.deepEqual([words(draft), draft.changed, draft.added], [['0 audio idle', '1 data idle'], true, [chat]]);
		assert.deepEqual(
			draft.allocate('data', () => '2'),
			{ index: 1, mid: '1' },
		);
		const next = new OfferDraft(draft.sections, 2);
		next.put(
			next.allocate('data', () => '2'),
			aDataPuller('game'),
		);
		assert.deepEqual([words(next), next.changed, next.added.length], [['0 audio idle', '1 data idle'], false, 1]);
		const again = new OfferDraft([slot('0', 'audio'), { mid: '1', kind: 'data', rejected: true }], 2);
		again.put(
			again.allocate('data', () => '2'),
			chat,
		);
		assert.deepEqual([words(again), again.changed], [['0 audio idle', '2 data idle'], true]);
	});
});
