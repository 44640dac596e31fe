import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Sfu, type Logger, type SfuOptions } from 'sfu-rooms';
import { ProtooAdapter, type ProtooOptions, type PushSuccess } from 'sfu-rooms/protoo';
import { ProtooClient, type Spec } from '../support/protooClient.js';

export type Server = Awaited<ReturnType<typeof serve>>;

/** An Sfu with one real worker and an adapter on it, for one test. */
export async function serve(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
	const errors: unknown[] = [];
	const ignore = () => undefined;
	const logger: Logger = {
		debug: ignore,
		info: ignore,
		warn: ignore,
		error: (...details) => void errors.push(details),
	};
	const sfu = await Sfu.create({ workers: { count: 1 }, logger, ...sfuOptions });
	t.after(() => {
		sfu.close();
	});
	const adapter = new ProtooAdapter(sfu, options);
	t.after(() => {
		adapter.close();
	});
	const connect = (context?: unknown) =>
		ProtooClient.overPair((socket) => {
			adapter.accept(socket, context);
		});
	return {
		sfu,
		adapter,
		/** What was logged as an error. */
		errors,
		/** A client that has joined nothing yet. */
		connect,
		/** A client that has joined, by default the room `room`. */
		join: async (userId: string, roomId = 'room') => {
			const client = connect();
			await client.join(roomId, userId);
			return client;
		},
	};
}

/** What the worker holds: routers, transports, producers, consumers. */
export async function held(sfu: Sfu) {
	const dumps = await sfu.dump();
	return dumps.map(({ routerIds, channelMessageHandlers: { channelRequestHandlers } }) => ({
		routers: routerIds.sort(),
		handlers: channelRequestHandlers.sort(),
	}));
}

/** Waits until the condition holds, for what there is no event for; fails when it does not come to that. */
export async function until(condition: () => boolean | Promise<boolean>, message: string) {
	const deadline = performance.now() + 2000;
	while (!(await condition())) {
		assert.ok(performance.now() < deadline, message);
		await setImmediate();
	}
}

/** Waits until the worker holds what it held before, no more and no less. */
export async function untilHeldIs(sfu: Sfu, before: Awaited<ReturnType<typeof held>>) {
	const expected = JSON.stringify(before);
	await until(async () => JSON.stringify(await held(sfu)) === expected, 'something is left behind in the worker');
}

/** The specs that name all of a push. */
export const specsOf = ({ pushers }: PushSuccess): Spec[] =>
	pushers.map(({ kind, pusherId }) => ({ type: kind, pusher_id: pusherId }));

/** A promise, and the means to settle it. */
export function deferred<Value>() {
	let resolve!: (value: Value) => void;
	let reject!: (error: unknown) => void;
	const promise = new Promise<Value>((...settle) => {
		[resolve, reject] = settle;
	});
	return { promise, resolve, reject };
}
