import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertFaultsRefused, assertRefused, faultsOf, noObject, withoutEffect } from './faults.js';
import { receivingOffer, sendingOffer, without } from './offers.js';
import { serve, specsOf } from './setup.js';
import type { Spec } from '../support/protooClient.js';

const member = { roomId: 'room', userId: 'alice' };
const offer = (sdp: string) => ({ type: 'offer', sdp });

describe('join', () => {
	it('with invalid data is refused with 400', async (t) => {
		const server = await serve(t);
		const client = server.connect();
		const valid = { ...member, userName: 'Alice' };
		await withoutEffect(server, client, () =>
			assertFaultsRefused(client, 'join', {
				...noObject,
				...faultsOf(valid),
				'data.roomId must not be empty': { ...valid, roomId: '' },
				'data.userId must not be empty': { ...valid, userId: '' },
			}),
		);
		await client.join('room', 'alice');
		await client.push(sendingOffer());
	});

	for (const field of ['roomId', 'userId', 'userName']) {
		it(`with a ${field} that is too long is refused with 400`, async (t) => {
			const server = await serve(t);
			const client = server.connect();
			const valid = { ...member, userName: 'Alice' };
			await withoutEffect(server, client, async () => {
				await assertRefused(client, 'join', { ...valid, [field]: 'x'.repeat(257) }, 400, new RegExp(`${field} .*256`));
			});
			assert.equal((await client.join('room', 'alice')).code, 0);
		});
	}

	for (const field of ['userId', 'userName']) {
		it(`with a ${field} that is too long opens no room`, async (t) => {
			const server = await serve(t);
			const data = { roomId: 'new', userId: 'alice', userName: 'Alice', [field]: 'x'.repeat(257) };
			await assertRefused(server.connect(), 'join', data, 400, new RegExp(field));
			assert.deepEqual([...server.sfu.rooms.keys()], []);
		});
	}

	it('on a socket that has joined already is refused with 409', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		await withoutEffect(server, alice, async () => {
			for (const roomId of ['room', 'other']) {
				for (const userId of ['alice', 'carol']) {
					const data = { roomId, userId, userName: '' };
					await assertRefused(alice, 'join', data, 409, /joined already/);
				}
			}
		});
		await alice.push(sendingOffer());
	});

	it('as a user that the app itself has put in the room is refused with 409', async (t) => {
		const server = await serve(t);
		const room = await server.sfu.getOrCreateRoom('room');
		await room.join({ userId: 'alice' });
		const client = server.connect();
		await withoutEffect(server, client, () =>
			assertRefused(client, 'join', { ...member, userName: '' }, 409, /"alice" is in the room already/),
		);
		await client.join('room', 'carol');
	});

	it('beyond the number of users or rooms is refused with 429', async (t) => {
		const server = await serve(t, {}, { limits: { usersPerRoom: 2, rooms: 1 } });
		const client = server.connect();
		await server.join('bob');
		await withoutEffect(server, client, async () => {
			await assertRefused(client, 'join', { ...member, userName: '' }, 429, /more than 2 users/);
			await assertRefused(client, 'join', { ...member, roomId: 'other', userName: '' }, 429, /more than 1 rooms/);
		});
	});
});

