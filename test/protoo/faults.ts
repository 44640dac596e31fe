import assert from 'node:assert/strict';
import { type ProtooClient, RequestError } from '../support/protooClient.js';
import { held, type Server } from './setup.js';

/** The key of a fault is what its reason has to say. */
export type Faults = Record<string, unknown>;

/** What is not even an object. */
export const noObject: Faults = Object.fromEntries(
	[null, undefined, [], 'data', 7, true].map((data) => [`data must be object, not ${JSON.stringify(data)}`, data]),
);

/** The faults that each field of `data` can have: missing, or of another type. */
export function faultsOf(
	data: Record<string, unknown>,
	prefix = 'data',
	wrap = (faulty: object): object => faulty,
): Faults {
	return Object.fromEntries(
		Object.keys(data).flatMap((key) => [
			[`${prefix}.${key} is missing`, wrap({ ...data, [key]: undefined })],
			...[null, 7, true, [], {}].map((wrong) => [
				`${prefix}.${key} must, not be ${JSON.stringify(wrong)}`,
				wrap({ ...data, [key]: wrong }),
			]),
		]),
	) as Faults;
}

/** Asserts that a request fails, with a reason that tells nothing of this program. */
export async function assertRefused(client: ProtooClient, method: string, data: unknown, code: number, reason: RegExp) {
	const error: unknown = await client.request(method, data).catch((failure: unknown) => failure);
	assert.ok(error instanceof RequestError, `${method} is refused`);
	assert.equal(error.errorCode, code, error.errorReason);
	assert.match(error.errorReason ?? '', reason);
	assert.doesNotMatch(error.errorReason ?? '', /\bat .*:\d+|node_modules|\/src\/|\.[jt]s\b|Error:/);
}

/** Sends requests that are to be refused, and asserts that nothing else comes of them. */
export async function withoutEffect(server: Server, client: ProtooClient, refused: () => Promise<void>) {
	const observer = await server.join('observer');
	await client.told();
	const before = await held(server.sfu);
	await refused();
	assert.deepEqual(await observer.told(), [], 'the others are told nothing');
	assert.deepEqual(await held(server.sfu), before, 'nothing is left in the worker');
	assert.deepEqual([...server.sfu.rooms.keys()], ['room'], 'no room is opened');
}

/** Asserts that each fault is answered with 400, and a reason that names it. */
export async function assertFaultsRefused(client: ProtooClient, method: string, faults: Faults) {
	for (const [reason, data] of Object.entries(faults)) {
		const [subject] = reason.split(/ must| is/);
		await assertRefused(client, method, data, 400, new RegExp(`^${subject!}[ .]`));
		if (reason.endsWith('is missing')) await assertRefused(client, method, data, 400, new RegExp(`^${reason}$`));
	}
}
