// Takes 100 s.
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { mediaAddress } from '../support/namespace.js';
import { PullingUser, startPushing } from './calls.js';
import { clientNames, type Client, type ClientName } from './Client.js';
import { runsAll, someOf } from '../support/seed.js';
import { cannotRun, startClient } from './startClient.js';
import { codecs, offerers, readTable, tableOf, writeTable, type About, type Seen } from './table.js';

describe('What one client pushes, the others play', () => {
	let sfu: Sfu;
	const clients = new Map<ClientName, Client & { known: About }>();
	const seen: Seen[] = [];
	const absent = clientNames.filter((name) => cannotRun(name));

	before(async () => {
		// On a machine that is busy with other things, clients take long to connect, and to answer.
		const patience = { connectTimeout: 300_000, consentTimeout: 300_000, disconnectTimeout: 300_000 };
		sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }], ...patience } });
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

	async function openRoom(t: TestContext) {
		const room = await sfu.getOrCreateRoom(t.name);
		t.after(() => {
			room.close();
		});
		return room;
	}

	for (const pusher of clientNames) {
		it(`${pusher}, Opus and`, { skip: cannotRun(pusher) }, async (t) => {
			const client = clients.get(pusher)!;
			const sent = codecs.filter((codec) => client.known.send[codec] === false);
			for (const codec of someOf(import.meta.filename, 1, sent)) {
				await t.test(codec, { concurrency: 4 }, async (t) => {
					const room = await openRoom(t);
					const alice = await startPushing(t, client, room, codec);
					const tests = clientNames.flatMap((puller) =>
						offerers.map((offerer) =>
							t.test(`→ ${puller}, the ${offerer} offers`, { skip: cannotRun(puller) }, async (t) => {
								const client = clients.get(puller)!;
								const lack = client.known.receive[codec];
								if (lack !== false) {
									t.skip(lack);
									return;
								}
								const bob = await PullingUser.join(t, client, offerer, room);
								await bob.pull(alice);
								const received = await bob.untilPlaying();
								assert.equal(received.codec, codec);
								seen.push({ pusher, puller, codec, offerer });
							}),
						),
					);
					await Promise.all(tests);
				});
			}
		});
	}

	it('A second user on the same RTCPeerConnection', { skip: cannotRun('Chromium'), concurrency: 4 }, async (t) => {
		const room = await openRoom(t);
		// Of two makes where there are: they number their payload types each in its own way.
		const [first, second = first] = ['Chromium', 'Firefox'].flatMap((name) => clients.get(name as ClientName) ?? []);
		const alice = await startPushing(t, first!, room, 'VP8');
		const carol = await startPushing(t, second!, room, 'VP8');
		const tests = clientNames.flatMap((puller) =>
			offerers.map((offerer) =>
				t.test(`→ ${puller}, the ${offerer} offers`, { skip: cannotRun(puller) }, async (t) => {
					const bob = await PullingUser.join(t, clients.get(puller)!, offerer, room);
					await bob.pull(alice);
					await bob.untilPlaying();
					await bob.pull(carol);
					await bob.untilPlaying();
				}),
			),
		);
		await Promise.all(tests);
	});

	const lacks = absent.length > 0 ? `${absent.join()} cannot be run here` : !runsAll && 'only some codecs were tried';

	it('as docs/clients.md tells', { skip: lacks }, async (t) => {
		const about = new Map([...clients].map(([name, { known }]) => [name, known]));
		const table = await tableOf(about, seen);
		t.diagnostic(table);
		if (process.env.SFU_TEST_UPDATE_CLIENTS === '1') await writeTable(table);
		const documented = await readTable();
		const differing = [...about].filter(([name, { version }]) => !documented.includes(`${name} ${version} `));
		if (differing.length > 0) {
			t.skip(`the table has other versions of ${differing.map(([name]) => name).join()}`);
			return;
		}
		assert.equal(documented, table);
	});
});
