import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pusher, Room, User } from 'sfu-rooms';
import type { Page } from './browsers.js';
import type { VideoCodec } from './client.js';
import { mediaPullers, mediaPushers, producerOf } from './parted.js';

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

/**
 * Alice pushes layers from one page, and all of them arrive; Bob pulls them and her microphone on another page, by an offer
 * of his own or of the server.
 *
 * @param options - `there` is the room on Bob's server; default: that of Alice
 */
export async function callInLayers(
	room: Room,
	{
		from,
		to,
		offerer,
		there = room,
		...pushed
	}: { from: Page; to: Page; offerer: Offerer; there?: Room; codec: VideoCodec; layers: Layers },
) {
	const alice = await room.join({ userId: 'alice' });
	const bob = await there.join({ userId: 'bob' });
	const { pusher } = await pushLayers(alice, from, pushed);
	await layersOf(pusher, { expected: pushed.layers.expected, within: 60_000 });
	const specs = [...alice.pushers.values()].map(({ pusherId }) => ({ pusherId }));
	if (offerer === 'server') {
		const offer = await bob.pull({ targetUserId: 'alice', specs });
		const { id, answer } = await to.client.answerOffer(offer.sdp);
		await offer.answer(answer);
		return { id, puller: mediaPullers(offer).find(({ kind }) => kind === 'video')! };
	}
	const { id, offer } = await to.client.createPuller({ kinds: ['video', 'audio'] });
	const { answer, pullers } = await bob.pull({ targetUserId: 'alice', specs, offer });
	await to.client.acceptAnswer(id, answer);
	return { id, puller: mediaPullers({ pullers }).find(({ kind }) => kind === 'video')! };
}

export type Offerer = 'client' | 'server';

/** Waits until the video of a puller is so many pixels wide. */
export async function untilWide(
	page: Page,
	id: string,
	isWanted: (width: number) => boolean,
	{ within = 120_000 }: { within?: number } = {},
) {
	const deadline = performance.now() + within;
	for (;;) {
		const width = (await page.client.stats(id)).video[0]?.frameWidth ?? 0;
		if (isWanted(width)) return;
		if (performance.now() > deadline) assert.fail(`${width} pixels wide after ${within} ms, not ${String(isWanted)}`);
		await sleep(200);
	}
}
