import { observer } from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Sfu, type PullSpec, type Room, type SfuError, type SfuErrorCode, type SfuOptions, type User } from 'sfu-rooms';
import { recorder, until } from '../media/setup.js';
import { anOffer } from '../support/offers.js';
import { mediaPushers } from '../support/parted.js';

export { interruptEach, turns, until } from '../media/setup.js';

/** An Sfu with one real worker, for one test. */
export async function startSfu(t: TestContext, options: SfuOptions = {}) {
	const { logger, messages, details } = recorder();
	const started = new Promise<Worker>((resolve) => observer.once('newworker', resolve));
	const sfu = await Sfu.create({ workers: { count: 1 }, logger, ...options });
	t.after(() => {
		sfu.close();
	});
	return { sfu, messages, details, worker: await started };
}

/** A room, and a function that lets users join it. */
export async function startRoom(t: TestContext, options: SfuOptions = {}) {
	const started = await startSfu(t, options);
	const room = await started.sfu.getOrCreateRoom('room');
	return { ...started, room, join: (userId: string) => room.join({ userId }) };
}

/** A room where Alice pushes, by default a microphone and a camera from Chromium, and Bob has joined. */
export async function startCall(
	t: TestContext,
	{ offer = 'chromium-sendonly-audio-video', ...options }: SfuOptions & { offer?: string } = {},
) {
	const { join, ...rest } = await startRoom(t, options);
	const alice = await join('alice');
	const bob = await join('bob');
	const pushed = await alice.push(anOffer(offer));
	return { ...rest, join, alice, bob, pushed: { ...pushed, pushers: mediaPushers(pushed) } };
}

/** What a pull of all that a user pushes takes. */
export const pullAll = (target: User, offer = anOffer('chromium-recvonly-video-audio')) => ({
	targetUserId: target.userId,
	specs: specsOf(target),
	offer,
});

export const specsOf = ({ pushers }: User): PullSpec[] => [...pushers.keys()].map((pusherId) => ({ pusherId }));

/** The ids of all that the workers hold: routers, transports, producers, consumers. */
export async function held(sfu: Sfu): Promise<string[]> {
	const dumps = await sfu.dump();
	return dumps.flatMap(({ channelMessageHandlers }) => channelMessageHandlers.channelRequestHandlers).sort();
}

/** Waits until the workers hold what they held before, no more and no less. */
export const untilHeld = (sfu: Sfu, before: string[]) =>
	until(async () => JSON.stringify(await held(sfu)) === JSON.stringify(before), 'the worker holds what it held before');

/** What `act` rejects with, after which the workers hold what they held before it. */
export async function rejects(sfu: Sfu, act: () => Promise<unknown>, code: SfuErrorCode, message?: string | RegExp) {
	const before = await held(sfu);
	await assert.rejects(act, { name: 'SfuError', code, ...(message !== undefined && { message }) });
	await untilHeld(sfu, before);
}

/** 'done', or the code that the promise rejects with. */
export const outcome = (promise: Promise<unknown>): Promise<string> =>
	promise.then(
		() => 'done',
		(error: unknown) => (error as Partial<SfuError>).code ?? String(error),
	);

/** What happens in a room, in order, in words. */
export function story(room: Room): string[] {
	const told: string[] = [];
	room.on('userJoined', ({ user }) => told.push(`${user.userId} joined`));
	room.on('userLeft', ({ user, reason }) => told.push(`${user.userId} left: ${reason}`));
	room.on('pusherAdded', ({ user, pusher }) => told.push(`${user.userId} has ${pusher.kind}`));
	room.on('pushed', ({ user, pushers }) => told.push(`${user.userId} pushed ${pushers.length}`));
	room.on('pusherClosed', ({ user, pusher, reason }) => told.push(`${user.userId} lost ${pusher.kind}: ${reason}`));
	room.on('closed', ({ reason }) => told.push(`closed: ${reason}`));
	return told;
}