describe('push', () => {
	const valid = () => ({ ...member, sdp: offer(sendingOffer()) });

	it('with invalid data is refused with 400', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const data = valid();
		await withoutEffect(server, alice, () =>
			assertFaultsRefused(alice, 'push', {
				...noObject,
				...faultsOf(data),
				...faultsOf(data.sdp, 'data.sdp', (sdp) => ({ ...data, sdp })),
				'data.sdp.type must be offer': { ...data, sdp: { ...data.sdp, type: 'answer' } },
				'data.sdp must be an object, not the SDP': { ...data, sdp: data.sdp.sdp },
			}),
		);
		await alice.push(sendingOffer());
	});

	it('with invalid media is refused', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const data = valid();
		const wrong: [unknown, number, RegExp][] = [
			[null, 400, /^data\.media must be array/],
			[{ '0': {} }, 400, /^data\.media must be array/],
			[[null], 400, /^data\.media\.0 must be object/],
			[[{ source: 'camera' }], 400, /^data\.media\.0\.mid is missing/],
			[[{ mid: 0 }], 400, /^data\.media\.0\.mid must be string/],
			[[{ mid: '0', source: [] }], 400, /^data\.media\.0\.source must be string/],
			[[{ mid: '0', scalabilityMode: 'x' }], 400, /^data\.media\.0\.scalabilityMode must match/],
			[[{ mid: '0', scalabilityMode: null }], 400, /^data\.media\.0\.scalabilityMode must be string/],
			[[{ mid: '0', codecs: 'VP8' }], 400, /^data\.media\.0\.codecs must be array/],
			[[{ mid: '0', codecs: [] }], 400, /^data\.media\.0\.codecs must NOT have fewer than 1 items/],
			[[{ mid: '0', codecs: ['VP10'] }], 400, /^no codec has the name "VP10"/],
			[[{ mid: '0', codecs: ['PCMU'] }], 406, /^none of PCMU is an allowed audio codec; those are opus/],
			[[{ mid: '0', maxBitrate: -1 }], 400, /^data\.media\.0\.maxBitrate must be >= 0/],
			[[{ mid: '0', maxBitrate: '1' }], 400, /^data\.media\.0\.maxBitrate must be integer/],
			[[{ mid: '0' }, { mid: '0' }], 400, /^data\.media names mid "0" twice/],
			[[{ mid: '7' }], 400, /mid "7"/],
			[[{ mid: '__proto__', source: 'camera' }], 400, /mid "__proto__"/],
			[[{ mid: '0', source: 'x'.repeat(257) }], 400, /source of mid "0" .*256/],
			[[{ mid: '0', metadata: 'x'.repeat(4095) }], 413, /metadata of mid "0" has 4097 bytes/],
		];
		await withoutEffect(server, alice, async () => {
			for (const [media, code, reason] of wrong) await assertRefused(alice, 'push', { ...data, media }, code, reason);
		});
		await alice.push(sendingOffer());
	});
});

describe('pull', () => {
	async function start(t: Parameters<typeof serve>[0]) {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const specs = specsOf(await bob.push(sendingOffer()));
		const valid = { ...member, targetUserId: 'bob', sdp: offer(receivingOffer()), specs };
		return { server, alice, specs, valid };
	}
	const unknown = '00000000-0000-4000-8000-000000000000';

	it('with invalid data is refused with 400', async (t) => {
		const { server, alice, specs, valid } = await start(t);
		const { sdp, ...others } = valid;
		const inSpecs = (spec: object) => ({ ...valid, specs: [specs[0], spec] });
		await withoutEffect(server, alice, () =>
			assertFaultsRefused(alice, 'pull', {
				...noObject,
				...faultsOf(others, 'data', (faulty) => ({ sdp, ...faulty })),
				...faultsOf(sdp, 'data.sdp', (faulty) => ({ ...others, sdp: faulty })),
				...faultsOf({ ...specs[1]! }, 'data.specs.1', inSpecs),
				'data.specs must not be empty': { ...valid, specs: [] },
				'data.specs.1 must be an object': { ...valid, specs: [specs[0], unknown] },
				'data.specs.1.type must be audio or video': inSpecs({ ...specs[1]!, type: 'application' }),
				'data.specs.1.pusher_id is missing': inSpecs({ type: 'audio', pusherId: specs[1]!.pusher_id }),
			}),
		);
		await alice.pull(receivingOffer(), 'bob', specs);
	});

	const impossible: [string, (specs: Spec[]) => object, number, RegExp][] = [
		['of an unknown user', () => ({ targetUserId: 'nobody' }), 404, /no user "nobody"/],
		['of a user named like an object’s own', () => ({ targetUserId: '__proto__' }), 404, /no user "__proto__"/],
		['of a user without pushers', () => ({ targetUserId: 'alice' }), 404, /user "alice" has no pusher/],
		[
			'of an unknown pusher',
			([first]) => ({ specs: [first, { type: 'audio', pusher_id: unknown }] }),
			404,
			new RegExp(`no pusher "${unknown}"`),
		],
		[
			'of a pusher named like an object’s own',
			() => ({ specs: [{ type: 'audio', pusher_id: 'constructor' }] }),
			404,
			/no pusher "constructor"/,
		],
		[
			'of a pusher by the wrong type',
			([video]) => ({ specs: [{ ...video, type: 'audio' }] }),
			400,
			/is video, not audio/,
		],
		['of one pusher twice', ([first]) => ({ specs: [first, first] }), 400, /twice/],
		[
			'of more than the offer has m-lines for',
			() => ({ sdp: offer(without('audio', receivingOffer())) }),
			400,
			/specs name 1 audio pushers.*receives audio on 0 /,
		],
		['with an offer that sends', () => ({ sdp: offer(sendingOffer()) }), 400, /receives video on 0 /],
	];
	for (const [name, change, code, reason] of impossible) {
		it(`${name} is refused with ${code}`, async (t) => {
			const { server, alice, specs, valid } = await start(t);
			await withoutEffect(server, alice, () =>
				assertRefused(alice, 'pull', { ...valid, ...change(specs) }, code, reason),
			);
			await alice.pull(receivingOffer(), 'bob', specs);
		});
	}

	it('of a pusher whose user has left is refused with 404', async (t) => {
		const { server, alice, valid } = await start(t);
		const bob = (await server.sfu.getOrCreateRoom('room')).users.get('bob')!;
		bob.close();
		await withoutEffect(server, alice, () => assertRefused(alice, 'pull', valid, 404, /no user "bob"/));
	});
});

