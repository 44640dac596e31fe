import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Sfu, type Logger } from 'sfu-rooms';
import { loadOffer } from '../support/offers.js';
import { outcome } from '../rooms/setup.js';

const run = promisify(execFile);

describe('A worker without file descriptors left', () => {
	it('is unavailable for what needs one more, says so in the log, and serves everything else', async (t) => {
		const logged: string[] = [];
		const ignore = () => undefined;
		const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (message) => void logged.push(message) };
		const sfu = await Sfu.create({ workers: { count: 1 }, logger });
		t.after(() => {
			sfu.close();
		});
		const room = await sfu.getOrCreateRoom('room');
		const alice = await room.join({ userId: 'alice' });
		await alice.push(loadOffer('chromium-sendonly-audio-video'));
		const [dump] = await sfu.dump();
		const pid = String(dump!.pid);
		const open = readdirSync(`/proc/${pid}/fd`).length;
		await run('prlimit', ['--pid', pid, `--nofile=${open}:${open + 100}`]);

		const specs = [...alice.pushers.values()];
		// Its payload types are others than the pusher's: the router has to send to itself, by sockets.
		const bob = await room.join({ userId: 'bob' });
		const pull = () => bob.pull({ targetUserId: 'alice', specs, offer: loadOffer('firefox-recvonly-audio-video') });
		await assert.rejects(pull(), {
			code: 'unavailable',
			message: 'the media worker has no file descriptors or ports left',
		});
		assert.equal(logged.length, 1);
		assert.deepEqual([bob.pullers.size, bob.connections.length], [0, 0]);
		assert.deepEqual(readdirSync(`/proc/${pid}/fd`).length, open);
		const carol = await room.join({ userId: 'carol' });
		const same = { targetUserId: 'alice', specs, offer: loadOffer('chromium-recvonly-audio-video') };
		assert.equal(await outcome(carol.pull(same)), 'done', 'the same payload types need no socket');

		await run('prlimit', ['--pid', pid, `--nofile=${open + 100}:${open + 100}`]);
		assert.equal(await outcome(pull()), 'done');
	});
});
