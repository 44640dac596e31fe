import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { LayerController } from '../../src/layers/LayerController.js';
import type { Link } from '../../src/layers/LayerPolicy.js';
import { SharedLink } from '../../src/layers/SharedLink.js';
import { recorder, until } from '../media/setup.js';
import { FakePuller } from './FakePuller.js';

const plainLink: Link = {
	isEstimated: false,
	limit: 0,
	measure: () => Promise.resolve({ bitrate: 1000, estimate: undefined }),
	setLeastEstimate: () => Promise.resolve(),
};

/** Overloads the first of two pullers, on connections of their own. @returns which of them fall */
async function whoFalls(t: TestContext, { userId = 'user', link = plainLink }): Promise<string[]> {
	const controller = new LayerController(1_000_000, recorder().logger);
	const pullers = ['a', 'b'].map((id) => Object.assign(new FakePuller(id), { connectionId: id }));
	const [first, second] = pullers as [FakePuller, FakePuller];
	// Who shares the link of the first one gives way before it.
	Object.assign(second, { userId, priority: 0 });
	const removals = [controller.add(first, plainLink), controller.add(second, link)];
	t.after(() => {
		for (const remove of removals) remove();
	});
	first.isOverloaded = true;
	first.nack();
	const falls = () => pullers.filter(({ selection: { step } }) => step < 3).map(({ id }) => id);
	await until(() => falls().length > 0, 'somebody falls');
	return falls();
}

describe('An overloaded connection without an estimate', () => {
	it('has another one of its user give way, for both go over one link', async (t) => {
		assert.ok((await whoFalls(t, {})).includes('b'));
	});

	for (const [what, more] of [
		['that of another user', { userId: 'other' }],
		['one with a limit of its own', { link: { ...plainLink, limit: 500_000 } }],
		['one with an estimate', { link: { ...plainLink, isEstimated: true } }],
	] as const) {
		it(`leaves alone ${what}`, async (t) => {
			assert.deepEqual(await whoFalls(t, more), ['a']);
		});
	}
});

describe('A link that several connections share', () => {
	it('has the lowest of their limits, and sends what all of them send', async () => {
		const shared = new SharedLink();
		const [a, b, sameAsB] = ['a', 'b', 'b'].map((connectionId, index) =>
			Object.assign(new FakePuller(String(index)), { connectionId }),
		) as [FakePuller, FakePuller, FakePuller];
		shared.add(a, plainLink);
		assert.equal(shared.limit, 0);
		shared.add(b, { ...plainLink, limit: 300_000 });
		shared.add(sameAsB, { ...plainLink, limit: 300_000 });
		assert.equal(shared.limit, 300_000);
		assert.deepEqual(await shared.measure(), { bitrate: 2000, estimate: undefined });
		shared.delete(b);
		assert.equal(shared.limit, 300_000);
		shared.delete(sameAsB);
		assert.equal(shared.limit, 0);
	});
});
