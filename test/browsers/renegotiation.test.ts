// Takes 50 s.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type AnyPusher, type Pusher, type Room, type User } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type BrowserName, type Page } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';
import { eachInOne } from '../support/seed.js';

const mLines = (sdp: string) =>
	sdp
		.split(/^m=/m)
		.slice(1)
		.map((section) => ({
			kind: section.split(' ')[0],
			port: Number(section.split(' ')[1]),
			direction: /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(section)?.[1],
		}));

const names = ['Chromium', 'Firefox'] as const satisfies BrowserName[];
const itIn = eachInOne(
	import.meta.filename,
	names.filter((name) => !cannotRun(name)),
);

for (const name of names) {
	describe(`An RTCPeerConnection of ${name} that offers again`, { skip: cannotRun(name) }, () => {
		const it = itIn(name);
		let sfu: Sfu;
		let browser: Browser;
		let room: Room;
		let alice: User, bob: User;
		let sender: Page, receiver: Page;
		let events: string[];

		before(async () => {
			sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] }, workers: { count: 1 } });
			browser = await startBrowser(name);
		});
		after(async () => {
			sfu.close();
			await browser.close();
		});
		beforeEach(async () => {
			room = await sfu.getOrCreateRoom('studio');
			alice = await room.join({ userId: 'alice' });
			bob = await room.join({ userId: 'bob' });
			[sender, receiver] = await Promise.all([browser.newPage(), browser.newPage()]);
			events = [];
			for (const event of ['pusherAdded', 'pusherPaused', 'pusherResumed'] as const) {
				room.on(event, ({ pusher }: { pusher: AnyPusher }) => events.push(`${event} ${pusher.kind}`));
			}
			room.on('pusherClosed', ({ pusher, reason }) => events.push(`pusherClosed ${pusher.kind} ${reason}`));
		});
		afterEach(async () => {
			room.close();
			await Promise.all([sender.close(), receiver.close()]);
		});

		/** Alice's camera, pushed. */
		async function push(options: { audio?: boolean; video?: boolean } = {}) {
			const { id, offer } = await sender.client.createPusher(options);
			const { answer, ...tracks } = await alice.push(offer);
			const pushers = mediaPushers(tracks);
			await sender.client.acceptAnswer(id, answer);
			const again = async (
				...changes: Parameters<typeof sender.client.offerAgain> extends [string, ...infer C] ? C : never
			) => {
				const result = await alice.push(await sender.client.offerAgain(id, ...changes));
				await sender.client.acceptAnswer(id, result.answer);
				return result;
			};
			return { id, pushers, again };
		}

		/** All that Alice pushes, pulled by Bob. */
		async function pull(pushers: readonly Pusher[] = mediaPushers(alice)) {
			const { id, offer } = await receiver.client.createPuller({ kinds: pushers.map(({ kind }) => kind) });
			const { answer } = await bob.pull({ targetUserId: 'alice', specs: pushers, offer });
			await receiver.client.acceptAnswer(id, answer);
			return id;
		}

		const frames = async (page: Page, id: string) =>
			(await page.client.stats(id)).video.map(({ framesDecoded }) => framesDecoded);

		/** Waits until every video that is received decodes new frames. */
		async function untilDecoding(page: Page, id: string, videos: number) {
			const deadline = Date.now() + 60_000;
			let first: number[] | undefined;
			while (Date.now() < deadline) {
				const now = await frames(page, id);
				if (now.length >= videos) first ??= now;
				if (now.filter((count, index) => first && count > (first[index] ?? 0) + 2).length >= videos) return;
				await sleep(100);
			}
			assert.fail(`${videos} videos should be decoding: ${JSON.stringify(await page.client.stats(id))}`);
		}

		it('adds a track, and the pusher that others are told of is only the new one', async () => {
			const { pushers, again } = await push({ audio: false });
			events.length = 0;
			const result = await again({ send: 'video' }, { send: 'audio' });
			assert.deepEqual(events, ['pusherAdded video', 'pusherAdded audio']);
			assert.equal(result.pushers.length, 3);
			assert.equal(result.pushers[0], pushers[0]);
			await untilDecoding(receiver, await pull(), 2);
		});

		it('stops a transceiver, and uses its m-line for another', async () => {
			const { again } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			const stopped = await again({ stop: 1 });
			assert.deepEqual(events.slice(2), ['pusherClosed audio removed']);
			assert.equal(mLines(stopped.answer)[1]?.port, 0);
			assert.equal(bob.pullers.size, 1);
			const reused = await again({ send: 'audio' });
			assert.deepEqual(events.slice(3), ['pusherAdded audio']);
			assert.equal(mLines(reused.answer).length, 2);
			await untilDecoding(receiver, await pull(), 1);
			await untilDecoding(receiver, pulled, 1);
		});

		it('stops its first transceiver, with which browsers drop the transport: it takes a new RTCPeerConnection', async () => {
			const { id, pushers } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			const offer = await sender.client.offerAgain(id, { stop: 0 });
			await assert.rejects(alice.push(offer), { code: 'conflict', message: /new RTCPeerConnection/ });
			assert.deepEqual([...alice.pushers.values()], pushers);
		});

		it('pauses a pusher with an inactive m-line, and resumes it', async () => {
			const { pushers, again } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			const paused = await again({ direct: [0, 'inactive'] });
			assert.deepEqual(events.slice(2), ['pusherPaused video']);
			assert.equal(pushers[0]?.paused, true);
			assert.deepEqual(
				mLines(paused.answer).map(({ direction }) => direction),
				['inactive', 'recvonly'],
			);
			await again({ direct: [0, 'sendonly'] });
			assert.deepEqual(events.slice(3), ['pusherResumed video']);
			await untilDecoding(receiver, pulled, 1);
		});

		it('replaces a track, which nobody notices', async () => {
			const { id } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			await sender.client.offerAgain(id, { replace: 0 });
			await sender.client.rollBack(id);
			await untilDecoding(receiver, pulled, 1);
			assert.equal(events.length, 2);
		});

		it('pulls what its user pushes later, naming all, old and new', async () => {
			const { again } = await push({ audio: false });
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			const before = [...bob.pullers.values()];
			await again({ send: 'video' });
			const offer = await receiver.client.offerAgain(pulled, { receive: 'video' });
			const { answer, ...tracks } = await bob.pull({
				targetUserId: 'alice',
				specs: [...alice.pushers.values()],
				offer,
			});
			const pullers = mediaPullers(tracks);
			await receiver.client.acceptAnswer(pulled, answer);
			assert.equal(pullers.length, 2);
			assert.equal(pullers[0], before[0]);
			await untilDecoding(receiver, pulled, 2);
		});

		it('pulls from several users', async () => {
			await push();
			const pulled = await pull();
			const carol = await room.join({ userId: 'carol' });
			const camera = await sender.client.createPusher({ codec: 'VP9' });
			const pushed = await carol.push(camera.offer);
			await sender.client.acceptAnswer(camera.id, pushed.answer);
			const offer = await receiver.client.offerAgain(pulled, { receive: 'video' }, { receive: 'audio' });
			const { answer, ...tracks } = await bob.pull({ targetUserId: 'carol', specs: pushed.pushers, offer });
			const pullers = mediaPullers(tracks);
			await receiver.client.acceptAnswer(pulled, answer);
			assert.deepEqual(
				pullers.map(({ targetUserId }) => targetUserId),
				['alice', 'alice', 'carol', 'carol'],
			);
			await untilDecoding(receiver, pulled, 2);
		});

		it('pushes and pulls at once', async () => {
			await push();
			const { id, offer } = await receiver.client.createPusher();
			const pushed = await bob.push(offer);
			await receiver.client.acceptAnswer(id, pushed.answer);
			const again = await receiver.client.offerAgain(id, { receive: 'video' }, { receive: 'audio' });
			const { answer, connection } = await bob.pull({
				targetUserId: 'alice',
				specs: [...alice.pushers.values()],
				offer: again,
			});
			await receiver.client.acceptAnswer(id, answer);
			assert.equal(connection, pushed.connection);
			assert.deepEqual(
				mLines(answer).map(({ direction }) => direction),
				['recvonly', 'recvonly', 'sendonly', 'sendonly'],
			);
			await untilDecoding(receiver, id, 1);
			const back = await sender.client.createPuller({ kinds: ['video', 'audio'] });
			const toAlice = await alice.pull({ targetUserId: 'bob', specs: pushed.pushers, offer: back.offer });
			await sender.client.acceptAnswer(back.id, toAlice.answer);
			await untilDecoding(sender, back.id, 1);
		});

		it('pushes and pulls on the same m-lines', async () => {
			await push();
			const { id, offer } = await receiver.client.createPusher();
			await receiver.client.acceptAnswer(id, (await bob.push(offer)).answer);
			const again = await receiver.client.offerAgain(id, { direct: [0, 'sendrecv'] }, { direct: [1, 'sendrecv'] });
			const { answer } = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()], offer: again });
			await receiver.client.acceptAnswer(id, answer);
			assert.deepEqual(
				mLines(answer).map(({ direction }) => direction),
				['sendrecv', 'sendrecv'],
			);
			await untilDecoding(receiver, id, 1);
		});

		it('restarts ICE on either side', async () => {
			const { again } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			const ufrag = (sdp: string) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
			const unchanged = await again();
			const restarted = await again({ restartIce: true });
			assert.notEqual(ufrag(restarted.answer), ufrag(unchanged.answer));
			const offer = await receiver.client.offerAgain(pulled, { restartIce: true });
			const { answer } = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()], offer });
			await receiver.client.acceptAnswer(pulled, answer);
			await untilDecoding(receiver, pulled, 1);
		});

		it('sends ten offers at once, which are answered in order', async () => {
			const { id, offer } = await sender.client.createPusher();
			const offers = [offer];
			for (let index = 1; index < 10; index++) offers.push(await sender.client.offerAgain(id, { send: 'audio' }));
			const results = await Promise.all(offers.map((each) => alice.push(each)));
			assert.deepEqual(
				results.map(({ pushers }) => pushers.length),
				[2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
			);
			assert.equal(alice.connections.length, 1);
			await sender.client.acceptAnswer(id, results.at(-1)!.answer);
			await untilDecoding(receiver, await pull(), 1);
		});

		it('rolls an offer back', async () => {
			const { id, again } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			await alice.push(await sender.client.offerAgain(id, { send: 'video' }));
			await sender.client.rollBack(id);
			const { pushers } = await again({ stop: 2 });
			assert.deepEqual(
				pushers.map(({ kind }) => kind),
				['video', 'audio'],
			);
			await untilDecoding(receiver, pulled, 1);
		});

		it('is refused, and its media goes on as before', async () => {
			const { id, pushers, again } = await push();
			const pulled = await pull();
			await untilDecoding(receiver, pulled, 1);
			const offer = await sender.client.offerAgain(id, { send: 'video' });
			const [head, ...rest] = offer.split(/^(?=m=video)/m);
			const unknownCodec = rest.at(-1)!.replace(/^a=rtpmap:(\d+) \w+/gm, 'a=rtpmap:$1 THEORA');
			await assert.rejects(alice.push([head, ...rest.slice(0, -1), unknownCodec].join('')), { code: 'unsupported' });
			await assert.rejects(alice.push(offer.replaceAll('a=mid', 'a=nothing').replaceAll(/^m=.*/gm, 'm=')), {
				code: 'invalid_argument',
			});
			assert.deepEqual([...alice.pushers.values()], pushers);
			await untilDecoding(receiver, pulled, 1);
			const { answer } = await alice.push(offer);
			await sender.client.acceptAnswer(id, answer);
			await again();
			assert.equal(alice.pushers.size, 3);
		});

		it('finds the m-line of a pusher that has gone inactive', async () => {
			const { again } = await push();
			const specs = [...alice.pushers.values()];
			const pulled = await pull();
			await again({ stop: 1 });
			const offer = await receiver.client.offerAgain(pulled);
			const { answer } = await bob.pull({ targetUserId: 'alice', specs, offer });
			await receiver.client.acceptAnswer(pulled, answer);
			assert.deepEqual(
				mLines(answer).map(({ port, direction }) => [port > 0, direction]),
				[
					[true, 'sendonly'],
					[true, 'inactive'],
				],
			);
		});
	});
}
