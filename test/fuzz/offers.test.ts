import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Sfu, SfuError, type Logger, type User } from 'sfu-rooms';
import { FakeWorkers } from '../support/fakeWorkers.js';
import { loadOffer, offerNames } from '../support/offers.js';
import { checkAnswer } from './checkAnswer.js';
import { mutate, mutation, type Mutation } from './mutations.js';

/*
 * Stored offers of real clients, spoilt at random. The same ones each time, unless SFU_TEST_SEED says otherwise; a
 * failure prints its path, for SFU_TEST_PATH. SFU_TEST_RUNS changes how many there are.
 */
const { SFU_TEST_SEED: seed = '1', SFU_TEST_PATH: path, SFU_TEST_RUNS: runs } = process.env;

const parameters = (numRuns: number) => ({
	numRuns: runs === undefined ? numRuns : Number(runs),
	seed: Number(seed),
	...(path !== undefined && { path }),
	includeErrorInReport: true,
});

const bases = offerNames.map((name) => {
	const sdp = loadOffer(name);
	const receiving = sdp
		.split(/^(?=m=)/m)
		.filter((section) => /^a=(recvonly|sendrecv)/m.test(section) || !/^a=(sendonly|inactive)/m.test(section));
	const kinds = (['video', 'audio'] as const).filter((kind) =>
		receiving.some((section) => section.startsWith(`m=${kind} `)),
	);
	return { name, sdp, kinds };
});

const short = [...bases.keys()].filter((index) => bases[index]!.sdp.length < 4000);

/** An offer to spoil, of which another one may be the donor, and those after it on the same RTCPeerConnection. */
const attempt = fc.record({
	// The long ones less often: they take longer, and have little that the others lack.
	base: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...short) }, fc.nat({ max: bases.length - 1 })),
	donor: fc.nat({ max: bases.length - 1 }),
	mutations: fc.array(mutation, { minLength: 1, maxLength: 5, size: 'max' }),
	again: fc.array(fc.array(mutation, { maxLength: 3, size: 'max' }), { maxLength: 3, size: 'max' }),
	pull: fc.nat({ max: 9 }),
	source: fc.nat({ max: 5 }),
	second: fc.boolean(),
});

type Attempt = typeof attempt extends fc.Arbitrary<infer Value> ? Value : never;

const spoilt = (sdp: string, mutations: readonly Mutation[], donor: string) =>
	mutations.reduce((spoiling, mutation) => mutate(spoiling, mutation, donor), sdp);

// What an offer may be refused with. The others are for what does not happen here: everything that is named is there.
const refusals = ['invalid_argument', 'unsupported', 'too_large', 'conflict', 'limit_exceeded'];

// Nobody connects here, and the sources have to stay.
const webRtc = { connectTimeout: 2 ** 31 - 1 };

/** Everything that the library would write to an operator. */
function watchful() {
	const problems: string[] = [];
	const ignore = () => undefined;
	const keep = (message: string, details: unknown) => {
		const { cause, stack } = details instanceof Error ? details : {};
		problems.push([message, stack ?? details, cause ?? ''].join(' '));
	};
	const logger: Logger = { debug: ignore, info: ignore, warn: keep, error: keep };
	return { logger, problems };
}

