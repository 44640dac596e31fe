import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SfuError, type Logger, type Sfu, type User } from 'sfu-rooms';
import { loadOffer, offerNames } from '../support/offers.js';
import { checkAnswer } from './checkAnswer.js';
import { mutate, mutation, type Mutation } from './mutations.js';
import { Slowest } from './Slowest.js';

/** The stored offers of real clients, which the fuzzer spoils. */
export const bases = offerNames.map((name) => {
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
export const attempt = fc.record({
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
export const webRtc = { connectTimeout: 2 ** 31 - 1 };

/** Everything that the library would write to an operator. */
export function watchful() {
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
export async function stage(sfu: Sfu) {
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
export async function make({ sources, tester }: Stage, attempt: Attempt, slowest = new Slowest()) {
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
			({ answer } = await slowest.time<{ answer: string }>(offer, () =>
				pulls && specs.length > 0 ? tester.pull({ targetUserId: source.userId, specs, offer }) : tester.push(offer),
			));
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
export function clear({ tester }: Stage) {
	for (const connection of tester.connections) connection.close();
	assert.deepEqual([tester.pushers.size, tester.pullers.size, tester.connections.length], [0, 0, 0]);
}
