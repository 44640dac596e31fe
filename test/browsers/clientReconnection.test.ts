// Takes 90 s.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserName, cannotRun } from '../support/browsers.js';
import { CallPage, startClientBrowser, startRoomServer, until } from '../support/clientPages.js';
import { cannotDropPackets, dropIncoming, mediaAddress } from '../support/namespace.js';
import { eachInOne } from '../support/seed.js';
import { demoEnvironment, serverCommand, startCommand } from '../examples/demo.js';

const names = ['Chromium', 'Firefox'] as const satisfies BrowserName[];
const itIn = eachInOne(
	import.meta.filename,
	names.filter((name) => !cannotRun(name)),
);

for (const name of names) {
	describe(`The client in ${name} comes back`, { skip: cannotRun(name) }, () => {
		const it = itIn(name);
		let browser: Browser;
		let server: Awaited<ReturnType<typeof startRoomServer>>;

		before(async () => {
			server = await startRoomServer({}, { reconnectTimeout: 10_000 });
			browser = await startClientBrowser(name);
		});
		after(async () => {
			await browser.close();
			server.close();
		});

		/** Two users who see each other, each with a camera and a microphone; all in one page. */
		async function meet(t: TestContext, url = server.url, options: object = {}) {
			const page = await browser.newPage();
			t.after(() => page.close());
			const [alice, bob] = ['alice', 'bob'].map((userId) => new CallPage(page, userId)) as [CallPage, CallPage];
			for (const one of [alice, bob]) {
				await one.join(url, t.name, options);
				await one.do('publishCamera');
				await one.do('publishMicrophone');
			}
			await alice.untilPlaying('bob');
			await bob.untilPlaying('alice');
			return { alice, bob, page };
		}
		const playOn = async (alice: CallPage, bob: CallPage) => {
			await bob.untilPlaying('alice');
			await alice.untilPlaying('bob');
		};

		it('after a socket is cut: nobody notices, media goes on, and what happened meanwhile holds', async (t) => {
			const { alice, bob } = await meet(t);
			const before = await alice.local('camera');
			const { made } = await alice.call<{ made: number }>('counts');
			for (const socket of server.sockets.clients) socket.terminate();
			await alice.untilState('reconnecting');
			await alice.do('mute', 'microphone');
			assert.equal((await alice.local('microphone'))!.enabled, false);
			await alice.untilState('connected');
			await bob.untilUsers('alice is muted', ([user]) =>
				user!.tracks.some(({ kind, muted }) => kind === 'audio' && muted),
			);
			assert.deepEqual(await alice.local('camera'), before);
			assert.deepEqual(await bob.events('userLeft'), []);
			assert.deepEqual(
				(await alice.events('state')).map(({ about }) => about),
				[{ state: 'reconnecting' }, { state: 'connected', resumed: true }],
			);
			await playOn(alice, bob);
			assert.equal((await alice.call<{ made: number }>('counts')).made, made, 'no RTCPeerConnection is new');
		});

		it('after ten cut sockets in a row, at any moment of what it does', async (t) => {
			const { alice, bob } = await meet(t);
			for (let round = 0; round < 10; round++) {
				const doing = alice.do(round % 2 === 0 ? 'publishCanvas' : 'stop', ...(round % 2 === 0 ? [] : ['screen']));
				await sleep(round * 7);
				await alice.call('cutSocket');
				await doing;
				await alice.untilState('connected');
				await bob.untilState('connected');
			}
			await bob.untilUsers('there is no screen', ([user]) => user!.tracks.every(({ source }) => source !== 'screen'));
			await playOn(alice, bob);
		});

		it('after the media worker has died', async (t) => {
			const { alice, bob } = await meet(t);
			await alice.do('mute', 'microphone');
			const since = Date.now();
			for (const { pid } of await server.sfu.dump()) process.kill(pid, 'SIGKILL');
			await playOn(alice, bob);
			const gap = await bob.do<number>('longestGap', 'alice camera', since, Date.now());
			t.diagnostic(`${gap} ms without a frame`);
			await bob.untilUsers('alice is muted', ([user]) =>
				user!.tracks.some(({ kind, muted }) => kind === 'audio' && muted),
			);
			assert.equal((await alice.local('microphone'))!.enabled, false);
			assert.deepEqual(await bob.events('userLeft'), []);
		});

		it('after the server was killed and started again: the mute holds, and the roster is right', async (t) => {
			const environment = { ...demoEnvironment('0'), ORIGIN: browser.origin };
			const first = await startCommand(t, serverCommand('express'), environment);
			const { alice, bob } = await meet(t, `${first.url.replace('http', 'ws')}/webrtc`);
			await alice.do('mute', 'microphone');
			// The media workers end with their server.
			process.kill(-first.process.pid!, 'SIGKILL');
			await alice.untilState('reconnecting');
			await alice.do('unmute', 'camera');
			await startCommand(t, serverCommand('express'), { ...environment, PORT: new URL(first.url).port });
			await alice.untilState('connected');
			await bob.untilState('connected');
			await bob.untilUsers('alice is muted', ([user]) =>
				Boolean(user?.tracks.some(({ kind, muted }) => kind === 'audio' && muted)),
			);
			await playOn(alice, bob);
			const { muted, enabled } = (await alice.local('microphone'))!;
			assert.deepEqual({ muted, enabled }, { muted: true, enabled: false });
			assert.equal((await alice.users()).length, 1);
		});

		it('after ten reloads in a row', async (t) => {
			const page = await browser.newPage();
			t.after(() => page.close());
			const bob = new CallPage(page, 'bob');
			await bob.join(server.url, t.name);
			// Firefox shows one page only, and the frames of another one do not count.
			for (let round = 0; round < 10; round++) {
				const other = await browser.newPage();
				const alice = await new CallPage(other, 'alice').join(server.url, t.name);
				await alice.do('publishCanvas', { source: 'camera' });
				await bob.untilUsers('alice is there', (users) => users.length === 1 && users[0]!.tracks.length === 1);
				await other.close();
				await bob.untilUsers('alice has gone', (users) => users.length === 0);
			}
			assert.equal(server.sfu.rooms.get(t.name)!.users.size, 1);
			assert.deepEqual(await bob.events('error'), []);
		});

		it('when its page was asleep', async (t) => {
			const { alice, bob } = await meet(t);
			// No timer and no message of the page runs for longer than the server's patience with a heartbeat.
			await alice.call('block', 12_000);
			await playOn(alice, bob);
			assert.deepEqual(await alice.events('state'), [], 'a late timer is no dead server');
		});

		it('is told when the same user joins elsewhere, and does not fight for the place', async (t) => {
			const strict = await startRoomServer(
				{},
				{ authorize: (action) => action.action !== 'join' || { takeOver: true } },
			);
			t.after(() => {
				strict.close();
			});
			const { alice, bob } = await meet(t, strict.url);
			const page = await browser.newPage();
			t.after(() => page.close());
			await new CallPage(page, 'alice').join(strict.url, t.name);
			await until(async () => (await alice.state()) === 'closed', 'the first one ends');
			assert.deepEqual(
				(await alice.events('closed')).map(({ about }) => (about as { reason: string }).reason),
				['duplicateUser'],
			);
			strict.sfu.rooms.get(t.name)!.users.get('bob')!.kick('enough');
			await until(async () => (await bob.state()) === 'closed', 'bob is kicked');
			assert.deepEqual(
				(await bob.events('closed')).map(({ about }) => about),
				[{ reason: 'kicked', message: 'enough' }],
			);
			assert.equal((await alice.call<{ open: number }>('counts')).open, 0);
		});

		// Firefox says `connected` after such a cut, and at times receives nothing all the same.
		const cannotCut = name === 'Firefox' ? 'the client does not notice it in Firefox yet' : cannotDropPackets;
		it('when nothing of its media gets through for a while', { skip: cannotCut }, async (t) => {
			const port = 42_000;
			const narrow = await startRoomServer({
				webRtc: { listen: [{ ip: mediaAddress, port, protocols: ['udp'] }] },
			});
			t.after(() => {
				narrow.close();
			});
			const { alice, bob } = await meet(t, narrow.url);
			const cut = dropIncoming({ percent: 100, udpPort: port });
			await sleep(12_000);
			cut.stop();
			const since = Date.now();
			await playOn(alice, bob);
			t.diagnostic(`plays ${Date.now() - since} ms after the network is back`);
			assert.deepEqual(await bob.events('userLeft'), []);
		});

		it('when its address has changed: it restarts ICE on a new socket', { skip: cannotDropPackets }, async (t) => {
			// The pages reach the server by one address, and after the change by another one alone.
			const ip = (...args: string[]) => execFileSync('/sbin/ip', args);
			const second = '10.77.0.9';
			ip('address', 'add', `${second}/24`, 'dev', 'sfu0');
			t.after(() => {
				ip('address', 'del', `${second}/24`, 'dev', 'sfu0');
			});
			const { alice, bob } = await meet(t);
			const { made } = await alice.call<{ made: number }>('counts');
			const since = Date.now();
			await alice.call('comeOnline');
			await sleep(3000);
			await playOn(alice, bob);
			assert.deepEqual(await alice.events('state'), [], 'the socket lives, and stays');
			assert.equal((await alice.call<{ made: number }>('counts')).made, made);
			const gap = await bob.do<number>('longestGap', 'alice camera', since, Date.now());
			t.diagnostic(`${gap} ms without a frame`);
			assert.ok(gap < 3000, `${gap} ms without a frame`);
		});
	});
}
