// Takes 10 s.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkProperty } from '../support/seed.js';
import { ClusterPlay, script } from './ClusterPlay.js';
import type { ModelRoom } from './ModelRoom.js';

describe('servers of a cluster', () => {
	it('come to the same view, whatever happens', async () => {
		const property = fc.asyncProperty(script(50), (script) => ClusterPlay.play(script));
		await checkProperty(import.meta.filename, { few: 200, many: 10_000 }, property);
	});

	it('have one owner of a user who has joined on two of them at the same moment', async () => {
		await ClusterPlay.run(2, 7, async (play) => {
			const rooms = await play.openAll();
			for (let round = 0; round < 1000; round++) {
				play.network.weather = { loss: 0, double: 0, delay: 3, ordered: round % 2 === 0 };
				const userId = `user ${round}`;
				for (const room of rooms) room.join(userId, round);
				await play.pass(20);
				const owners = rooms.filter(({ own }) => own.has(userId));
				const others = rooms.filter(({ remote }) => remote.has(userId));
				assert.deepEqual([owners.length, others.length], [1, 1], userId);
			}
			await play.rest();
		});
	});

	for (const way of ['keeps', 'refuses'])
		it(`survive a bus that stops for 60 s, and ${way} messages`, async () => {
			await ClusterPlay.run(3, 7, async (play) => {
				const rooms = await play.openAll();
				rooms[0]!.join('ann', 1);
				rooms[1]!.join('bob', 2);
				await play.pass(1000);
				if (way === 'keeps') play.network.stop();
				else for (const { bus } of play.servers) bus.connected = false;
				await play.pass(30_000);
				rooms[0]!.change('ann', 3);
				rooms[1]!.leave('bob', 'left');
				rooms[1]!.join('cas', 4);
				rooms[2]!.join('cas', 5);
				rooms[2]!.setSetting('locked', true);
				await play.pass(30_000);
				assert.equal(rooms[2]!.remote.size, 2, 'nobody has gone meanwhile');
				assert.ok(!play.log.some((line) => line.includes('for dead')), 'nobody was taken for dead');
				await play.rest();
				assert.deepEqual([...rooms[0]!.remote.keys()], ['cas']);
				assert.equal(rooms[0]!.settings.get('locked'), true);
			});
		});

	it('bear direct links that are cut in one direction', async () => {
		await ClusterPlay.run(2, 7, async (play) => {
			const [here, there] = (await play.openAll()) as [ModelRoom, ModelRoom];
			here.join('ann', 1);
			there.join('bob', 2);
			await play.pass(2000);
			play.network.cutDirect(0, 1, true);
			await play.pass(10_000);
			assert.deepEqual([here.remote.size, there.remote.size], [1, 1], 'the bus is enough');
			for (const { bus } of play.servers) bus.connected = false;
			await play.pass(10_000);
			assert.deepEqual([here.remote.size, there.remote.size], [1, 0], 'who hears the other one keeps its users');
			await play.rest();
			assert.deepEqual([here.remote.size, there.remote.size], [1, 1]);
		});
	});

	it('take back one that was taken for dead', async () => {
		await ClusterPlay.run(3, 7, async (play) => {
			const [one, two, three] = (await play.openAll()) as [ModelRoom, ModelRoom, ModelRoom];
			one.join('ann', 1);
			two.join('bob', 2);
			await play.pass(1000);
			for (const other of [1, 2]) {
				play.network.cut(0, other, true);
				play.network.cut(other, 0, true);
				play.network.cutDirect(0, other, true);
				play.network.cutDirect(other, 0, true);
			}
			await play.pass(5000);
			assert.deepEqual([one.remote.size, two.remote.size, three.remote.size], [0, 0, 1], 'its users have gone');
			two.join('ann', 3);
			one.join('cas', 4);
			await play.rest();
			assert.deepEqual([...one.own.keys()], ['cas'], 'the later one counts');
			assert.deepEqual([...three.remote.keys()].sort(), ['ann', 'bob', 'cas']);
		});
	});
});
