import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { turnCredentials, type TurnCredentialsOptions } from 'sfu-rooms';

const secret = 'north';
const urls = ['turn:turn.example.com', 'turns:turn.example.com?transport=tcp'];

describe('turnCredentials()', () => {
	it('makes a name that says until when it counts and whose it is, and the password of that', (t) => {
		t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
		const { username, credential, ...rest } = turnCredentials({ secret, urls, lifetime: 60_000, userId: 'alice' });
		assert.deepEqual(rest, { urls });
		assert.equal(username, '1700000060:alice');
		assert.equal(credential, createHmac('sha1', secret).update('1700000060:alice').digest('base64'));
		assert.equal(turnCredentials({ secret, urls: 'turn:a' }).username, '1700086400', 'a day, of nobody');
	});

	it('makes a short ASCII name of every user id', () => {
		for (const userId of ['a:b', 'ö', '\ud800', '日本'.repeat(128), 'x'.repeat(256)]) {
			const { username = '' } = turnCredentials({ secret, urls, userId });
			assert.match(username, /^\d+:[\w%.~!*'()-]{1,256}$/, userId);
		}
	});

	it('refuses options that are wrong', () => {
		const wrong: object[] = [
			{},
			{ secret },
			{ urls },
			{ secret: '', urls },
			{ secret, urls: [] },
			{ secret, urls: 'stun:example.com' },
			{ secret, urls: ['turn:ok', 'http://example.com'] },
			{ secret, urls, lifetime: 999 },
			{ secret, urls, lifetime: Infinity },
			{ secret, urls, userId: 1 },
			{ secret, urls, other: 1 },
		];
		for (const options of wrong) {
			assert.throws(
				() => turnCredentials(options as TurnCredentialsOptions),
				{ code: 'invalid_argument' },
				JSON.stringify(options),
			);
		}
	});
});
