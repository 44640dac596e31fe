import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sendingOffer } from './offers.js';
import { serve } from './setup.js';

describe('Permissions that the app changes', () => {
	it('are told to the client itself, after what they close, and to nobody else', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const bob = await server.join('bob');
		await alice.push(sendingOffer());
		await Promise.all([alice.told(), bob.told()]);
		const user = server.sfu.rooms.get('room')?.users.get('alice');
		user?.setPermissions({ push: { kinds: [] }, pull: () => false });
		const told = await alice.told();
		assert.deepEqual(
			told.map(({ method, data }) => [method, data]),
			[
				[
					'permissionsChanged',
					{
						roomId: 'room',
						userId: 'alice',
						permissions: {
							push: { kinds: [] },
							openDataChannels: true,
							sendText: true,
							pull: true,
							updateMetadata: true,
							hidden: false,
						},
					},
				],
			],
		);
		assert.deepEqual([...new Set((await bob.told()).map(({ method }) => method))], ['pusherClosed']);
	});

	it('refuse a client what its user may not do', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		server.sfu.rooms.get('room')?.users.get('alice')?.setPermissions({ push: false });
		await assert.rejects(alice.push(sendingOffer()), /403|forbidden|may not push/);
	});
});

describe('A user that the app hides', () => {
	for (const rtcpilot of [false, true]) {
		it(`leaves for the others, and is told of in nothing until it is shown; rtcpilot: ${rtcpilot}`, async (t) => {
			const server = await serve(t, { rtcpilot });
			const alice = await server.join('alice');
			const bob = await server.join('bob');
			await alice.push(sendingOffer());
			await bob.told();
			const user = server.sfu.rooms.get('room')?.users.get('alice');
			const methods = async () => [...new Set((await bob.told()).map(({ method }) => method))];
			user?.setPermissions({ hidden: true });
			assert.deepEqual(await methods(), rtcpilot ? ['userLeft', 'userLeave'] : ['userLeft']);
			const carol = server.connect();
			const { users } = await carol.join('room', 'carol');
			assert.deepEqual(
				users.map(({ userId }) => userId),
				['bob'],
			);
			assert.deepEqual(await methods(), ['newUser']);
			user?.setPermissions({ hidden: false });
			assert.deepEqual(await methods(), ['newUser']);
			user?.setPermissions({ hidden: true });
			await methods();
			user?.close();
			assert.deepEqual(await methods(), [], 'whom nobody knows leaves unnoticed');
		});
	}
});
