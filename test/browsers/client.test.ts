// Takes 60 s.
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserName, cannotRun } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { CallPage, startClientBrowser, startRoomServer, until } from '../support/clientPages.js';
import { eachInOne } from '../support/seed.js';

const hd = { width: 1280, height: 720, frameRate: 15 };

const names = ['Chromium', 'Firefox'] as const satisfies BrowserName[];
const itIn = eachInOne(
	import.meta.filename,
	names.filter((name) => !cannotRun(name)),
);

for (const name of names) {
	describe(`The client in ${name}`, { skip: cannotRun(name) }, () => {
		const it = itIn(name);
		let browser: Browser;
		let server: Awaited<ReturnType<typeof startRoomServer>>;

		before(async () => {
			server = await startRoomServer(
				{ audioObservers: { interval: 300 }, webRtc: { listen: [{ ip: mediaAddress }], layersSettleTime: 500 } },
				{ authorize: (action) => action.action !== 'join' || action.roomId !== 'forbidden' },
			);
			browser = await startClientBrowser(name);
		});
		after(async () => {
			await browser.close();
			server.close();
		});

		/** Opens pages for users. Firefox hides all but one page, and pauses nothing that is hidden if all share it. */
		function meet(t: TestContext) {
			let shared: Promise<Awaited<ReturnType<Browser['newPage']>>> | undefined;
			const open = async () => {
				const page = await browser.newPage();
				t.after(() => page.close());
				return page;
			};
			return async (userId: string, options: object = {}, view: object = {}) => {
				const page = name === 'Firefox' ? await (shared ??= open()) : await open();
				return new CallPage(page, userId).join(server.url, t.name, options, view);
			};
		}
		const userOf = (t: TestContext, userId: string) => server.sfu.rooms.get(t.name)!.users.get(userId)!;
		const pausedOf = (t: TestContext, userId: string) =>
			[...userOf(t, userId).pullers.values()].filter(({ kind }) => kind === 'video').map(({ paused }) => paused);

		const layerOf = (t: TestContext, userId: string) =>
			[...userOf(t, userId).pullers.values()].map((puller) =>
				puller.kind === 'video' ? puller.currentLayers?.spatialLayer : undefined,
			)[0];

		it('lets two users see and hear each other, and tells who comes and goes', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice', { userName: 'Alice' });
			await Promise.all([alice.do('publishCamera'), alice.do('publishTone')]);
			const bob = await enter('bob');
			await bob.do('publishCamera');
			await bob.untilPlaying('alice');
			await alice.untilPlaying('bob');
			await until(async () => (await bob.do<number>('audioEnergy')) > 0.01, 'bob hears alice');
			const [user] = await bob.users();
			assert.equal(user!.userName, 'Alice');
			assert.deepEqual(user!.tracks.map(({ source }) => source).sort(), ['camera', 'microphone']);
			await until(async () => (await bob.do<{ speaker: string }>('state')).speaker === 'alice', 'bob sees who speaks');
			await until(async () => (await alice.do<{ speaker: string }>('state')).speaker === 'me', 'alice sees it');
			await alice.do('leave');
			await bob.untilUsers('alice has left', (users) => users.length === 0);
			assert.equal(await alice.state(), 'closed');
			assert.deepEqual(
				(await alice.events('closed')).map(({ about }) => about),
				[{ reason: 'left', message: '' }],
			);
		});

		it('says why it cannot join', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			const { url } = server;
			const refused = await alice.call<{ code: string }>('failToJoin', { url, roomId: 'forbidden', userId: 'bob' });
			assert.equal(refused.code, 'forbidden');
			const taken = await alice.call<{ code: string }>('failToJoin', { url, roomId: t.name, userId: 'alice' });
			assert.equal(taken.code, 'conflict');
			const nobody = 'ws://127.0.0.1:9';
			const gone = await alice.call<{ code: string }>('failToJoin', { url: nobody, roomId: t.name, userId: 'bob' });
			assert.equal(gone.code, 'closed');
			assert.equal((await alice.call<{ sockets: number }>('counts')).sockets, 1);
		});

		it('mutes at once, tells the others, and obeys the app', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			await alice.do('publishTone');
			const bob = await enter('bob');
			const isMuted = (muted: boolean) =>
				bob.untilUsers(`alice is ${muted ? '' : 'not '}muted`, ([user]) => user?.tracks[0]?.muted === muted);
			await until(async () => (await bob.do<number>('audioEnergy')) > 0.01, 'bob hears alice');
			await alice.do('mute', 'microphone');
			assert.deepEqual(
				{ ...(await alice.local('microphone')), pusherId: null },
				{
					source: 'microphone',
					muted: true,
					mutedByServer: false,
					enabled: false,
					ended: false,
					pusherId: null,
					sent: true,
					active: [true],
				},
			);
			await isMuted(true);
			await alice.do('unmute', 'microphone');
			await isMuted(false);
			const [pusher] = userOf(t, 'alice').pushers.values();
			await pusher!.pause();
			await until(async () => (await alice.local('microphone'))!.mutedByServer, 'alice is told');
			await alice.do('unmute', 'microphone');
			assert.equal((await alice.local('microphone'))!.mutedByServer, true);
			await pusher!.resume();
			await until(async () => !(await alice.local('microphone'))!.mutedByServer, 'alice is told');
			await isMuted(false);
		});

		it('carries texts, data channels, and a name', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			const bob = await enter('bob');
			await alice.do('write', 'Hello');
			await until(async () => (await bob.events('message')).length === 1, 'bob reads it');
			const [message] = await bob.events('message');
			const about = message!.about as { message: string; userId: string };
			assert.deepEqual([about.userId, about.message], ['alice', 'Hello']);
			for (const label of ['chat', 'game']) {
				await alice.do('openChannel', label);
				await bob.untilUsers(`there is ${label}`, ([user]) => user!.channels.includes(label));
				await until(async () => {
					await alice.do('sendOn', label, `on ${label}`);
					const got = (await bob.events('data')).map((event) => (event.about as { data: string }).data);
					return got.includes(`on ${label}`);
				}, `bob gets what is sent on ${label}`);
			}
		});

		it('changes a name and metadata, and speaks with the app', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice', { metadata: { hand: false } });
			const bob = await enter('bob');
			assert.deepEqual((await bob.users())[0]!.metadata, { hand: false });
			await alice.do('update', { userName: 'Alice B.', metadata: { hand: true } });
			await bob.untilUsers('alice raises her hand', ([user]) => user!.userName === 'Alice B.');
			assert.deepEqual((await bob.users())[0]!.metadata, { hand: true });
			server.sfu.handle('double', ({ data }) => Number(data) * 2);
			assert.equal(await alice.do('ask', 'double', 21), 42);
			await alice.do('answerWith', 'greet', 'Hello');
			const user = userOf(t, 'alice');
			assert.equal(await user.request('greet', 'app'), 'Hello app');
			await assert.rejects(user.request('unknown'), { code: 'not_found' });
			user.send('news', { number: 1 });
			await until(async () => (await alice.events('appMessage')).length === 1, 'alice is told');
			const told = new Promise((resolve) => user.once('appMessage', resolve));
			await alice.do('tell', 'done', 1);
			assert.ok(await told);
		});

		it('receives only what is wanted', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			await alice.do('publishCamera');
			await alice.do('publishCanvas');
			await alice.do('publishTone');
			const readyOf = async (page: CallPage) =>
				(await page.users())[0]!.tracks.flatMap(({ ready, source }) => (ready ? source : [])).sort();
			const isReady = (page: CallPage, ...sources: string[]) =>
				until(
					async () => (await readyOf(page)).join() === sources.sort().join(),
					`${page.userId} gets ${sources.join()}`,
					30_000,
					() => page.explain(),
				);

			const bob = await enter('bob', { subscribe: 'none' });
			await sleep(500);
			await isReady(bob);
			await bob.do('subscribe', 'alice', 'screen');
			await isReady(bob, 'screen');
			await bob.untilPlaying('alice', 'screen');
			await bob.do('subscribe', 'alice', 'camera');
			await bob.do('unsubscribe', 'alice', 'screen');
			await isReady(bob, 'camera');
			await bob.untilPlaying('alice');

			const carol = await enter('carol', { predicate: 'microphone' });
			await isReady(carol, 'microphone');

			const dave = await enter('dave');
			await isReady(dave, 'camera', 'microphone', 'screen');
			await dave.do('unsubscribe', 'alice', 'camera');
			await isReady(dave, 'microphone', 'screen');
			await dave.do('subscribe', 'alice', 'camera');
			await isReady(dave, 'camera', 'microphone', 'screen');
			await dave.untilPlaying('alice');
		});

		it('publishes and stops again, in any order, also what came first', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			const bob = await enter('bob');
			const sources = (...wanted: string[]) =>
				bob.untilUsers(
					wanted.join(),
					([user]) =>
						user!.tracks
							.map(({ source }) => source)
							.sort()
							.join() === wanted.sort().join(),
				);
			await alice.do('publishCanvas', { source: 'first', simulcast: false });
			await alice.do('publishTone');
			await sources('first', 'microphone');
			assert.equal(await alice.do('publishCanvas', { source: 'first' }), 'conflict');
			await alice.do('stop', 'first');
			await sources('microphone');
			await alice.do('publishCanvas', { source: 'second', simulcast: false });
			await sources('microphone', 'second');
			await bob.untilPlaying('alice', 'second');
			await alice.do('stop', 'microphone');
			await sources('second');
			await alice.do('publishCanvas', { source: 'third' });
			await sources('second', 'third');
			await bob.untilPlaying('alice', 'third');
			await alice.do('stop', 'second');
			await alice.do('stop', 'third');
			await sources();
			await alice.do('publishCamera');
			await sources('camera');
			await bob.untilPlaying('alice');
		});

		it('takes what the server allows, and tells what it refuses', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			userOf(t, 'alice').setPermissions({ push: { sources: ['camera', 'screen'] } });
			await until(async () => (await alice.events('permissionsChanged')).length === 1, 'alice is told');
			const [camera, other] = await Promise.all([
				alice.do('publishCanvas', { source: 'camera' }),
				alice.do('publishCanvas', { source: 'other' }),
			]);
			assert.deepEqual([camera, other], [null, 'forbidden']);
			const bob = await enter('bob');
			await bob.untilPlaying('alice');
			userOf(t, 'alice').setPermissions({ push: false });
			await bob.untilUsers('nothing is left', ([user]) => user!.tracks.length === 0);
			await until(async () => (await alice.local('camera')) === undefined, 'alice gives it up');
			userOf(t, 'alice').setPermissions({ push: true });
			assert.equal(await alice.do('publishCanvas', { source: 'camera' }), null);
			await bob.untilPlaying('alice');
		});

		it('has the layer of its size, and nothing while nobody sees it', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			await alice.do('publishCamera', hd, { simulcast: true });
			const active = async () => (await alice.local('camera'))!.active;
			assert.equal((await active()).length, 3);
			const key = 'alice camera';
			const bob = await enter('bob', {}, { style: 'width:160px;height:90px' });
			await bob.untilPlaying('alice');
			await until(
				() => layerOf(t, 'bob') === 0,
				'bob gets the lowest layer',
				30_000,
				() => bob.explain(),
			);
			await until(
				async () => (await active()).join() === 'true,false,false',
				'alice sends no more',
				30_000,
				() => alice.explain(),
			);
			await bob.do('resize', key, 'width:1280px;height:720px');
			await until(
				// A browser on a busy machine makes each picture smaller.
				() => layerOf(t, 'bob') === 2,
				'bob gets the highest layer',
				60_000,
				() => bob.explain(),
			);
			await bob.untilPlaying('alice');
			assert.equal((await active()).join(), 'true,true,true');
			await bob.do('resize', key, 'width:160px;height:90px;position:absolute;top:9000px');
			await until(() => pausedOf(t, 'bob').join() === 'true', 'the video out of sight is paused');
			await bob.do('resize', key, 'width:160px;height:90px');
			await bob.untilPlaying('alice');
			assert.equal(pausedOf(t, 'bob').join(), 'false');
			await bob.call('setHidden', true);
			await until(() => pausedOf(t, 'bob').join() === 'true', 'the video of a hidden page is paused');
			await bob.call('setHidden', false);
			await bob.untilPlaying('alice');
			await bob.do('prefer', 'alice', 'camera', { spatial: 1 });
			await until(
				() => layerOf(t, 'bob') === 1,
				'bob gets what he prefers',
				60_000,
				() => bob.explain(),
			);
		});

		it('takes another device when one is gone, and stays muted', async (t) => {
			const enter = meet(t);
			const alice = await enter('alice');
			await alice.do('publishCamera');
			await alice.do('publishMicrophone');
			const bob = await enter('bob');
			await bob.untilPlaying('alice');
			await alice.do('mute', 'microphone');
			await alice.do('unplug', 'microphone');
			await until(async () => !(await alice.local('microphone'))!.ended, 'there is another microphone');
			const { muted, enabled, sent } = (await alice.local('microphone'))!;
			assert.deepEqual({ muted, enabled, sent }, { muted: true, enabled: false, sent: true });
			await alice.do('unplug', 'camera');
			await bob.untilPlaying('alice');

			await alice.call('failCapture', true);
			await alice.do('unplug', 'camera');
			await bob.untilUsers('the camera is gone', ([user]) =>
				user!.tracks.some(({ source, muted }) => source === 'camera' && muted),
			);
			assert.equal((await alice.local('camera'))!.ended, true);
			await alice.call('failCapture', false);
			await bob.untilUsers('the camera is back', ([user]) =>
				user!.tracks.every(({ source, muted }) => source !== 'camera' || !muted),
			);
			await bob.untilPlaying('alice');
			await alice.do('replaceCamera', { width: 320, height: 240 });
			await bob.untilPlaying('alice');
		});
	});
}
