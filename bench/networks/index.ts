import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { Sfu, type User } from 'sfu-rooms';
import type { InboundStats } from '../../test/support/client.js';
import { mediaPullers } from '../../test/support/parted.js';
import { setLink, serverAddress, startChromium, type ClientPage, type Way } from './network.js';

type Offerer = 'client' | 'server';

interface Video {
	noise: { width: number; height: number; frameRate: number };
	encodings: object[];
}

const videos = {
	one: { noise: { width: 640, height: 360, frameRate: 15 }, encodings: [{ maxBitrate: 1_500_000 }] },
	three: {
		noise: { width: 960, height: 540, frameRate: 15 },
		encodings: [
			{ rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
			{ rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
			{ rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
		],
	},
} satisfies Record<string, Video>;

interface Scenario {
	/** How many users push a video and a microphone. */
	pushers: number;
	/** What comes down to the one who pulls them, one after the other. */
	phases: { name: string; seconds: number; down: Way }[];
}

const wide: Way = {};
const scenarios: Record<string, Scenario> = {
	narrow: {
		pushers: 1,
		phases: [
			{ name: '500 kbit/s', seconds: 30, down: { rate: 500, queue: 1000 } },
			{ name: 'wide again', seconds: 20, down: wide },
		],
	},
	shared: {
		pushers: 3,
		phases: [
			{ name: '1 Mbit/s', seconds: 30, down: { rate: 1000, queue: 1000 } },
			{ name: 'wide again', seconds: 30, down: wide },
		],
	},
	lossy: {
		pushers: 1,
		phases: [
			{ name: '10 % lost', seconds: 25, down: { loss: 10 } },
			{ name: '20 % lost', seconds: 25, down: { loss: 20 } },
			{ name: 'none lost', seconds: 20, down: wide },
		],
	},
};

/** The way of all links, in each direction. */
const distance = { delay: 20 };

/** The first seconds of a phase, in which the link is found to be another, count apart. */
const beginning = 3;

/** What somebody saw and heard since the last sample. */
interface Sample {
	frames: number;
	frozen: number;
	concealed: number;
	samples: number;
	/** The widths of the videos. */
	widths: number[];
	roundTrip: number;
	bitrate: number;
}

const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);

async function push(page: ClientPage, user: User, video: Video): Promise<void> {
	const { id, offer } = await page.client.createPusher(video);
	const { answer } = await user.push(offer);
	await page.client.acceptAnswer(id, answer);
}

/** Pulls all that the others push. @returns the ids of the RTCPeerConnections in the page */
async function pull(page: ClientPage, user: User, others: readonly User[], offerer: Offerer): Promise<string[]> {
	const ids: string[] = [];
	for (const other of others) {
		const pushers = [...other.pushers.values()];
		const request = { targetUserId: other.userId, specs: pushers.map(({ pusherId }) => ({ pusherId })) };
		if (offerer === 'server') {
			const offer = await user.pull(request);
			const { id, answer } = await page.client.answerOffer(offer.sdp, ids[0]);
			await offer.answer(answer);
			ids[0] = id;
		} else {
			const kinds = pushers.flatMap(({ kind }) => (kind === 'data' ? [] : kind));
			const { id, offer } = await page.client.createPuller({ kinds });
			const { answer } = await user.pull({ ...request, offer });
			await page.client.acceptAnswer(id, answer);
			ids.push(id);
		}
	}
	return ids;
}

/** Reads counters that only grow. */
async function count(page: ClientPage, ids: readonly string[]) {
	const stats = await Promise.all(ids.map((id) => page.client.stats(id)));
	const of = (kind: 'video' | 'audio', key: keyof InboundStats) =>
		stats.flatMap((one) => one[kind].map((stream) => Number(stream[key])));
	return {
		frames: sum(of('video', 'framesDecoded')),
		frozen: sum(of('video', 'totalFreezesDuration')),
		concealed: sum(of('audio', 'concealedSamples')),
		samples: sum(of('audio', 'totalSamplesReceived')),
		widths: of('video', 'frameWidth'),
	};
}

async function play(scenario: Scenario, video: Video, offerer: Offerer): Promise<Record<string, string | number>[]> {
	const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: serverAddress }] } });
	const [a, b] = [await startChromium('a'), await startChromium('b')];
	const setDown = (down: Way) => {
		setLink('b', { up: distance, down: { ...distance, ...down } });
	};
	try {
		setLink('a', { up: distance, down: distance });
		setDown(wide);
		const room = await sfu.getOrCreateRoom(randomUUID());
		const bob = await room.join({ userId: 'bob' });
		const others: User[] = [];
		for (let index = 0; index < scenario.pushers; index++) {
			const user = await room.join({ userId: `user ${index}` });
			await push(await a.newPage(), user, video);
			others.push(user);
		}
		await sleep(15_000);
		const page = await b.newPage();
		const ids = await pull(page, bob, others, offerer);
		let changes = 0;
		for (const event of ['pullerPaused', 'pullerResumed'] as const) bob.on(event, () => changes++);
		bob.on('pullerChanged', () => changes++);
		await sleep(15_000);
		const rows = [];
		for (const { name, seconds, down } of scenario.phases) {
			setDown(down);
			changes = 0;
			let before = await count(page, ids);
			const samples: Sample[] = [];
			while (samples.length < seconds) {
				await sleep(1000);
				const now = await count(page, ids);
				const sent = await Promise.all([...bob.connections].map((connection) => connection.getStats()));
				samples.push({
					frames: now.frames - before.frames,
					frozen: now.frozen - before.frozen,
					concealed: now.concealed - before.concealed,
					samples: now.samples - before.samples,
					widths: now.widths,
					roundTrip: Math.max(...sent.map(({ roundTripTime = 0 }) => roundTripTime)),
					bitrate: sum(sent.map(({ bitrate }) => bitrate)),
				});
				before = now;
			}
			const concealed = (part: readonly Sample[]) => {
				const share = sum(part.map((one) => one.concealed)) / Math.max(sum(part.map((one) => one.samples)), 1);
				return `${(share * 100).toFixed(1)} %`;
			};
			const later = samples.slice(beginning);
			rows.push({
				phase: name,
				'frames/s': (sum(samples.map(({ frames }) => frames)) / seconds / scenario.pushers).toFixed(1),
				'frozen s': (sum(samples.map(({ frozen }) => frozen)) / scenario.pushers).toFixed(1),
				'width at the end': samples.at(-1)!.widths.join(' '),
				[`concealed, first ${beginning} s`]: concealed(samples.slice(0, beginning)),
				'concealed, later': concealed(later),
				'round trip ms, later': Math.round(sum(later.map(({ roundTrip }) => roundTrip)) / later.length),
				'kbit/s': Math.round(sum(samples.map(({ bitrate }) => bitrate)) / seconds / 1000),
				changes,
			});
			if (mediaPullers({ pullers: [...bob.pullers.values()] }).length === 0) throw new Error('the pullers have closed');
		}
		return rows;
	} finally {
		await Promise.all([a.close(), b.close()]);
		sfu.close();
	}
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in scenarios));
if (unknown.length > 0) throw new Error(`no scenario ${unknown.join()}: there are ${Object.keys(scenarios).join()}`);
const table: Record<string, string | number>[] = [];
for (const [name, scenario] of Object.entries(scenarios)) {
	if (wanted.length > 0 && !wanted.includes(name)) continue;
	for (const [layers, video] of Object.entries(videos)) {
		for (const offerer of ['client', 'server'] as const) {
			const rows = await play(scenario, video, offerer);
			table.push(...rows.map((row) => ({ scenario: name, layers, offerer, ...row })));
		}
	}
}
console.table(table);
