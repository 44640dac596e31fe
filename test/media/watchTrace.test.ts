import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { watchTrace } from '../../src/media/watchTrace.js';
import { pullAll, startCall, turns, until } from '../rooms/setup.js';
import { mediaPullers } from '../support/parted.js';

async function startPuller(t: TestContext) {
	const { alice, bob } = await startCall(t);
	const tracks = await bob.pull(pullAll(alice));
	const pullers = mediaPullers(tracks);
	// The library itself watches video.
	const { consumer } = pullers.find(({ kind }) => kind === 'audio')!;
	return { consumer, traced: async () => [...(await consumer.dump()).traceEventTypes].sort() };
}

describe('The trace events of a consumer', () => {
	it('are those that anybody listens to, as long as anybody does', async (t) => {
		const { consumer, traced } = await startPuller(t);
		const nothing = () => undefined;
		assert.deepEqual(await traced(), []);
		const first = watchTrace(consumer, 'nack', nothing);
		const second = watchTrace(consumer, 'nack', nothing);
		const other = watchTrace(consumer, 'pli', nothing);
		assert.deepEqual(await traced(), ['nack', 'pli']);
		first();
		first();
		assert.deepEqual(await traced(), ['nack', 'pli']);
		second();
		assert.deepEqual(await traced(), ['pli']);
		other();
		assert.deepEqual(await traced(), []);
	});

	it('reach those who listen to their type', async (t) => {
		const { consumer } = await startPuller(t);
		const heard: unknown[] = [];
		const end = watchTrace(consumer, 'pli', (info) => heard.push(info));
		const tell = (type: string) => consumer.emit('trace', { type, info: { of: type } } as never);
		tell('pli');
		tell('nack');
		end();
		tell('pli');
		assert.deepEqual(heard, [{ of: 'pli' }]);
	});

	it('need not be had of a consumer that has closed, or closes meanwhile', async (t) => {
		const { consumer } = await startPuller(t);
		const end = watchTrace(consumer, 'nack', () => undefined);
		consumer.close();
		end();
		watchTrace(consumer, 'pli', () => undefined)();
		await turns(20);
		await until(() => consumer.closed, 'it is closed');
	});
});