/** A room with users that push what each of the browsers pushes, and one that makes the offers. */
async function stage(sfu: Sfu) {
	const room = await sfu.getOrCreateRoom('room');
	const sources: User[] = [];
	for (const name of ['chromium-sendonly-audio-video', 'firefox-sendonly-audio-video', 'gstreamer-send-bundled']) {
		const source = await room.join({ userId: name });
		await source.push(loadOffer(name));
		sources.push(source);
	}
	return { sources, tester: await room.join({ userId: 'tester' }) };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Makes the offers of an attempt; returns how many there were, and how many were answered. */
async function make({ sources, tester }: Stage, attempt: Attempt) {
	const { sdp, kinds, name } = bases[attempt.base]!;
	const donor = bases[attempt.donor]!.sdp;
	const source = sources[attempt.source % sources.length]!;
	const first = spoilt(sdp, attempt.mutations, donor);
	const offers = [first, ...attempt.again.map((mutations) => spoilt(attempt.second ? first : sdp, mutations, donor))];
	const pulls =
		kinds.length > 0 &&
		(attempt.pull > 1 || !name.includes('sendrecv')) &&
		(attempt.pull > 0 || !name.includes('send'));
	const all = [...source.pushers.values()];
	const specs = kinds.flatMap((kind) => all.filter((pusher) => pusher.kind === kind));
	let answered = 0;
	for (const offer of offers) {
		let answer: string | undefined;
		const before = holdings(tester);
		try {
			({ answer } =
				pulls && specs.length > 0
					? await tester.pull({ targetUserId: source.userId, specs, offer })
					: await tester.push(offer));
			answered++;
			checkAnswer(offer, answer);
		} catch (error) {
			if (error instanceof SfuError && refusals.includes(error.code)) {
				assert.deepEqual(holdings(tester), before, 'what is refused changes nothing');
				continue;
			}
			const { cause, code } = error as SfuError;
			const reason = `${code}: ${String(error)}; ${String(cause)}`;
			throw new Error(`${reason}\n--- offer\n${JSON.stringify(offer)}\n--- answer\n${String(answer)}`, {
				cause: error,
			});
		}
	}
	return { made: offers.length, answered };
}

const holdings = ({ pushers, pullers, connections }: User) => ({
	pushers: [...pushers.keys()],
	pullers: [...pullers.keys()],
	connections: connections.map(({ connectionId }) => connectionId),
});

/** Closes what the attempt has left. */
function clear({ tester }: Stage) {
	for (const connection of tester.connections) connection.close();
	assert.deepEqual([tester.pushers.size, tester.pullers.size, tester.connections.length], [0, 0, 0]);
}

it('there are offers to spoil', () => {
	assert.ok(bases.length >= 30);
	assert.ok(bases.some(({ sdp }) => sdp.includes('a=simulcast:')));
});

describe('spoilt offers', () => {
	it('are answered by the rules or refused, with fake media', async (t) => {
		const { logger, problems } = watchful();
		const workers = new FakeWorkers(logger);
		const limits = { connectionsPerUser: 1000, pushersPerUser: 100, pullersPerUser: 100 };
		const sfu = await Sfu.createWith({ logger, limits, webRtc }, () => Promise.resolve(workers.pool));
		t.after(() => {
			sfu.close();
		});
		const room = await stage(sfu);
		await room.tester.push(loadOffer('chromium-sendonly-audio-video-data'));
		clear(room);
		await setImmediate();
		const before = workers.books.count('webrtc');
		const data = [workers.books.data.producers.size, workers.books.data.consumers.size];
		let [attempts, mutants, answered] = [0, 0, 0];
		await fc.assert(
			fc.asyncProperty(attempt, async (attempt) => {
				try {
					attempts++;
					const made = await make(room, attempt);
					mutants += made.made;
					answered += made.answered;
				} finally {
					clear(room);
				}
				assert.deepEqual(problems.splice(0), []);
				if (attempts % 100 === 0) {
					await setImmediate();
					assert.deepEqual(workers.books.count('webrtc'), before);
					assert.deepEqual([workers.books.data.producers.size, workers.books.data.consumers.size], data);
					assert.equal(workers.books.count('pipe').producers, 0);
				}
			}),
			parameters(42_000),
		);
		t.diagnostic(`${mutants} offers, ${answered} of them answered`);
		assert.ok(answered > mutants / 5, `${answered} answers are too few to tell anything`);
	});

	it('do nothing to a real worker', async (t) => {
		const { logger, problems } = watchful();
		const sfu = await Sfu.create({ workers: { count: 1, logLevel: 'none' }, logger, webRtc });
		t.after(() => {
			sfu.close();
		});
		const room = await stage(sfu);
		const held = async () => {
			const [dump] = await sfu.dump();
			return { pid: dump?.pid, handlers: dump?.channelMessageHandlers.channelRequestHandlers.toSorted() };
		};
		// The first pull by a client with other numbers makes the two ends of a pipe, which stay as long as the room, and the
		// first data channel what it meets this process by.
		const { sources, tester } = room;
		const [source] = sources;
		const specs = [...source!.pushers.values()].filter(({ kind }) => kind === 'video');
		await tester.pull({ targetUserId: source!.userId, specs, offer: loadOffer('firefox-recvonly-video-audio') });
		await tester.push(loadOffer('chromium-sendonly-audio-video-data'));
		clear(room);
		const before = await held();
		let [attempts, mutants, answered] = [0, 0, 0];
		await fc.assert(
			fc.asyncProperty(attempt, async (attempt) => {
				try {
					attempts++;
					const made = await make(room, attempt);
					mutants += made.made;
					answered += made.answered;
				} finally {
					clear(room);
				}
				assert.deepEqual(problems.splice(0), []);
				if (attempts % 50 === 0) assert.deepEqual(await held(), before);
			}),
			parameters(900),
		);
		t.diagnostic(`${mutants} offers, ${answered} of them answered`);
		assert.ok(answered > mutants / 5, `${answered} answers are too few to tell anything`);
		assert.deepEqual(await held(), before, 'nothing is left, and the worker is the same');
	});
});
