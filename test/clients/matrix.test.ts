import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Room, type User } from 'sfu-rooms';
import { mediaAddress } from '../support/namespace.js';
import { clientNames, type Client, type ClientName, type Received } from './Client.js';
import { cannotRun, startClient } from './startClient.js';
import { codecs, offerers, readTable, tableOf, writeTable, type About, type Offerer, type Seen } from './table.js';

const kinds = ['video', 'audio'] as const;

// A second of the camera, and how long it may take on a machine that is busy with other things.
const frames = 15;
const timeout = 20_000;

/** Pulls all that Alice pushes, into a room that the puller joins for it. Resolves to the puller's id. */
async function pull(client: Client, offerer: Offerer, room: Room, alice: User): Promise<string> {
	const bob = await room.join({ userId: randomUUID() });
	const pushers = [...alice.pushers.values()];
	const specs = kinds.map((kind) => ({
		kind,
		pusherId: pushers.find((pusher) => pusher.kind === kind)!.pusherId,
	}));
	if (offerer === 'server') {
		const offered = await bob.pull({ targetUserId: alice.userId, specs });
		const { id, answer } = await client.answerOffer(offered.offer);
		await offered.answer(answer);
		return id;
	}
	const { id, offer } = await client.createPuller({ kinds: [...kinds] });
	const { answer } = await bob.pull({ targetUserId: alice.userId, specs, offer });
	await client.acceptAnswer(id, answer);
	return id;
}

async function untilPlaying(client: Client, id: string): Promise<Received> {
	const deadline = Date.now() + timeout;
	for (;;) {
		const received = await client.received(id);
		assert.equal(received.fault, '');
		if (received.video >= frames && received.audio > 0) return received;
		if (Date.now() > deadline) assert.fail(`after ${timeout} ms: ${JSON.stringify(received)}`);
		await sleep(200);
	}
}

describe('What one client pushes, the others play', () => {
	let sfu: Sfu;
	const clients = new Map<ClientName, Client & { known: About }>();
	const seen: Seen[] = [];
	const absent = clientNames.filter((name) => cannotRun(name));

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] } });
		for (const name of clientNames) {
			if (absent.includes(name)) continue;
			const client = await startClient(name);
			clients.set(name, { ...client, known: await client.about() });
		}
	});

	after(async () => {
		sfu.close();
		await Promise.all([...clients.values()].map((client) => client.stop()));
	});

	for (const pusher of clientNames) {
		for (const codec of codecs) {
			it(`${pusher}: ${codec} and Opus`, { skip: cannotRun(pusher), concurrency: true }, async (t) => {
				const client = clients.get(pusher)!;
				const lack = client.known.send[codec];
				if (lack !== false) {
					t.skip(lack);
					return;
				}
				const room = await sfu.getOrCreateRoom(t.name);
				t.after(() => {
					room.close();
				});
				const alice = await room.join({ userId: 'alice' });
				const { id, offer } = await client.createPusher({ codec });
				t.after(() => client.close(id));
				const { answer } = await alice.push(offer);
				await client.acceptAnswer(id, answer);

				const tests = clientNames.flatMap((puller) =>
					offerers.map((offerer) =>
						t.test(`→ ${puller}, the ${offerer} offers`, { skip: cannotRun(puller) }, async (t) => {
							const client = clients.get(puller)!;
							const lack = client.known.receive[codec];
							if (lack !== false) {
								t.skip(lack);
								return;
							}
							const id = await pull(client, offerer, room, alice);
							t.after(() => client.close(id));
							const received = await untilPlaying(client, id);
							assert.equal(received.codec, codec);
							seen.push({ pusher, puller, codec, offerer });
						}),
					),
				);
				await Promise.all(tests);
			});
		}
	}

	it('as the README tells', { skip: absent.length > 0 && `${absent.join()} cannot be run here` }, async (t) => {
		const about = new Map([...clients].map(([name, { known }]) => [name, known]));
		const table = await tableOf(about, seen);
		t.diagnostic(table);
		if (process.env.SFU_TEST_UPDATE_README === '1') await writeTable(table);
		const documented = await readTable();
		const differing = [...about].filter(([name, { version }]) => !documented.includes(`${name} ${version} `));
		if (differing.length > 0) {
			t.skip(`the README's table has other versions of ${differing.map(([name]) => name).join()}`);
			return;
		}
		assert.equal(documented, table);
	});
});
