import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SfuOptions } from 'sfu-rooms';
import { startRoom } from './setup.js';

const turn = { urls: 'turn:example.com', username: 'name', credential: 'password' };

describe('sfu.iceServersOf()', () => {
	it('gives the list of the option, and a function of each user', async (t) => {
		const fixed = await startRoom(t, { iceServers: [turn] });
		assert.deepEqual(await fixed.sfu.iceServersOf(await fixed.join('alice')), [turn]);
		const asked: unknown[] = [];
		const each = await startRoom(t, {
			iceServers: async ({ userId, metadata, appData }) => {
				asked.push([userId, metadata, appData]);
				return Promise.resolve([{ ...turn, username: userId }]);
			},
		});
		const bob = await each.room.join({ userId: 'bob', metadata: 1, appData: 2 });
		assert.deepEqual(await each.sfu.iceServersOf(bob), [{ ...turn, username: 'bob' }]);
		assert.deepEqual(asked, [['bob', 1, 2]]);
	});

	it('gives none by default', async (t) => {
		const { sfu, join } = await startRoom(t);
		assert.deepEqual(await sfu.iceServersOf(await join('alice')), []);
	});

	const failing: Record<string, unknown> = {
		throws: () => {
			throw new Error('no');
		},
		rejects: () => Promise.reject(new Error('no')),
		'takes too long': () => new Promise(() => undefined),
		'gives no list': () => turn,
		'gives a TURN server without a password': () => [{ urls: 'turn:example.com', username: 'name' }],
		'gives another scheme': () => [{ urls: 'https://example.com' }],
		'gives too many': () => Array.from({ length: 33 }, () => turn),
	};
	for (const [how, iceServers] of Object.entries(failing)) {
		it(`gives none, and logs that, if the function ${how}`, async (t) => {
			const options = { iceServers, iceServersTimeout: 20 } as SfuOptions;
			const { sfu, join, messages } = await startRoom(t, options);
			assert.deepEqual(await sfu.iceServersOf(await join('alice')), []);
			assert.ok(
				messages.some((message) => message.includes('a user gets no iceServers')),
				messages.join('\n'),
			);
		});
	}
});
