import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Logger, Sfu } from 'sfu-rooms';
import { until } from '../media/setup.js';
import { anOffer } from '../support/offers.js';
import { mediaPushers, producerOf } from '../support/parted.js';
import { startServers } from '../support/servers.js';

const ignore = () => undefined;
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

async function start(t: TestContext) {
	const warnings: string[] = [];
	const logger: Logger = { ...silent, warn: (message) => warnings.push(message) };
	const [one, two] = (await startServers(2, { logger })) as [Sfu, Sfu];
	t.after(() => {
		one.close();
		two.close();
	});
	return { one, two, warnings };
}

const sourcesOf = (room: Awaited<ReturnType<Sfu['getOrCreateRoom']>>) => room.mutes.map(({ source }) => source).sort();

describe('The settings of a room on two servers', () => {
	it('have what the app has muted, wherever the user joins next', async (t) => {
		const { one, two } = await start(t);
		const here = await one.getOrCreateRoom('room');
		const there = await two.getOrCreateRoom('room');
		const push = { media: { '0': { source: 'microphone' }, '1': { source: 'camera' } } };
		const before = await here.join({ userId: 'alice' });
		const { pushers } = await before.push(anOffer('chromium-sendonly-audio-video'), push);
		await until(() => there.users.get('alice')?.pushers.size === 2, 'her tracks are known');
		const audio = pushers.find(({ kind }) => kind === 'audio')!;
		await there.users.get('alice')!.pushers.get(audio.pusherId)!.pause();
		await until(() => there.mutes.length === 1, 'the mute is known');
		assert.deepEqual(there.mutes, [{ userId: 'alice', kind: 'audio', source: 'microphone' }]);
		assert.deepEqual(here.mutes, there.mutes);
		const now = await there.join({ userId: 'alice', takeOver: true });
		const { pushers: again } = await now.push(anOffer('chromium-sendonly-audio-video'), push);
		const pausedBy = () => again.map(({ kind, pausedBy }) => [kind, [...pausedBy]]);
		assert.deepEqual(pausedBy(), [
			['audio', ['app']],
			['video', []],
		]);
		await until(() => here.users.get('alice')?.isRemote === true, 'she is known to have moved');
		here.unmute('alice');
		await until(() => !again[0]!.paused, 'she is heard again');
		await until(() => there.mutes.length === 0 && here.mutes.length === 0, 'nothing is muted');
	});

	it('are told to a server that opens the room later: its mutes, its lobby and its codecs', async (t) => {
		const { one, two, warnings } = await start(t);
		const here = await one.getOrCreateRoom('room', { lobby: true, codecs: ['VP8', 'opus'] });
		here.on('userWaiting', ({ waiting }) => {
			waiting.admit();
		});
		const alice = await here.join({ userId: 'alice' });
		const { pushers } = await alice.push(anOffer('chromium-sendonly-audio-video'));
		await pushers[0]!.pause();
		const there = await two.getOrCreateRoom('room');
		assert.deepEqual([there.lobby, sourcesOf(there)], [true, [undefined]]);
		const waiting: string[] = [];
		there.on('userWaiting', ({ waiting: one }) => {
			waiting.push(one.userId);
			one.admit();
		});
		const bob = await there.join({ userId: 'bob' });
		assert.deepEqual(waiting, ['bob']);
		const ofBob = mediaPushers(await bob.push(anOffer('chromium-sendonly-audio-video')));
		const codecs = ofBob.flatMap((pusher) => producerOf(pusher).rtpParameters.codecs.map(({ mimeType }) => mimeType));
		assert.deepEqual([...new Set(codecs)].sort(), ['audio/opus', 'video/VP8', 'video/rtx']);
		assert.deepEqual(warnings, [], 'nobody has asked for anything else');
		here.setLobby(false);
		await until(() => !there.lobby, 'what the app chooses later counts');
	});

	it('are those of whoever has opened it first, and others are warned of', async (t) => {
		const { one, two, warnings } = await start(t);
		const here = await one.getOrCreateRoom('room');
		const there = await two.getOrCreateRoom('room', { lobby: true, codecs: ['VP9'] });
		assert.deepEqual([here.lobby, there.lobby], [false, false]);
		assert.deepEqual(warnings, ['the room is open on another server with other options, which count']);
		const again = await two.getOrCreateRoom('room', { lobby: true });
		assert.equal(again, there, 'as on one server, a room that is open stays as it is');
		assert.equal(warnings.length, 1);
	});

	it('are the same on both, if both open it at the same moment with different ones', async (t) => {
		const { one, two, warnings } = await start(t);
		const [here, there] = await Promise.all([
			one.getOrCreateRoom('room', { lobby: true }),
			two.getOrCreateRoom('room', { lobby: false }),
		]);
		await until(() => here.lobby === there.lobby, 'one of them has followed the other one', 20_000);
		assert.equal(warnings.length, 1);
	});

	it('let a server refuse the room that has none of its codecs', async (t) => {
		const small = [
			{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
			{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
		] as const;
		const sfus = await startServers(2, (index) => (index === 0 ? {} : { codecs: [...small], logger: silent }));
		t.after(() => {
			for (const sfu of sfus) sfu.close();
		});
		const [one, two] = sfus as [Sfu, Sfu];
		await one.getOrCreateRoom('room', { codecs: ['VP9'] });
		await assert.rejects(two.getOrCreateRoom('room'), { code: 'unsupported' });
		assert.equal(two.rooms.size, 0);
	});
});
