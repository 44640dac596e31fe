import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger, LogFields } from 'sfu-rooms';
import { anOffer } from '../support/offers.js';
import { pullAll, startRoom } from './setup.js';

/** A logger that keeps all entries. */
function keeper() {
	const entries: { level: string; message: string; fields: LogFields }[] = [];
	const at =
		(level: string) =>
		(message: string, fields: LogFields = {}) =>
			void entries.push({ level, message, fields });
	const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
	return { entries, logger };
}

describe('The log', () => {
	it('tells what happened to one user, with ids as fields', async (t) => {
		const { entries, logger } = keeper();
		const { room, join } = await startRoom(t, { logger });
		const [alice, bob] = [await join('alice'), await join('bob')];
		const pushed = await alice.push(anOffer('chromium-sendonly-audio'), { media: { '0': { source: 'microphone' } } });
		const pulled = await bob.pull(pullAll(alice));
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...pushed.pushers] });
		offer.refuse();
		pulled.connection.close();
		bob.kick('rude');
		room.close('over');
		const of = (userId: string) => entries.filter(({ fields }) => fields.userId === userId);
		assert.ok(entries.every(({ fields }) => fields.roomId === 'room'));
		assert.deepEqual(
			of('alice').map(({ level, message }) => [level, message]),
			[
				['info', 'a user joined'],
				['debug', 'a connection was opened'],
				['debug', 'an offer was answered'],
				['debug', 'a pusher was added'],
				['debug', 'a pusher closed'],
				['info', 'a connection closed'],
				['info', 'a user left'],
			],
		);
		assert.deepEqual(
			of('bob').map(({ message, fields }) => [message, fields.reason ?? fields.offeredBy].flat().join(': ')),
			[
				'a user joined: ',
				'a connection was opened: client',
				'an offer was answered: ',
				'a puller was added: ',
				'a connection was opened: server',
				'an offer was made: ',
				'a puller was added: ',
				'an offer was refused by the client: ',
				'a puller closed: rejected',
				'a connection closed: offerFailed',
				'a puller closed: connectionClosed',
				'a connection closed: closed',
				'a user left: rude',
			],
		);
		const [{ fields: opened } = { fields: {} as LogFields }] = of('alice').filter(({ message }) =>
			message.includes('opened'),
		);
		assert.equal(opened.connectionId, pushed.connection.connectionId);
		assert.deepEqual(
			entries
				.filter(({ fields }) => fields.userId === undefined)
				.map(({ message, fields }) => [message, fields.reason]),
			[
				['a room was opened', undefined],
				['a room was closed', 'over'],
			],
		);
	});

	it('never has SDP, ICE passwords or fingerprints', async (t) => {
		const { entries, logger } = keeper();
		const { join } = await startRoom(t, { logger });
		const alice = await join('alice');
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		await assert.rejects(alice.push('v=0 a=ice-pwd:secret'));
		const offer = await (await join('bob')).pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		await assert.rejects(offer.answer('v=0 a=ice-pwd:secret'));
		alice.close();
		const written = JSON.stringify(entries);
		for (const secret of ['ice-pwd', 'ice-ufrag', 'fingerprint', 'v=0', 'm=audio', 'secret']) {
			assert.ok(!written.includes(secret), secret);
		}
	});

	it('may throw, and harms nothing', async (t) => {
		const fail = () => {
			throw new Error('of the logger');
		};
		const { join } = await startRoom(t, { logger: { debug: fail, info: fail, warn: fail, error: fail } });
		const alice = await join('alice');
		const { pushers } = await alice.push(anOffer('chromium-sendonly-audio'));
		assert.equal(pushers.length, 1);
		alice.close();
	});
});