for (const method of ['leave', 'heartbeat']) {
	describe(method, () => {
		it('with invalid data is refused with 400', async (t) => {
			const server = await serve(t);
			const alice = await server.join('alice');
			await withoutEffect(server, alice, () =>
				assertFaultsRefused(alice, method, { ...noObject, ...faultsOf({ ...member }) }),
			);
			await alice.push(sendingOffer());
		});
	});
}

describe('textMessage', () => {
	it('with invalid data reaches nobody, and closes nothing', async (t) => {
		const server = await serve(t, { limits: { invalidMessages: 3 } });
		const alice = await server.join('alice');
		const valid = { ...member, message: 'hello' };
		await withoutEffect(server, alice, async () => {
			for (const data of [
				...Object.values(noObject),
				...Object.values(faultsOf(valid)),
				{ ...valid, time: {} },
				{ ...valid, roomId: 'other' },
				{ ...valid, userId: 'bob' },
			]) {
				alice.notify('textMessage', data);
			}
			await alice.heartbeat();
		});
		await alice.push(sendingOffer());
	});

	it('of a socket that has not joined reaches nobody', async (t) => {
		const server = await serve(t);
		const client = server.connect();
		await withoutEffect(server, client, async () => {
			client.notify('textMessage', { ...member, message: 'hello' });
			await client.heartbeat().catch(() => undefined);
		});
	});
});

describe('A message speaks for the user that joined on its socket, and for no other', () => {
	const messages: Record<string, object> = {
		push: { sdp: offer(sendingOffer()) },
		pull: { sdp: offer(receivingOffer()), targetUserId: 'bob', specs: [{ type: 'video', pusher_id: 'any' }] },
		leave: {},
		heartbeat: {},
	};
	for (const [method, data] of Object.entries(messages)) {
		it(`${method} of another room or user is refused with 403`, async (t) => {
			const server = await serve(t);
			const alice = await server.join('alice');
			await server.join('bob');
			await withoutEffect(server, alice, async () => {
				await assertRefused(alice, method, { ...member, ...data, roomId: 'other' }, 403, /^roomId /);
				await assertRefused(alice, method, { ...member, ...data, userId: 'bob' }, 403, /^userId /);
			});
			await alice.push(sendingOffer());
		});

		it(`${method} of a socket that has not joined is refused with 409`, async (t) => {
			const server = await serve(t);
			const client = server.connect();
			await withoutEffect(server, client, () =>
				assertRefused(client, method, { ...member, ...data }, 409, /not joined/),
			);
			await client.join('room', 'alice');
			await client.push(sendingOffer());
		});

		it(`${method} of a socket that has left is refused with 409`, async (t) => {
			const server = await serve(t);
			const alice = await server.join('alice');
			await alice.leave();
			await withoutEffect(server, alice, () => assertRefused(alice, method, { ...member, ...data }, 409, /not joined/));
		});
	}
});
