// Takes 40 s.
import type { WebRtcTransport } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type DataPusher, type Room, type User } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type BrowserName, type Page } from '../support/browsers.js';
import type { DataMessage } from '../support/client.js';
import { mediaAddress } from '../support/namespace.js';
import { dataPullers, dataPushers, labelOf } from '../support/parted.js';
import { onTwoWorkers } from '../support/workers.js';
import { eachInOne } from '../support/seed.js';

const ways = [
	['Chromium', 'Firefox', 1],
	['Firefox', 'Chromium', 2],
] as const satisfies [BrowserName, BrowserName, number][];

const everyKind: DataMessage[] = ['hello', '', { bytes: 3 }, { bytes: 0 }, 'Grüße 👋', { bytes: 200_000 }, 'bye'];

const itFrom = eachInOne(
	import.meta.filename,
	ways.flatMap(([from, to]) => (cannotRun(from) || cannotRun(to) ? [] : from)),
);

for (const [from, to, count] of ways) {
	describe(
		`Data channels from ${from} to ${to}, on ${count} workers`,
		{ skip: cannotRun(from) || cannotRun(to) },
		() => {
			const it = itFrom(from);
			let sfu: Sfu;
			let browsers: Browser[];
			let room: Room;
			let alice: User, bob: User;
			let sender: Page, receiver: Page;
			let events: string[];

			before(async () => {
				const workers = count === 1 ? { count } : onTwoWorkers();
				sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] }, workers });
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
				events = [];
				room.on('pusherAdded', ({ user, pusher }) => events.push(`${user.userId} has ${labelOf(pusher)}`));
				room.on('pusherClosed', ({ user, pusher, reason }) =>
					events.push(`${user.userId} lost ${labelOf(pusher)}: ${reason}`),
				);
			});
			afterEach(async () => {
				room.close();
				await Promise.all([sender.close(), receiver.close()]);
			});

			async function until(what: string, isSo: () => boolean | Promise<boolean>) {
				const deadline = Date.now() + 60_000;
				while (!(await isSo())) {
					if (Date.now() > deadline) assert.fail(`not so: ${what}; ${JSON.stringify(events)}`);
					await sleep(50);
				}
			}

			/** Alice opens data channels in-band. */
			async function push(...opened: { label: string; options?: object }[]) {
				const { id, offer } = await sender.client.createChannels(opened);
				const { answer } = await alice.push(offer);
				await sender.client.acceptAnswer(id, answer);
				await until('all are pushed', () => dataPushers(alice).length === opened.length);
				return { id, pushers: opened.map(({ label }) => pusherOf(label)) };
			}

			const pusherOf = (label: string) => dataPushers(alice).find((pusher) => pusher.label === label)!;

			/** Bob pulls them, and has an RTCDataChannel for each. */
			async function pull(pushers: readonly DataPusher[]) {
				const { id, offer } = await receiver.client.createChannels([{ label: 'mine' }]);
				const { answer, pullers } = await bob.pull({ targetUserId: 'alice', specs: pushers, offer });
				await receiver.client.acceptAnswer(id, answer);
				await until('all are open', async () => (await opened(id)).length === pushers.length);
				return { id, pullers };
			}

			/** Whether the worker's associations with a user's RTCPeerConnections are there. */
			const isConnected = ({ connections }: User) =>
				connections.every((connection) => {
					const { transport } = connection as unknown as { transport?: WebRtcTransport };
					return transport?.sctpState === 'connected';
				});

			const opened = async (id: string) =>
				(await receiver.client.channelReports(id)).filter(({ label, state }) => label !== 'mine' && state === 'open');

			const received = async (page: Page, id: string, label: string) =>
				(await page.client.channelReports(id)).findLast((channel) => channel.label === label)?.received ?? [];

			it('are opened in-band, and carry text, bytes and nothing, small and large, in order', async () => {
				const { id, pushers } = await push({ label: 'chat', options: { protocol: 'json' } });
				const pulled = await pull(pushers);
				const [channel] = await opened(pulled.id);
				assert.deepEqual(
					[channel?.label, channel?.protocol, channel?.ordered, channel?.id],
					['chat', 'json', true, dataPullers(pulled)[0]?.channelId],
				);
				await sender.client.sendOn(id, 'chat', everyKind);
				await until(
					'all has come',
					async () => (await received(receiver, pulled.id, 'chat')).length >= everyKind.length,
				);
				assert.deepEqual(await received(receiver, pulled.id, 'chat'), everyKind);
			});

			it('are unordered and partially reliable as the pusher opened them', async () => {
				const options = [
					{ label: 'unordered', options: { ordered: false } },
					{ label: 'retransmits', options: { ordered: false, maxRetransmits: 3 } },
					{ label: 'never', options: { ordered: false, maxRetransmits: 0 } },
					{ label: 'lifetime', options: { ordered: false, maxPacketLifeTime: 500 } },
					{ label: 'ordered lifetime', options: { maxPacketLifeTime: 500 } },
				];
				const { id, pushers } = await push(...options);
				const pulled = await pull(pushers);
				for (const {
					label,
					options: { ordered = true, maxRetransmits = null, maxPacketLifeTime = null },
				} of options as {
					label: string;
					options: { ordered?: boolean; maxRetransmits?: number; maxPacketLifeTime?: number };
				}[]) {
					const channel = (await opened(pulled.id)).find((each) => each.label === label);
					assert.deepEqual(
						[channel?.ordered, channel?.maxRetransmits, channel?.maxPacketLifeTime],
						[ordered, maxRetransmits, maxPacketLifeTime],
						label,
					);
					// Large ones are many packets, of which one may be lost even here.
					const isReliable = maxRetransmits === null && maxPacketLifeTime === null;
					const sent = everyKind.filter((each) => isReliable || typeof each === 'string' || each.bytes < 1000);
					await sender.client.sendOn(id, label, sent);
					await until(`all of ${label} has come`, async () => {
						return (await received(receiver, pulled.id, label)).length >= sent.length;
					});
					const sorted = (messages: DataMessage[]) => messages.map((message) => JSON.stringify(message)).sort();
					assert.deepEqual(sorted(await received(receiver, pulled.id, label)), sorted(sent));
				}
			});

			it('have negotiated ids on either side', async () => {
				const options = { negotiated: true, id: 0 };
				const { id, offer } = await sender.client.createChannels([{ label: 'game', options }]);
				const pushed = await alice.push(offer, { data: [{ id: 0, label: 'game', source: 'moves' }] });
				await sender.client.acceptAnswer(id, pushed.answer);
				const [pusher] = dataPushers(pushed);
				assert.ok(pusher);
				assert.deepEqual([pusher.channelId, pusher.inBand, pusher.source], [0, false, 'moves']);
				const mine = await receiver.client.createChannels([{ label: 'mine' }]);
				const { answer, ...pulled } = await bob.pull({
					targetUserId: 'alice',
					specs: [{ pusherId: pusher.pusherId, negotiated: true }],
					offer: mine.offer,
				});
				await receiver.client.openChannel(mine.id, 'theirs', {
					negotiated: true,
					id: dataPullers(pulled)[0]!.channelId,
				});
				await receiver.client.acceptAnswer(mine.id, answer);
				await until('it is open', async () => (await opened(mine.id)).length === 1);
				const isOpen = async () => (await sender.client.channelReports(id))[0]?.state === 'open';
				await until('the sender is, too', isOpen);
				await until('the worker is connected to both', () => [alice, bob].every(isConnected));
				await sender.client.sendOn(id, 'game', everyKind);
				await until(
					'all has come',
					async () => (await received(receiver, mine.id, 'theirs')).length >= everyKind.length,
				);
				assert.deepEqual(await received(receiver, mine.id, 'theirs'), everyKind);
				await sender.client.closeChannel(id, 'game');
				await until('the pusher has closed', () => events.includes('alice lost game: channelClosed'));
				await until('the puller has', async () => (await opened(mine.id)).length === 0);
			});

			it('close with the channel, whose id is free for the next one at once', async () => {
				const { id, pushers } = await push({ label: 'first' }, { label: 'second' });
				const pulled = await pull(pushers);
				await sender.client.closeChannel(id, 'first');
				await until('the sender has closed it', async () => {
					return (await sender.client.channelReports(id))[0]?.state === 'closed';
				});
				await sender.client.openChannel(id, 'third');
				await until('it is pushed', () => events.includes('alice has third'));
				await until('the first is gone', () => events.includes('alice lost first: channelClosed'));
				await until('the puller is, too', async () => (await opened(pulled.id)).length === 1);
				assert.equal(pusherOf('third').channelId, pushers[0]?.channelId);
				// Later closings have been noticed by then, and so the end of `first` has had all its consequences.
				for (const label of ['fourth', 'fifth']) {
					await sender.client.openChannel(id, label);
					await until('it is pushed', () => events.includes(`alice has ${label}`));
					await sender.client.closeChannel(id, label);
					await until('it is gone', () => events.includes(`alice lost ${label}: channelClosed`));
				}
				const states = (await sender.client.channelReports(id)).map(({ label, state }) => `${label} ${state}`);
				assert.deepEqual(states, ['first closed', 'second open', 'third open', 'fourth closed', 'fifth closed']);
				const again = await pull([pusherOf('second'), pusherOf('third')]);
				await sender.client.sendOn(id, 'third', ['3']);
				await until('it has come', async () => (await received(receiver, again.id, 'third')).length > 0);
			});

			it('close at the client when their pusher or puller does, and when a puller closes nothing else does', async () => {
				const { id, pushers } = await push({ label: 'a' }, { label: 'b' });
				const pulled = await pull(pushers);
				await receiver.client.closeChannel(pulled.id, 'a');
				await until('the puller has closed', () => dataPullers(bob).length === 1);
				assert.equal(dataPushers(alice).length, 2);
				pusherOf('b').close();
				await until('b is closed', async () => (await sender.client.channelReports(id))[1]?.state === 'closed');
				await until('b is closed at the receiver', async () => (await opened(pulled.id)).length === 0);
				assert.equal((await sender.client.channelReports(id))[0]?.state, 'open');
				await sender.client.close(id);
				await until('a is gone with the connection', () => events.includes('alice lost a: connectionClosed'));
			});

			it('are refused beyond the limit', async () => {
				const labels = Array.from({ length: 17 }, (_, index) => `${index}`);
				const { id, offer } = await sender.client.createChannels(labels.map((label) => ({ label })));
				await sender.client.acceptAnswer(id, (await alice.push(offer)).answer);
				const states = async () => (await sender.client.channelReports(id)).map(({ state }) => state);
				await until('one is closed', async () => (await states()).includes('closed'));
				assert.equal(dataPushers(alice).length, 16);
				assert.equal((await states()).filter((state) => state === 'open').length, 16);
			});

			it('are refused by the app that closes them at once', async () => {
				room.on('pusherAdded', ({ pusher }) => {
					pusher.close();
				});
				const labels = ['0', '1', '2', '3', '4'];
				const { id, offer } = await sender.client.createChannels(labels.map((label) => ({ label })));
				await sender.client.acceptAnswer(id, (await alice.push(offer)).answer);
				const open = async () => (await sender.client.channelReports(id)).filter(({ state }) => state !== 'closed');
				await until('all are closed', async () => (await open()).length === 0);
				assert.deepEqual(
					labels.flatMap((label) => [`alice has ${label}`, `alice lost ${label}: closed`]).sort(),
					events.sort(),
				);
			});

			it('lead to the app and back', async () => {
				const { id, pushers } = await push({ label: 'chat' }, { label: 'log' });
				const heard: (string | Buffer)[] = [];
				pushers[0]!.on('message', ({ data }) => heard.push(data));
				// The worker has been told by then that the app listens.
				await setImmediate();
				await sfu.dump();
				await sender.client.sendOn(id, 'chat', everyKind);
				await sender.client.sendOn(id, 'log', ['unheard']);
				await until('all is heard', () => heard.length >= everyKind.length);
				assert.deepEqual(
					heard.map((data) => (typeof data === 'string' ? data : { bytes: data.length })),
					everyKind,
				);
				assert.equal(await room.sendData('to all'), 2);
				assert.equal(await room.sendData(Buffer.from([0, 1, 2]), { userIds: ['alice'], label: 'chat' }), 1);
				assert.equal(await room.sendData('nobody', { userIds: ['bob'] }), 0);
				await pushers[0]!.send('');
				await pushers[0]!.send(new Uint8Array(0));
				await until('all has come', async () => (await received(sender, id, 'chat')).length >= 4);
				assert.deepEqual(await received(sender, id, 'chat'), ['to all', { bytes: 3 }, '', { bytes: 0 }]);
				assert.deepEqual(await received(sender, id, 'log'), ['to all']);
			});

			it('share an RTCPeerConnection with media, pushed and pulled', async () => {
				const { id, pushers } = await push({ label: 'alice’s' });
				const { id: both, offer } = await receiver.client.createChannels([{ label: 'bob’s' }], { audio: true });
				const pushed = await bob.push(offer);
				await receiver.client.acceptAnswer(both, pushed.answer);
				assert.deepEqual(
					pushed.pushers.map(({ kind }) => kind),
					['audio'],
				);
				await until('bob pushes', () => dataPushers(bob).length === 1);
				const again = await receiver.client.offerAgain(both);
				const pulled = await bob.pull({ targetUserId: 'alice', specs: pushers, offer: again });
				await receiver.client.acceptAnswer(both, pulled.answer);
				assert.equal(bob.connections.length, 1);
				await until('it is open', async () => (await receiver.client.channelReports(both)).length === 2);
				await sender.client.sendOn(id, 'alice’s', ['hello bob']);
				await until('it has come', async () => (await received(receiver, both, 'alice’s')).length === 1);
				const back = await sender.client.createChannels([], { id });
				const toAlice = await alice.pull({
					targetUserId: 'bob',
					specs: dataPushers(bob),
					offer: back.offer,
				});
				await sender.client.acceptAnswer(id, toAlice.answer);
				await until('it is open', async () => (await sender.client.channelReports(id)).length === 2);
				await receiver.client.sendOn(both, 'bob’s', ['hello alice']);
				await until('it has come', async () => (await received(sender, id, 'bob’s')).length === 1);
			});
		},
	);
}
