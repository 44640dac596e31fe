// Takes 30 s.
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkProperty } from '../support/seed.js';
import { RoomsPlay, script } from './RoomsPlay.js';

describe('rooms on servers of a cluster', () => {
	it('are the same on all of them after whatever happens, tell nothing twice, and leave no pipe', async () => {
		const property = fc.asyncProperty(script(40), (script) => RoomsPlay.play(script));
		await checkProperty(import.meta.filename, { few: 100, many: 10_000 }, property);
	});
});
