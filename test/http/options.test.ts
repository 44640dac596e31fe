import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultHttpLimits } from 'sfu-rooms/http';
import { resolveHttpOptions } from '../../src/http/options.js';

describe('Without options', () => {
	it('everything has its documented default', () => {
		assert.deepEqual(resolveHttpOptions({}), {
			path: '',
			authorize: undefined,
			authorizeTimeout: 10_000,
			lobbyTimeout: 30_000,
			waitForPusher: true,
			noPusherStatus: 409,
			allowedOrigins: ['*'],
			origin: '',
			nodeUrl: undefined,
			clientKey: undefined,
			limits: {
				offersPerSecond: 5,
				offerBurst: 100,
				requestsPerSecond: 20,
				requestBurst: 200,
				sessionsPerClient: 200,
				fragmentBytes: 16_384,
				bodyTimeout: 10_000,
				streamsPerSession: 4,
				clients: 10_000,
			},
		});
	});
});

describe('An option', () => {
	it('replaces its own default alone', () => {
		const { limits, path } = resolveHttpOptions({ path: '/rtc', limits: { offerBurst: 1 } });
		assert.equal(path, '/rtc');
		assert.deepEqual(limits, { ...defaultHttpLimits, offerBurst: 1 });
	});
});

describe('A wrong option is named:', () => {
	const wrong: [options: unknown, message: RegExp][] = [
		[null, /^options must be object/],
		[{ port: 1 }, /^options\.port is not known/],
		...['rtc', '/rtc/', '/rtc?x', '/a b', 5].map((path): [unknown, RegExp] => [{ path }, /^options\.path /]),
		[{ authorize: true }, /^options\.authorize must be a function/],
		[{ nodeUrl: 'http://a' }, /^options\.nodeUrl must be a function/],
		[{ clientKey: 'ip' }, /^options\.clientKey must be a function/],
		[{ authorizeTimeout: 0 }, /^options\.authorizeTimeout /],
		[{ lobbyTimeout: -1 }, /^options\.lobbyTimeout /],
		[{ waitForPusher: 'no' }, /^options\.waitForPusher /],
		[{ noPusherStatus: 500 }, /^options\.noPusherStatus /],
		[{ allowedOrigins: 'https://a.example' }, /^options\.allowedOrigins /],
		[{ allowedOrigins: ['a.example'] }, /^options\.allowedOrigins\.0 /],
		[{ origin: 'https://a.example/path' }, /^options\.origin /],
		[{ limits: { offers: 1 } }, /^options\.limits\.offers is not known/],
		...Object.keys(defaultHttpLimits).map((limit): [unknown, RegExp] => [
			{ limits: { [limit]: -1 } },
			new RegExp(`^options\\.limits\\.${limit} `),
		]),
	];
	for (const [options, message] of wrong) {
		it(JSON.stringify(options), () => {
			const code = 'invalid_argument';
			assert.throws(() => resolveHttpOptions(options as object), { name: 'SfuError', code, message });
		});
	}
});
