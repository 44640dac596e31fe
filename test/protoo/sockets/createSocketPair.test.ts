import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createSocketPair } from 'sfu-rooms/protoo';
import { serve } from '../setup.js';

/** Both ends, and what each is told. */
function start() {
	const ends = createSocketPair();
	const told: [unknown[], unknown[]] = [[], []];
	for (const [index, end] of ends.entries()) {
		end.listen({ message: (text) => told[index]!.push(text), closed: (code) => told[index]!.push(code) });
	}
	return { near: ends[0], far: ends[1], atNear: told[0], atFar: told[1] };
}

describe('createSocketPair', () => {
	it('carries text both ways, in order', async () => {
		const { near, far, atNear, atFar } = start();
		for (const text of ['1', '2', '']) near.send(text);
		far.send('back');
		await setImmediate();
		assert.deepEqual(atFar, ['1', '2', '']);
		assert.deepEqual(atNear, ['back']);
	});

	it('delivers after send() has returned', async () => {
		const { near, atFar } = start();
		near.send('later');
		assert.deepEqual(atFar, []);
		await setImmediate();
		assert.deepEqual(atFar, ['later']);
	});

	it('tells both ends the code, once, after what was sent before', async () => {
		const { near, far, atNear, atFar } = start();
		near.send('last');
		near.close(4000, 'reason');
		near.close(1000, '');
		far.close(1001, '');
		assert.deepEqual([atNear, atFar], [[], []], 'not within close()');
		await setImmediate();
		assert.deepEqual([atNear, atFar], [[4000], ['last', 4000]]);
	});

	it('carries nothing after it was closed, from either end', async () => {
		const { near, far, atNear, atFar } = start();
		near.close(1000, '');
		near.send('late');
		far.send('late');
		await setImmediate();
		assert.deepEqual([atNear, atFar], [[1000], [1000]]);
	});

	it('never has bytes that wait', () => {
		const { near } = start();
		near.send('x'.repeat(1_000_000));
		assert.equal(near.bufferedAmount, 0);
	});

	it('pairs are apart', async () => {
		const [one, other] = [start(), start()];
		one.near.send('one');
		one.far.close(1000, '');
		await setImmediate();
		assert.deepEqual([other.atNear, other.atFar], [[], []]);
	});

	it('an end that was closed before it is accepted is forgotten', async (t) => {
		const { adapter } = await serve(t);
		const [near, far] = createSocketPair();
		near.close(1000, '');
		await setImmediate();
		adapter.accept(far);
		await setImmediate();
		assert.equal(adapter.sockets, 0);
	});
});
