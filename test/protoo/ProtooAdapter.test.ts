import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultClientLimits, ProtooAdapter, type ProtooOptions } from 'sfu-rooms/protoo';
import { serve } from './setup.js';

describe('ProtooAdapter', () => {
	const invalid: [unknown, RegExp][] = [
		[null, /^options must be object/],
		[[], /^options must be object/],
		[{ reconectTimeout: 1 }, /^options\.reconectTimeout is not known/],
		[{ reconnectTimeout: -1 }, /^options\.reconnectTimeout /],
		[{ reconnectTimeout: 0.5 }, /^options\.reconnectTimeout /],
		[{ reconnectTimeout: 2 ** 31 }, /^options\.reconnectTimeout /],
		[{ reconnectTimeout: '20' }, /^options\.reconnectTimeout /],
		[{ rtcpilot: 1 }, /^options\.rtcpilot /],
		[{ authorize: true }, /^options\.authorize must be a function/],
		[{ limits: 5 }, /^options\.limits /],
		[{ limits: { messages: 5 } }, /^options\.limits\.messages is not known/],
		...Object.keys(defaultClientLimits).map((limit): [unknown, RegExp] => [
			{ limits: { [limit]: 0 } },
			new RegExp(`^options\\.limits\\.${limit} `),
		]),
	];
	for (const [options, message] of invalid) {
		it(`refuses the options ${JSON.stringify(options)}`, async (t) => {
			const { sfu } = await serve(t);
			assert.throws(() => new ProtooAdapter(sfu, options as ProtooOptions), {
				name: 'SfuError',
				code: 'invalid_argument',
				message,
			});
		});
	}

	it('has the limits that its documentation names', () => {
		assert.deepEqual(defaultClientLimits, {
			messageLength: 262_144,
			pendingRequests: 256,
			responseTimeout: 30_000,
			messagesPerSecond: 50,
			messageBurst: 500,
			offersPerSecond: 10,
			offerBurst: 200,
			joinsPerSecond: 5,
			joinBurst: 100,
			roomsPerClient: 100,
			usersPerClient: 200,
			lostPerClient: 50,
			connectionsPerClient: 400,
			pullersPerPusher: 200,
			textLength: 4096,
			joinTimeout: 10_000,
			unjoinedLength: 16_384,
			lengthPerSecond: 500_000,
			lengthBurst: 4_000_000,
			invalidMessages: 20,
			bufferedBytes: 4_194_304,
		});
	});

	it('waits 20 s for a lost socket by default', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		// Only from here on: mediasoup has timers of its own.
		t.mock.timers.enable({ apis: ['setTimeout'] });
		alice.lose();
		await alice.closed;
		t.mock.timers.tick(19_999);
		const { users } = await server.sfu.getOrCreateRoom('room');
		assert.deepEqual([...users.keys()], ['alice', 'bob']);
		t.mock.timers.tick(1);
		assert.deepEqual([...users.keys()], ['bob']);
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});

	it('counts its open sockets', async (t) => {
		const { adapter, connect } = await serve(t);
		assert.equal(adapter.sockets, 0);
		const clients = [connect(), connect()];
		assert.equal(adapter.sockets, 2);
		clients[0]!.close();
		await clients[0]!.closed;
		assert.equal(adapter.sockets, 1);
	});
});
