/**
 * Joins, pushes, pulls and leaves as fast as the machine can, and tells how memory fares: of Node, and of the media
 * worker. The offers are those of real browsers; nobody connects, so no media flows.
 *
 *     node --expose-gc --import tsx bench/soak.ts [minutes]
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { AnsweringPeer } from '../test/support/answers.js';
import { fromAnotherClient, loadOffer } from '../test/support/offers.js';
import { ProtooClient, RequestError } from '../test/support/protooClient.js';

const minutes = Number(process.argv[2] ?? 30);
const samples = 60;
const clients = 32;
const rooms = 4;

// The machine is busier than in a test.
ProtooClient.patience = 60_000;
const sfu = await Sfu.create({ workers: { count: 1 }, emptyRoomTimeout: 100 });
const adapter = new ProtooAdapter(sfu, { reconnectTimeout: 50 });
const [{ pid } = { pid: 0 }] = await sfu.dump();
const pushes = [
	'chromium-sendonly-audio-video',
	'firefox-sendonly-audio-video',
	'chromium-sendonly-video-simulcast',
].map(loadOffer);
const pulls = ['chromium', 'firefox'].map((browser) => loadOffer(`${browser}-recvonly-video-audio`));

const counts = { joins: 0, pushes: 0, pulls: 0, offeredPulls: 0, renegotiations: 0, refusals: 0 };

/** One stay of one user. */
async function stay(index: number): Promise<void> {
	const peer = new AnsweringPeer();
	const pullOffer = pulls[randomInt(pulls.length)] ?? '';
	const client = ProtooClient.overPair((socket) => {
		adapter.accept(socket);
	});
	void answerAll(client, peer);
	const { users } = await client.join(`room-${randomInt(rooms)}`, `user-${index}-${counts.joins++}`);
	const offer = fromAnotherClient(pushes[randomInt(pushes.length)] ?? '');
	await client.push(offer);
	counts.pushes++;
	for (const { userId, pushers } of users) {
		if (pushers.length === 0) continue;
		const specs = pushers.map(({ pusherId, rtpParam }) => ({ type: rtpParam.av_type, pusher_id: pusherId }));
		try {
			if (randomInt(2) === 0) {
				await client.pull(fromAnotherClient(pullOffer), userId, specs);
				counts.pulls++;
				continue;
			}
			const { connectionId, sdp } = await client.pullOffered(userId, specs);
			await client.answer(connectionId, peer.answer(sdp.sdp));
			counts.offeredPulls++;
		} catch (error) {
			// Whom it wanted to pull has left meanwhile.
			if (!(error instanceof RequestError && error.errorCode === 404)) throw error;
			counts.refusals++;
		}
	}
	await client.push(offer.replace(/a=sendonly/, 'a=inactive'));
	counts.renegotiations++;
	// Stays a while, to be pulled by others.
	await sleep(randomInt(500));
	const end = randomInt(3);
	if (end === 0) await client.leave();
	if (end === 1) client.lose();
	else client.close();
}

/** Answers the offers that the server makes when what is pulled has gone. */
async function answerAll(client: ProtooClient, peer: AnsweringPeer): Promise<void> {
	try {
		for (;;) {
			const { id, data } = await client.asked();
			client.respond(id, { sdp: { type: 'answer', sdp: peer.answer(data.sdp.sdp) } });
		}
	} catch {
		// It has left.
	}
}

async function memory(): Promise<{ heap: number; node: number; worker: number }> {
	globalThis.gc?.();
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	const { heapUsed, rss } = process.memoryUsage();
	return { heap: heapUsed / 2 ** 20, node: rss / 2 ** 20, worker: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
}

const end = Date.now() + minutes * 60_000;
const users = Array.from({ length: clients }, async (_, index) => {
	while (Date.now() < end) await stay(index);
});
const measured: Awaited<ReturnType<typeof memory>>[] = [];
const started = end - minutes * 60_000;
for (let sample = 1; sample <= samples; sample++) {
	await sleep(started + (sample * minutes * 60_000) / samples - Date.now());
	const now = await memory();
	measured.push(now);
	console.log(
		`${((sample * minutes) / samples).toFixed(1)} min: heap ${now.heap.toFixed(1)}, Node ${now.node.toFixed(1)}, worker ${now.worker.toFixed(1)} MiB; ${JSON.stringify(counts)}`,
	);
}
await Promise.all(users);
while (sfu.rooms.size > 0) await sleep(50);
const [left] = await sfu.dump();
assert.deepEqual(left?.routerIds, [], 'routers are left in the worker');
assert.deepEqual(left.channelMessageHandlers.channelRequestHandlers.length, 1, 'more than the WebRtcServer is left');

const mean = (part: typeof measured, key: keyof (typeof measured)[number]) =>
	part.reduce((sum, sample) => sum + sample[key], 0) / part.length;
const quarter = samples / 4;
for (const key of ['heap', 'node', 'worker'] as const) {
	const second = mean(measured.slice(quarter, 2 * quarter), key);
	const last = mean(measured.slice(-quarter), key);
	console.log(
		`${key}: ${second.toFixed(1)} MiB in the second quarter, ${last.toFixed(1)} in the last: ×${(last / second).toFixed(3)}`,
	);
}
console.log('The worker holds nothing any more.');
adapter.close();
sfu.close();
