// Takes 30 s.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkProperty } from '../support/seed.js';
import type { PlayedServer } from './PlayedServer.js';
import { RoomsPlay, script } from './RoomsPlay.js';

describe('rooms on servers of a cluster', () => {
	it('are the same on all of them after whatever happens, tell nothing twice, and leave no pipe', async () => {
		const property = fc.asyncProperty(script(40), (script) => RoomsPlay.play(script));
		await checkProperty(import.meta.filename, { few: 100, many: 10_000 }, property);
	});

	it('know who speaks elsewhere as soon as they open, and who began last on several servers', async () => {
		await RoomsPlay.run(3, 7, async (play) => {
			const [one, two, three] = play.servers as [PlayedServer, PlayedServer, PlayedServer];
			const within = async (doing: Promise<unknown>) => {
				await play.pass(100);
				await doing;
			};
			const speakerOn = (server: PlayedServer) => server.rooms.get('room')?.activeSpeaker?.user.userId;
			for (const [server, userId] of [
				[one, 'ann'],
				[two, 'bob'],
			] as const) {
				await within(server.join('room', userId, false));
				await within(server.push('room', userId, 1));
			}
			for (const [server, userId] of [
				[two, 'bob'],
				[one, 'ann'],
			] as const) {
				server.workers.speak(0);
				await play.pass(10);
				assert.deepEqual([one, two].map(speakerOn), [userId, userId]);
			}
			await within(three.open('room'));
			assert.equal(speakerOn(three), 'ann', 'both speak, and she has begun last');
			one.workers.speak(1);
			await play.pass(10);
			assert.deepEqual([one, two, three].map(speakerOn), ['bob', 'bob', 'bob']);
			two.close();
			await play.pass(10);
			assert.deepEqual([one, three].map(speakerOn), [undefined, undefined]);
		});
	});
});
