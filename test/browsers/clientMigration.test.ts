// Takes 20 s.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cannotRun } from '../support/browsers.js';
import { CallPage, serveRooms, startClientBrowser, until } from '../support/clientPages.js';
import { mediaAddress } from '../support/namespace.js';
import { startServers } from '../support/servers.js';
import { someOf } from '../support/seed.js';

for (const name of someOf(import.meta.filename, 1, ['Chromium', 'Firefox'] as const)) {
	it(`The client in ${name} moves to another server when its own will stop`, { skip: cannotRun(name) }, async (t) => {
		const sfus = await startServers(2, { webRtc: { listen: [{ ip: mediaAddress }] } }, mediaAddress);
		const servers = await Promise.all(sfus.map((sfu) => serveRooms(sfu)));
		const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]];
		const browser = await startClientBrowser(name);
		t.after(async () => {
			await browser.close();
			for (const server of servers) server.close();
		});
		const page = await browser.newPage();
		const [alice, bob] = ['alice', 'bob'].map((userId) => new CallPage(page, userId)) as [CallPage, CallPage];
		await alice.join(first.url, 'studio', { urls: [first.url, second.url] });
		await bob.join(second.url, 'studio');
		await alice.do('publishCamera');
		await alice.do('publishMicrophone');
		await bob.do('publishCamera');
		await alice.untilPlaying('bob');
		await bob.untilPlaying('alice');
		await alice.do('mute', 'microphone');

		const since = Date.now();
		await first.sfu.drain();
		await until(() => !second.sfu.rooms.get('studio')!.users.get('alice')!.isRemote, 'alice is on the second server');
		await bob.untilPlaying('alice');
		await alice.untilPlaying('bob');
		for (const [one, other] of [
			[alice, 'bob'],
			[bob, 'alice'],
		] as const) {
			const gap = await one.do<number>('longestGap', `${other} camera`, since, Date.now());
			t.diagnostic(`${one.userId} sees ${other}: no frame for ${gap} ms`);
			// Less than a second where nothing else runs.
			assert.ok(gap < 5000, `no frame for ${gap} ms`);
		}
		const states = (await alice.events('state')).map(({ about }) => about);
		assert.deepEqual(states, [{ state: 'connected', resumed: false }], 'it is never without a connection');
		assert.equal((await alice.local('microphone'))!.enabled, false);
		await bob.untilUsers('alice is muted', ([user]) =>
			user!.tracks.some(({ kind, muted }) => kind === 'audio' && muted),
		);
	});
}
