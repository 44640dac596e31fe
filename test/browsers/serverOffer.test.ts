// Takes 50 s.
import type { WebRtcTransport } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Pusher, type Room, type ServerOffer, type User } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type BrowserName, type Page } from '../support/browsers.js';
import type { VideoCodec } from '../support/client.js';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';
import { onTwoWorkers } from '../support/workers.js';
import { eachInOne } from '../support/seed.js';

const initialOutgoingBitrate = 600_000;

/** What an m-line of an offer is. */
const lines = ({ sdp }: ServerOffer) =>
	sdp
		.split(/^m=/m)
		.slice(1)
		.map((section) => {
			const [kind = '', port] = section.split(' ');
			const mid = /^a=mid:(.*)\r$/m.exec(section)?.[1] ?? '-';
			return `${mid} ${kind} ${port === '0' ? 'stopped' : (/^a=(sendonly|inactive)/m.exec(section)?.[1] ?? '')}`;
		});

const ufrag = (sdp: string) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];

const names = ['Chromium', 'Firefox'] as const satisfies BrowserName[];
const itIn = eachInOne(
	import.meta.filename,
	names.filter((name) => !cannotRun(name)),
);

for (const name of names) {
	describe(`${name}, to which the server offers`, { skip: cannotRun(name) }, () => {
		const it = itIn(name);
		let sfu: Sfu;
		let browser: Browser;
		let room: Room;
		let bob: User;
		let sender: Page, receiver: Page;
		let id: string | undefined;
		let offers: ServerOffer[];
		let answers: string[];
		/** The mids that the browser rejects. */
		let rejected: string[];
		let failures: unknown[];

		before(async () => {
			const webRtc = { listen: [{ ip: mediaAddress }], initialOutgoingBitrate };
			// Whatever is pulled by Firefox comes from another worker half of the time.
			const workers = name === 'Chromium' ? { count: 1 } : onTwoWorkers();
			sfu = await Sfu.create({ webRtc, workers });
			browser = await startBrowser(name);
		});
		after(async () => {
			sfu.close();
			await browser.close();
		});
		beforeEach(async () => {
			room = await sfu.getOrCreateRoom('studio');
			bob = await room.join({ userId: 'bob' });
			[sender, receiver] = await Promise.all([browser.newPage(), browser.newPage()]);
			id = undefined;
			[offers, answers, rejected, failures] = [[], [], [], []];
			bob.on('offer', ({ offer }) => {
				answer(offer).catch((error: unknown) => failures.push(error));
			});
		});
		afterEach(async () => {
			room.close();
			await Promise.all([sender.close(), receiver.close()]);
			assert.deepEqual(failures, []);
		});

		async function answer(offer: ServerOffer) {
			offers.push(offer);
			const answered = await receiver.client.answerOffer(
				withStrangeCodecs(offer.sdp),
				...(id === undefined ? [] : [id]),
			);
			id = answered.id;
			answers.push(answered.answer);
			await offer.answer(answered.answer);
		}

		/** A browser rejects an m-line when it knows none of its codecs. */
		function withStrangeCodecs(sdp: string) {
			const strange = (section: string) =>
				rejected.some((mid) => section.includes(`a=mid:${mid}\r\n`))
					? section.replace(/^(a=rtpmap:\d+) (?:opus|VP8|VP9)\//gm, '$1 strange/')
					: section;
			return sdp
				.split(/^(?=m=)/m)
				.map(strange)
				.join('');
		}

		/** Somebody joins, if need be, and pushes camera and microphone. */
		async function push(userId: string, options: { audio?: boolean; video?: boolean; codec?: VideoCodec } = {}) {
			const user = room.users.get(userId) ?? (await room.join({ userId }));
			const camera = await sender.client.createPusher(options);
			const { answer, connection, ...tracks } = await user.push(camera.offer);
			const pushers = mediaPushers(tracks);
			await sender.client.acceptAnswer(camera.id, answer);
			return { user, pushers, connection };
		}

		const pull = async ({ user, pushers }: { user: User; pushers: readonly Pusher[] }) => {
			const offer = await bob.pull({ targetUserId: user.userId, specs: pushers });
			await answer(offer);
			return offer;
		};

		/** How far the streams have come that are received now, by mid. */
		async function progress() {
			const { video, audio } = await receiver.client.stats(id!);
			return new Map([
				...video.map(({ mid, framesDecoded }) => [mid, framesDecoded] as const),
				...audio.map(({ mid, totalAudioEnergy }) => [mid, totalAudioEnergy] as const),
			]);
		}

		/** Waits until all that Bob pulls decodes new frames and has new energy, and nothing else does. */
		async function untilPlaying(count: number) {
			const deadline = Date.now() + 60_000;
			const mids = mediaPullers(bob).map(({ mid }) => mid ?? '');
			assert.equal(mids.length, count);
			const first = await progress();
			for (;;) {
				const now = await progress();
				if (mids.every((mid) => (now.get(mid) ?? 0) > (first.get(mid) ?? 0))) return;
				if (Date.now() > deadline) {
					assert.fail(`${mids.join(', ')} should play: ${JSON.stringify(await receiver.client.stats(id!))}`);
				}
				await sleep(100);
			}
		}

		async function until(condition: () => boolean | Promise<boolean>, what: string, within = 60_000) {
			const deadline = Date.now() + within;
			while (!(await condition())) {
				assert.ok(Date.now() < deadline, `not within ${within} ms: ${what}`);
				await sleep(50);
			}
		}

		const availableOutgoingBitrate = async () => {
			const [connection] = bob.connections;
			const { transport } = connection as unknown as { transport: WebRtcTransport };
			const [stats] = await transport.getStats();
			return stats?.availableOutgoingBitrate;
		};

		it('plays what two users push on one RTCPeerConnection, with an estimate of its bandwidth', async () => {
			await pull(await push('alice'));
			await pull(await push('carol', { codec: 'VP9' }));
			assert.equal(bob.connections.length, 1);
			await untilPlaying(4);
			const transportCc = [...answers.at(-1)!.matchAll(/transport-cc/g)];
			assert.equal(transportCc.length, 2, 'of each video');
			await until(
				async () => (await availableOutgoingBitrate()) !== initialOutgoingBitrate,
				'the estimate moves',
				60_000,
			);
		});

		it('plays one codec, and then another one on the same m-line', async () => {
			const { receive } = await receiver.client.videoCodecs();
			const [one, other] = receive.includes('video/H264') ? (['H264', 'AV1'] as const) : (['VP9', 'VP8'] as const);
			const alice = await push('alice', { codec: one, audio: false });
			await pull(alice);
			await untilPlaying(1);
			alice.connection.close();
			await until(() => offers.length === 2 && !bob.pendingOffer, 'the end is offered');
			await pull(await push('carol', { codec: other, audio: false }));
			assert.equal(lines(offers[2]!).length, 2);
			await untilPlaying(1);
		});

		it('uses the m-lines of what has ended for what comes', async () => {
			const alice = await push('alice');
			await pull(alice);
			const carol = await push('carol', { audio: false });
			await pull(carol);
			await untilPlaying(3);
			alice.connection.close();
			await until(() => offers.length === 3 && !bob.pendingOffer, 'the end is offered');
			assert.deepEqual(
				lines(offers[2]!).map((line) => line.split(' ')[2]),
				['inactive', 'inactive', 'sendonly'],
			);
			await untilPlaying(1);
			await pull(await push('dave', { codec: 'VP9' }));
			assert.deepEqual(
				lines(offers[3]!).map((line) => line.split(' ')[2]),
				['sendonly', 'sendonly', 'sendonly'],
			);
			await untilPlaying(3);
		});

		it('follows the room with autoPull', async () => {
			const alice = await push('alice');
			bob.autoPull();
			await until(() => bob.pullers.size === 2 && !bob.pendingOffer, 'alice is offered');
			await untilPlaying(2);
			await push('carol');
			await until(() => bob.pullers.size === 4 && !bob.pendingOffer, 'carol is offered');
			await untilPlaying(4);
			alice.user.close();
			await until(() => bob.pullers.size === 2 && !bob.pendingOffer, 'alice is gone');
			await push('dave');
			await until(() => bob.pullers.size === 4 && !bob.pendingOffer, 'dave is offered');
			assert.equal(lines(offers.at(-1)!).length, 4);
			await untilPlaying(4);
		});

		it('plays what comes after others have used up the payload types', async () => {
			bob.autoPull();
			for (let round = 0; round < 3; round++) {
				const mallory = await room.join({ userId: `mallory${round}` });
				for (let count = 0; count < 8; count++) {
					const odd = `odd=${round}.${count}`;
					const sdp = anOffer('chromium-sendonly-audio-video')
						.replace('a=fmtp:111 ', `a=fmtp:111 ${odd};`)
						.replace('a=fmtp:97 ', `a=fmtp:96 ${odd}\r\na=fmtp:97 `);
					await mallory.push(sdp);
				}
				await until(() => bob.pullers.size === 16 && !bob.pendingOffer, 'mallory is offered');
				mallory.close();
				await until(() => bob.pullers.size === 0 && !bob.pendingOffer, 'mallory is gone');
			}
			const numbers = new Set(offers.flatMap(({ sdp }) => sdp.match(/^a=rtpmap:\d+/gm) ?? []));
			assert.ok(numbers.size > 30, `${numbers.size} payload types were used`);
			await push('alice');
			await push('carol', { codec: 'VP9' });
			await until(() => bob.pullers.size === 4 && !bob.pendingOffer, 'the others are offered');
			await untilPlaying(4);
		});

		it('restarts ICE while media goes on', async () => {
			const { connection } = await pull(await push('alice'));
			await untilPlaying(2);
			bob.restartIce(connection.connectionId);
			await until(() => offers.length === 2 && !bob.pendingOffer, 'the restart is answered');
			assert.notEqual(ufrag(offers[1]!.sdp), ufrag(offers[0]!.sdp));
			for (let second = 0; second < 4; second++) {
				await untilPlaying(2);
				await sleep(1000);
			}
			assert.equal(connection.state, 'connected');
		});

		for (const what of ['video', 'audio'] as const) {
			it(`rejects a later ${what} m-line, and gets another one in its place`, async () => {
				await pull(await push('alice', { video: false }));
				rejected = ['1'];
				await pull(await push('carol', { audio: what === 'audio' }));
				assert.equal(bob.pullers.size, what === 'audio' ? 2 : 1);
				await untilPlaying(bob.pullers.size);
				rejected = [];
				await pull(await push('dave', { audio: what === 'audio', video: what === 'video' }));
				assert.equal(lines(offers.at(-1)!).length, what === 'audio' ? 3 : 2);
				await untilPlaying(bob.pullers.size);
			});
		}

		it('rejects the first that it is offered, and plays what comes then', async () => {
			rejected = ['1'];
			await pull(await push('alice', { audio: false }));
			assert.equal(bob.pullers.size, 0);
			rejected = [];
			await pull(await push('carol'));
			assert.deepEqual(
				lines(offers[1]!).map((line) => line.split(' ')[1]),
				['audio', 'video'],
			);
			await untilPlaying(2);
		});

		it('rejects one that it has played, and plays what comes in its place', async () => {
			await pull(await push('alice'));
			await untilPlaying(2);
			rejected = ['1'];
			await pull(await push('carol', { video: false }));
			assert.equal(bob.pullers.size, 2);
			await untilPlaying(2);
			rejected = [];
			await pull(await push('dave', { audio: false }));
			assert.equal(lines(offers.at(-1)!).length, 3);
			await untilPlaying(3);
		});
	});
}
