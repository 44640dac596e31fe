import type { RtpParameters } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	isAccepted,
	expectedInAnswer,
	toOffer,
	rejectedSection,
	type DataSection,
	type TrackSection,
} from '../../src/connections/MediaSection.js';
import type { Puller } from '../../src/tracks/Puller.js';
import type { AnsweredMediaSection } from '../../src/sdp/parseAnswer.js';

const parameters: RtpParameters = { codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90000 }] };

const puller = (closed: boolean) => ({ pusherId: 'pusher', streamId: 'stream', closed }) as object as Puller;
const media: TrackSection = { mid: '1', kind: 'video', puller: puller(false), parameters, rejected: false };
const data: DataSection = { mid: '2', kind: 'data', rejected: false };

const answered = (accepted: boolean, payloadTypes: number[]): AnsweredMediaSection => ({
	accepted,
	payloadTypes,
	direction: 'recvonly',
	headerExtensions: [],
	bandwidth: undefined,
});

describe('An m-line that we offer', () => {
	it('is told with the stream and the track of what is still there', () => {
		const idle = { mid: '1', kind: 'video', parameters, rejected: false };
		const send = { parameters, streamId: 'stream', trackId: 'pusher' };
		assert.deepEqual(toOffer(media), { ...idle, send });
		assert.deepEqual(toOffer({ ...media, puller: puller(true) }), idle);
		assert.deepEqual(toOffer(rejectedSection(media)), { ...idle, rejected: true });
		assert.deepEqual(toOffer(data), { mid: '2', kind: 'data', rejected: false });
		assert.deepEqual(toOffer(rejectedSection(data)), { mid: '2', kind: 'data', rejected: true });
	});

	it('has to be answered by one of the same type', () => {
		assert.deepEqual(expectedInAnswer(media), { mid: '1', type: 'video', stopped: false });
		assert.deepEqual(expectedInAnswer(rejectedSection(data)), { mid: '2', type: 'application', stopped: true });
	});

	it('is accepted with its codec, or with data channels', () => {
		assert.deepEqual(
			[
				isAccepted(media, answered(true, [96, 97])),
				isAccepted(media, answered(true, [97])),
				isAccepted(media, answered(false, [96])),
			],
			[true, false, false],
		);
		assert.deepEqual([isAccepted(data, answered(true, [])), isAccepted(data, answered(false, []))], [true, false]);
		assert.equal(isAccepted(data, undefined), false);
	});
});
