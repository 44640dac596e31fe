// Takes 45 s.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type SfuOptions } from 'sfu-rooms';
import { ProtooAdapter, type PushSuccess } from 'sfu-rooms/protoo';
import { cannotRun, startBrowser, type Browser, type Page } from '../support/browsers.js';
import { cannotDropPackets, dropIncoming, mediaAddress } from '../support/namespace.js';
import { untilPlaying } from '../support/playback.js';
import { ProtooClient, RequestError } from '../support/protooClient.js';

describe('What breaks', { skip: cannotRun('Chromium') }, () => {
	let browser: Browser;

	before(async () => {
		browser = await startBrowser('Chromium');
	});
	after(() => browser.close());

	async function serve(t: TestContext, options: SfuOptions) {
		const { debug, info, warn } = console;
		const logger = { debug, info, warn, error: () => undefined };
		const sfu = await Sfu.create({ logger, ...options });
		const adapter = new ProtooAdapter(sfu, { reconnectTimeout: 500 });
		t.after(() => {
			adapter.close();
			sfu.close();
		});
		return { sfu, adapter };
	}

	/** A client in a room, with a page for its RTCPeerConnections. */
	async function enter(t: TestContext, adapter: ProtooAdapter, roomId: string, userId: string) {
		const page = await browser.newPage();
		t.after(() => page.close());
		const client = ProtooClient.overPair((socket) => {
			adapter.accept(socket);
		});
		await client.join(roomId, userId);
		return { userId, page, client };
	}
	type Participant = Awaited<ReturnType<typeof enter>>;

	async function push({ page, client }: Participant): Promise<PushSuccess> {
		const { id, offer } = await page.client.createPusher();
		for (;;) {
			try {
				const pushed = await client.push(offer);
				await page.client.acceptAnswer(id, pushed.sdp);
				return pushed;
			} catch (error) {
				if (!(error instanceof RequestError && error.errorCode === 503)) throw error;
				await sleep(10);
			}
		}
	}

	async function pull(to: Participant, from: Participant, { pushers }: PushSuccess): Promise<string> {
		const { id, offer } = await to.page.client.createPuller({ kinds: pushers.map(({ kind }) => kind) });
		const specs = pushers.map(({ pusherId, kind }) => ({ type: kind, pusher_id: pusherId }));
		const pulled = await to.client.pull(offer, from.userId, specs);
		await to.page.client.acceptAnswer(id, pulled.sdp);
		return id;
	}

	const decoded = async (page: Page, id: string) => (await page.client.stats(id)).video[0]?.framesDecoded ?? 0;

	/** Everybody pushes, and pulls everybody else. */
	async function meet(participants: Participant[]) {
		const pushed = new Map<Participant, PushSuccess>();
		for (const participant of participants) pushed.set(participant, await push(participant));
		const pulled: { page: Page; id: string }[] = [];
		for (const to of participants) {
			for (const from of participants) {
				if (from !== to) pulled.push({ page: to.page, id: await pull(to, from, pushed.get(from)!) });
			}
		}
		for (const { page, id } of pulled) await untilPlaying(page, id);
		return { pushed, pulled };
	}

	it('a media worker: it is replaced, its users stay and push and pull again, other rooms notice nothing', async (t) => {
		const { sfu, adapter } = await serve(t, { webRtc: { listen: [{ ip: mediaAddress }] }, workers: { count: 2 } });
		const hit = [];
		for (const userId of ['alice', 'bob', 'carol']) hit.push(await enter(t, adapter, 'hit', userId));
		const { pid } = (await sfu.dump()).find(({ routerIds }) => routerIds.length > 0)!;
		const safe = [await enter(t, adapter, 'safe', 'dave'), await enter(t, adapter, 'safe', 'erin')];
		const before = await meet(hit);
		const others = await meet(safe);
		const [watched] = others.pulled;
		const framesBefore = await decoded(watched!.page, watched!.id);
		for (const { client } of [...hit, ...safe]) await client.told();

		const killed = performance.now();
		const replaced = new Promise<void>((resolve) => {
			sfu.once('workerReplaced', () => {
				resolve();
			});
		});
		process.kill(pid, 'SIGKILL');
		for (const participant of hit) {
			const lost = new Set<string>();
			// Of each: one for what it pushes, two for what it pulls.
			while (lost.size < 3) {
				for (const id of (await participant.client.next('mediaLost')).connectionIds) lost.add(id);
			}
			assert.ok(lost.has(before.pushed.get(participant)!.connectionId));
		}
		await replaced;
		const replacedAfter = performance.now() - killed;
		const room = sfu.rooms.get('hit')!;
		assert.deepEqual([...room.users.keys()], ['alice', 'bob', 'carol']);
		for (const user of room.users.values()) {
			assert.equal(user.pushers.size + user.pullers.size + user.connections.length, 0);
		}
		await meet(hit);
		t.diagnostic(
			`worker replaced after ${replacedAfter.toFixed()} ms, all six videos decoding again after ${(performance.now() - killed).toFixed()} ms`,
		);

		assert.ok((await decoded(watched!.page, watched!.id)) > framesBefore);
		for (const { client } of safe) assert.deepEqual(await client.told(), []);
		for (const { client } of hit) {
			const methods = (await client.told()).map(({ method }) => method);
			assert.ok(!methods.includes('userLeft') && !methods.includes('newUser'), methods.join(' '));
		}
	});

	it(
		'a network, without a word: everything of the client is gone within the timeouts',
		{ skip: cannotDropPackets },
		async (t) => {
			const port = 41_000;
			const { sfu, adapter } = await serve(t, {
				webRtc: {
					listen: [{ ip: mediaAddress, port, protocols: ['udp'] }],
					consentTimeout: 8000,
					disconnectTimeout: 500,
				},
				workers: { count: 1 },
			});
			const alice = await enter(t, adapter, 'studio', 'alice');
			const bob = await enter(t, adapter, 'studio', 'bob');
			const { pushed } = await meet([alice, bob]);
			await alice.client.told();
			const cut = dropIncoming({ percent: 100, udpPort: port });
			t.after(() => {
				cut.stop();
			});
			const started = performance.now();
			const user = sfu.rooms.get('studio')!.users.get('bob')!;
			const [pushing] = user.connections;
			const reason = await new Promise((resolve) => {
				pushing!.once('closed', (event) => {
					resolve(event.reason);
				});
			});
			assert.equal(reason, 'disconnected');
			t.diagnostic(`gone after ${(performance.now() - started).toFixed()} ms`);
			const { pushers } = pushed.get(bob)!;
			const told = [await alice.client.next('pusherClosed'), await alice.client.next('pusherClosed')];
			assert.deepEqual(
				told.flatMap(({ pusherIds }) => pusherIds).sort(),
				pushers.map(({ pusherId }) => pusherId).sort(),
			);

			bob.client.lose();
			assert.deepEqual(await alice.client.next('userLeft'), ['bob']);
			assert.ok(user.closed);
		},
	);

	it('an RTCPeerConnection that its page closes: what it pushed is gone at once', async (t) => {
		const { sfu, adapter } = await serve(t, { webRtc: { listen: [{ ip: mediaAddress }] }, workers: { count: 1 } });
		const alice = await enter(t, adapter, 'studio', 'alice');
		const bob = await enter(t, adapter, 'studio', 'bob');
		const { pulled } = await meet([alice, bob]);
		const user = sfu.rooms.get('studio')!.users.get('bob')!;
		const closed = new Promise((resolve) => {
			user.once('connectionClosed', ({ reason }) => {
				resolve(reason);
			});
		});
		await bob.page.client.close(pulled.find(({ page }) => page === bob.page)!.id);
		assert.equal(await closed, 'dtlsClosed');
		assert.equal(user.pullers.size, 0);
	});
});
