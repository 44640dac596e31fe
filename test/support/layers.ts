import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pusher, User } from 'sfu-rooms';
import type { Page } from './browsers.js';
import type { VideoCodec } from './client.js';
import { mediaPushers, producerOf } from './parted.js';

/** The least size of which Chromium makes three layers. */
export const noise = { width: 960, height: 540, frameRate: 10 };

export interface Layers {
	name: 'simulcast' | 'simulcast by SSRCs' | 'SVC';
	encodings: object[];
	sourceGroup?: boolean;
	scalabilityMode?: string;
	/** As {@link layersOf} has them. */
	expected: string[];
}

/** A quarter, a half and all of the width. */
export const simulcast: Layers = {
	name: 'simulcast',
	encodings: [
		{ rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
		{ rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
		{ rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
	],
	expected: ['l', 'm', 'h'],
};

/** The same as clients had it before there were rids. */
export const simulcastBySources: Layers = {
	name: 'simulcast by SSRCs',
	encodings: simulcast.encodings,
	sourceGroup: true,
	expected: ['0', '1', '2'],
};

/** The same within one stream. */
export const svc: Layers = {
	name: 'SVC',
	encodings: [{ scalabilityMode: 'L3T3_KEY', maxBitrate: 1_500_000 }],
	scalabilityMode: 'L3T3_KEY',
	expected: ['0', '1', '2'],
};

/** Pushes noise from a page, and a microphone; resolves to the pusher of the video. */
export async function pushLayers(user: User, page: Page, { codec, layers }: { codec: VideoCodec; layers: Layers }) {
	const { encodings, sourceGroup, scalabilityMode } = layers;
	const { id, offer } = await page.client.createPusher({
		codec,
		noise,
		encodings,
		...(sourceGroup && { sourceGroup }),
	});
	const media = { '0': { ...(scalabilityMode !== undefined && { scalabilityMode }) } };
	const { answer, ...tracks } = await user.push(offer, { media });
	const pushers = mediaPushers(tracks);
	await page.client.acceptAnswer(id, answer);
	return { id, pusher: pushers.find(({ kind }) => kind === 'video')! };
}

/** The layers that arrive of a pusher: its streams, by their rids or their numbers, or the spatial layers of its one. */
async function arriving(pusher: Pusher): Promise<string[]> {
	const producer = producerOf(pusher);
	const { encodings } = pusher.media;
	const streams = (await producer.getStats()).filter(({ bitrate }) => bitrate > 0);
	if (producer.type === 'simulcast') {
		return streams
			.filter(({ score }) => score > 0)
			.map(({ rid, ssrc }) => rid ?? String(encodings.findIndex((encoding) => encoding.ssrc === ssrc)));
	}
	const bitrates = Object.entries(streams[0]?.bitrateByLayer ?? {});
	return [...new Set(bitrates.filter(([, bitrate]) => bitrate > 0).map(([layer]) => layer.split('.')[0]!))];
}

/** Waits until these layers arrive of a pusher. */
export async function layersOf(pusher: Pusher, { expected, within }: { expected: string[]; within: number }) {
	const deadline = Date.now() + within;
	for (;;) {
		const layers = await arriving(pusher);
		if (expected.every((layer) => layers.includes(layer))) return;
		if (Date.now() > deadline) assert.deepEqual(layers, expected);
		await sleep(200);
	}
}
