import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sfu } from 'sfu-rooms';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import { answerByWerift, pushByWerift } from '../support/weriftPeer.js';
import { startRoom, startSfu, until } from './setup.js';

/** Notes all operations that have ended: their names, users and codes. */
function follow(sfu: Sfu) {
	const ended: string[] = [];
	const stop = sfu.observe({
		begun: (operation) => ({
			ended: ({ error }) => {
				const { name, userId = '', waited } = operation;
				ended.push([name, userId, waited ? 'waited' : '', error?.code ?? ''].filter(Boolean).join(' '));
			},
		}),
	});
	return { ended, stop };
}

describe('What an Sfu lets observe', () => {
	it('has each operation of a call, with its user, until the client has connected', async (t) => {
		const { sfu } = await startSfu(t, { webRtc: { listen: [{ ip: mediaAddress }] } });
		const { ended, stop } = follow(sfu);
		const room = await sfu.getOrCreateRoom('room');
		await sfu.getOrCreateRoom('room');
		const [alice, bob] = [await room.join({ userId: 'alice' }), await room.join({ userId: 'bob' })];
		const { connection } = await pushByWerift(t, alice);
		await until(() => connection.state === 'connected', 'alice has connected', 20_000);
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		await answerByWerift(t, offer);
		await until(() => offer.connection.state === 'connected', 'bob has connected', 20_000);
		assert.deepEqual(ended.slice(0, 5), ['openRoom', 'join alice', 'join bob', 'push alice', 'connect alice']);
		assert.deepEqual(ended.slice(5).sort(), ['answer bob', 'connect bob', 'offer bob', 'pull bob']);
		stop();
		await room.join({ userId: 'carol' });
		assert.equal(ended.length, 9);
	});

	it('has each failure, with its code', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const { ended } = follow(sfu);
		const alice = await join('alice');
		await assert.rejects(join('alice'));
		await assert.rejects(room.join({ userId: '' }));
		await assert.rejects(room.join(undefined as never));
		await assert.rejects(alice.push('no SDP'));
		await assert.rejects(alice.pull({ targetUserId: 'nobody', specs: [{ pusherId: 'none' }] }));
		await alice.push(anOffer('chromium-sendonly-audio'));
		const bob = await join('bob');
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		await assert.rejects(offer.answer('no SDP'));
		alice.close();
		await assert.rejects(alice.push(anOffer('chromium-sendonly-audio')));
		assert.deepEqual(ended, [
			'join alice',
			'join alice conflict',
			'join invalid_argument',
			'join invalid_argument',
			'push alice invalid_argument',
			'pull alice not_found',
			'push alice',
			'join bob',
			'offer bob',
			'pull bob',
			'answer bob invalid_argument',
			'connect alice closed',
			'push alice closed',
		]);
	});

	it('has a client that does not connect in time, and one whose worker dies', async (t) => {
		const { sfu, join, worker } = await startRoom(t, { webRtc: { connectTimeout: 300 } });
		const { ended } = follow(sfu);
		const alice = await join('alice');
		await alice.push(anOffer('chromium-sendonly-audio'));
		await until(() => ended.includes('connect alice timeout'), 'the time is over', 20_000);
		const carol = await join('carol');
		await carol.push(anOffer('chromium-sendonly-audio'));
		process.kill(worker.pid, 'SIGKILL');
		await until(() => ended.some((one) => one.startsWith('connect carol')), 'the worker has died', 20_000);
		assert.ok(ended.includes('connect carol unavailable') || ended.includes('connect carol timeout'));
	});

	it('says of a join that it has waited in the lobby, and how it was refused', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const { ended } = follow(sfu);
		room.setLobby(true);
		room.on('userWaiting', ({ waiting }) => {
			if (waiting.userId === 'alice') waiting.admit();
			else waiting.refuse();
		});
		await join('alice');
		await assert.rejects(join('bob'));
		assert.deepEqual(ended, ['join alice waited', 'join bob waited forbidden']);
	});

	it('is logged when it fails, by its code', async (t) => {
		const entries: unknown[] = [];
		const ignore = () => undefined;
		const logger = {
			info: ignore,
			warn: ignore,
			error: ignore,
			debug: (message: string, fields: Record<string, unknown> = {}) => {
				const { operation, roomId, userId, code } = fields;
				if (message === 'an operation failed') entries.push([operation, roomId, userId, code]);
			},
		};
		const { join } = await startRoom(t, { logger });
		const alice = await join('alice');
		await assert.rejects(alice.pull({ targetUserId: 'nobody', specs: [{ pusherId: 'none' }] }));
		assert.deepEqual(entries, [['pull', 'room', 'alice', 'not_found']]);
	});
});
