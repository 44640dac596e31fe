// Takes 60 s.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type PullSpec, type Room, type ServerOffer, type User } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type BrowserName, type Page } from '../support/browsers.js';
import type { DataMessage } from '../support/client.js';
import { mediaAddress } from '../support/namespace.js';
import { dataPullers, dataPushers } from '../support/parted.js';
import { eachInOne } from '../support/seed.js';

const ways = [
	['Chromium', 'Firefox'],
	['Firefox', 'Chromium'],
] as const satisfies [BrowserName, BrowserName][];

const everyKind: DataMessage[] = ['hello', '', { bytes: 3 }, { bytes: 0 }, 'Grüße 👋', { bytes: 200_000 }, 'bye'];

const itFrom = eachInOne(
	import.meta.filename,
	ways.flatMap(([from, to]) => (cannotRun(from) || cannotRun(to) ? [] : from)),
);

for (const [from, to] of ways) {
	describe(`Data channels of ${from} that ${to} is offered`, { skip: cannotRun(from) || cannotRun(to) }, () => {
		const it = itFrom(from);
		let sfu: Sfu;
		let browsers: Browser[];
		let room: Room;
		let alice: User, bob: User;
		let sender: Page, receiver: Page;
		/** Alice's RTCPeerConnection, and Bob's once there is one. */
		let own: string, id: string | undefined;
		let offers: ServerOffer[];
		let events: string[];
		let failures: unknown[];

		before(async () => {
			sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] }, workers: { count: 1 } });
			browsers = await Promise.all([startBrowser(from), startBrowser(to)]);
		});
		after(async () => {
			sfu.close();
			await Promise.all(browsers.map((browser) => browser.close()));
		});
		beforeEach(async () => {
			room = await sfu.getOrCreateRoom('studio');
			alice = await room.join({ userId: 'alice' });
			bob = await room.join({ userId: 'bob' });
			[sender, receiver] = (await Promise.all(browsers.map((browser) => browser.newPage()))) as [Page, Page];
			id = undefined;
			[offers, events, failures] = [[], [], []];
			bob.on('offer', ({ offer }) => {
				answer(offer).catch((error: unknown) => failures.push(error));
			});
			bob.on('pullerAdded', ({ puller, inBand }) => inBand && events.push(`added ${labelOf(puller.pusherId)}`));
			bob.on('pullerClosed', ({ puller, reason }) => puller.kind === 'data' && events.push(`closed: ${reason}`));
		});
		afterEach(async () => {
			room.close();
			await Promise.all([sender.close(), receiver.close()]);
			assert.deepEqual(failures, []);
		});

		const labelOf = (pusherId: string) =>
			dataPushers(alice).find((pusher) => pusher.pusherId === pusherId)?.label ?? '';

		async function until(what: string, isSo: () => boolean | Promise<boolean>) {
			const deadline = Date.now() + 60_000;
			while (!(await isSo())) {
				if (Date.now() > deadline) assert.fail(`not so: ${what}; ${JSON.stringify(events)}`);
				await sleep(50);
			}
		}

		async function answer(offer: ServerOffer) {
			offers.push(offer);
			const answered = await receiver.client.answerOffer(offer.sdp, ...(id === undefined ? [] : [id]));
			id = answered.id;
			await offer.answer(answered.answer);
		}

		/** Alice pushes a camera, and opens a data channel on the same RTCPeerConnection. */
		async function push(label: string, options: object = {}) {
			const camera = await sender.client.createPusher({ audio: false });
			own = camera.id;
			await sender.client.acceptAnswer(own, (await alice.push(camera.offer)).answer);
			const { offer } = await sender.client.createChannels([{ label, options }], { id: own });
			await sender.client.acceptAnswer(own, (await alice.push(offer)).answer);
			await until(`${label} is pushed`, () => dataPushers(alice).length === 1);
		}

		/** Alice opens one more. */
		async function open(label: string, options: object = {}) {
			const size = dataPushers(alice).length + 1;
			await sender.client.openChannel(own, label, options);
			await until(`${label} is pushed`, () => dataPushers(alice).length === size);
		}

		async function pull(specs: PullSpec[]) {
			const offer = await bob.pull({ targetUserId: 'alice', specs });
			await answer(offer);
			return offer;
		}

		const specOf = (label: string): PullSpec => ({
			pusherId: dataPushers(alice).find((pusher) => pusher.label === label)?.pusherId ?? '',
		});

		const channelOf = async (label: string) =>
			(await receiver.client.channelReports(id!)).findLast((channel) => channel.label === label);
		const isOpen = async (label: string) => (await channelOf(label))?.state === 'open';

		async function carries(label: string, at = label, messages = everyKind) {
			const before = (await channelOf(at))?.received.length ?? 0;
			await sender.client.sendOn(own, label, messages);
			const received = async () => ((await channelOf(at))?.received ?? []).slice(before);
			await until(`all of ${label} has come`, async () => (await received()).length >= messages.length);
			assert.deepEqual(await received(), messages);
		}

		const frames = async () => {
			const { video } = await receiver.client.stats(id!);
			return video.reduce((sum, { framesDecoded }) => sum + framesDecoded, 0);
		};

		async function plays() {
			const before = await frames();
			await until('the video plays', async () => (await frames()) > before + 5);
		}

		it('come next to video, more of them later, and go one by one', async () => {
			await push('chat', { protocol: 'json' });
			const [video] = alice.pushers.keys();
			const first = await pull([{ pusherId: video! }, specOf('chat')]);
			assert.deepEqual(
				[first.pullers.length, dataPullers(first).length, first.added.length, dataPullers(bob).length],
				[2, 1, 2, 1],
			);
			await until('chat is open', () => isOpen('chat'));
			const channel = await channelOf('chat');
			assert.deepEqual(
				[channel?.protocol, channel?.ordered, channel?.id],
				['json', true, dataPullers(first)[0]?.channelId],
			);
			await carries('chat');
			await plays();

			await open('game', { ordered: false, maxRetransmits: 0 });
			await open('log');
			await pull([specOf('game')]);
			const third = await pull([{ ...specOf('log'), negotiated: true }]);
			assert.deepEqual([dataPullers(third).length, third.added.length], [3, 1]);
			await receiver.client.openChannel(id!, 'their log', {
				negotiated: true,
				id: dataPullers(third).at(-1)!.channelId,
			});
			await until('game is open', () => isOpen('game'));
			await until('the log is', () => isOpen('their log'));
			assert.deepEqual([(await channelOf('game'))?.ordered, (await channelOf('game'))?.maxRetransmits], [false, 0]);
			await carries('game', 'game', ['a move', { bytes: 100 }]);
			await carries('log', 'their log');
			const lines = first.sdp.match(/^m=\S+/gm);
			assert.deepEqual([lines, third.sdp.match(/^m=\S+/gm)], [['m=audio', 'm=video', 'm=application'], lines]);

			await sender.client.closeChannel(own, 'chat');
			await until('its puller has closed', () => events.includes('closed: pusherClosed'));
			await until('so has the channel', async () => (await channelOf('chat'))?.state === 'closed');
			assert.deepEqual([await isOpen('game'), await isOpen('their log')], [true, true]);
			await receiver.client.closeChannel(id!, 'game');
			await until('that is noticed', () => events.includes('closed: channelClosed'));
			await carries('log', 'their log');
			await plays();
			assert.deepEqual([offers.length, dataPullers(bob).length], [3, 1]);
		});

		it('come by autoPull: the first by an offer, the next without', async () => {
			bob.autoPull();
			const camera = await sender.client.createPusher({ audio: false });
			own = camera.id;
			await sender.client.acceptAnswer(own, (await alice.push(camera.offer)).answer);
			await until('the camera is offered', () => offers.length === 1 && !bob.pendingOffer);
			const { offer } = await sender.client.createChannels([{ label: 'chat' }], { id: own });
			await sender.client.acceptAnswer(own, (await alice.push(offer)).answer);
			await until('the chat is offered', () => offers.length === 2 && !bob.pendingOffer);
			await until('it is open', () => isOpen('chat'));
			await carries('chat');
			await open('more');
			await until('more is open', () => isOpen('more'));
			await carries('more');
			assert.deepEqual([events, offers.length], [['added more'], 2]);
			const [connection] = bob.connections;
			bob.restartIce(connection!.connectionId);
			await until('it is answered', () => offers.length === 3 && !bob.pendingOffer);
			await carries('more');
			await carries('chat');
			await plays();
		});
	});
}
