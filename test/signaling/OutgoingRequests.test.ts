import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OutgoingRequests } from '../../src/signaling/OutgoingRequests.js';

/** Starts requests, and keeps their ids. */
function start(requests: OutgoingRequests, count: number) {
	const ids: number[] = [];
	const started = Array.from({ length: count }, () => requests.start((id) => ids.push(id)));
	return { ids, started };
}

const ok = { ok: true, data: 'data' };

describe('Requests of the server', () => {
	it('have ids of their own, and each takes one response', async () => {
		const requests = new OutgoingRequests(10, 1000);
		const { ids, started } = start(requests, 3);
		assert.equal(new Set(ids).size, 3);
		assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id <= 0xffffffff));
		assert.equal(requests.settle(ids[1]!, ok), true);
		assert.deepEqual(await started[1]!.response, ok);
		assert.equal(requests.settle(ids[1]!, ok), false, 'it has had one');
		assert.equal(requests.settle(7777, ok), false, 'nobody has asked that');
		requests.close();
	});

	it('are limited', () => {
		const requests = new OutgoingRequests(2, 1000);
		const { ids } = start(requests, 2);
		assert.throws(() => start(requests, 1), { code: 'limit_exceeded' });
		requests.settle(ids[0]!, ok);
		start(requests, 1);
		requests.close();
	});

	it('end when there is no response in time', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const requests = new OutgoingRequests(2, 1000);
		const { ids, started } = start(requests, 2);
		t.mock.timers.tick(999);
		requests.settle(ids[0]!, ok);
		t.mock.timers.tick(1);
		assert.deepEqual(await started[0]!.response, ok);
		await assert.rejects(started[1]!.response, { code: 'timeout', message: /1000 ms/ });
		assert.equal(requests.settle(ids[1]!, ok), false);
	});

	it('can be taken back, also when it is too late', async () => {
		const requests = new OutgoingRequests(2, 1000);
		const { ids, started } = start(requests, 2);
		started[0]!.cancel();
		await assert.rejects(started[0]!.response, { code: 'conflict' });
		assert.equal(requests.settle(ids[0]!, ok), false);
		requests.settle(ids[1]!, ok);
		started[1]!.cancel();
		assert.deepEqual(await started[1]!.response, ok);
	});

	it('end when the socket does', async () => {
		const requests = new OutgoingRequests(2, 1000);
		const { ids, started } = start(requests, 2);
		requests.close();
		requests.close();
		for (const { response, cancel } of started) {
			await assert.rejects(response, { code: 'closed' });
			cancel();
		}
		assert.equal(requests.settle(ids[0]!, ok), false);
		assert.throws(() => start(requests, 1), { code: 'closed' });
	});
});
