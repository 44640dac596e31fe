import assert from 'node:assert/strict';
import type { Router } from 'mediasoup/types';
import { describe, it, type TestContext } from 'node:test';
import { routerCodecs } from '../../../src/media/remap/payloadTypes.js';
import { Pipe } from '../../../src/media/pipes/Pipe.js';
import { startPool, until } from '../setup.js';

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const vp8 = { kind: 'video' as const, mimeType: 'video/VP8', clockRate: 90000, parameters: {} };

/** A real source, the consumer that it enters the pipe by, and the producer that it leaves it by. */
async function parts(t: TestContext) {
	const { pool, logger, messages } = await startPool(t);
	const router: Router = await pool.leastLoaded().worker.createRouter({
		mediaCodecs: routerCodecs(vp8, { payloadType: 96, rtxPayloadType: undefined }),
	});
	const [origin, entryEnd, exitEnd] = await Promise.all([
		router.createPipeTransport({ listenInfo }),
		router.createPipeTransport({ listenInfo }),
		router.createPipeTransport({ listenInfo }),
	]);
	const source = await origin.produce({
		kind: 'video',
		rtpParameters: {
			mid: '0',
			codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90000 }],
			encodings: [{ ssrc: 1234 }],
		},
	});
	const entry = await entryEnd.consume({ producerId: source.id });
	const exit = await exitEnd.produce({ kind: 'video', rtpParameters: entry.rtpParameters });
	return { source, entry, exit, exitEnd, logger, messages };
}

async function makePipe(t: TestContext) {
	const made = await parts(t);
	const pipe = new Pipe(made.entry, made.exit, () => made.entry.producerPaused, made.logger);
	let told = 0;
	pipe.onClosed = () => told++;
	return { ...made, pipe, timesClosed: () => told };
}

describe('A pipe', () => {
	it('is known by the producer that it leads to', async (t) => {
		const { pipe, exit } = await makePipe(t);
		assert.equal(pipe.producerId, exit.id);
		assert.equal(pipe.closed, false);
	});

	it('is paused and resumed with its source', async (t) => {
		const { source, exit } = await makePipe(t);
		await source.pause();
		await until(() => exit.paused, 'the exit is paused');
		await source.resume();
		await until(() => !exit.paused, 'the exit is resumed');
	});

	it('catches up with what its source did while it was made', async (t) => {
		const { source, entry, exit, logger } = await parts(t);
		await source.pause();
		await until(() => entry.producerPaused, 'the entry knows');
		assert.equal(exit.paused, false);
		new Pipe(entry, exit, () => entry.producerPaused, logger);
		await until(() => exit.paused, 'the exit is paused');
	});

	it('closes with its source', async (t) => {
		const { source, entry, exit, pipe, timesClosed } = await makePipe(t);
		source.close();
		await until(() => pipe.closed, 'the pipe is closed');
		assert.deepEqual([entry.closed, exit.closed, timesClosed()], [true, true, 1]);
	});

	it('is closed at once when its source has gone while it was made', async (t) => {
		const { source, entry, exit, logger } = await parts(t);
		source.close();
		await until(() => entry.closed, 'the entry is closed');
		const pipe = new Pipe(entry, exit, () => entry.producerPaused, logger);
		assert.equal(pipe.closed, true);
		assert.equal(exit.closed, true);
	});

	it('closes both ends, once, without closing its source', async (t) => {
		const { source, entry, exit, pipe, timesClosed } = await makePipe(t);
		pipe.close();
		pipe.close();
		assert.deepEqual([source.closed, entry.closed, exit.closed, timesClosed()], [false, true, true, 1]);
	});

	it('closes with the transport that it leaves by', async (t) => {
		const { entry, exitEnd, pipe, timesClosed } = await makePipe(t);
		exitEnd.close();
		assert.deepEqual([entry.closed, pipe.closed, timesClosed()], [true, true, 1]);
	});

	it('logs nothing when it closes while it follows its source', async (t) => {
		const { source, entry, pipe, messages } = await makePipe(t);
		void source.pause().catch(() => undefined);
		await until(() => entry.producerPaused, 'the entry knows');
		pipe.close();
		await source.resume();
		assert.deepEqual(messages, []);
	});
});

describe("A pipe's leases", () => {
	it('keep it open until the last one is released', async (t) => {
		const { pipe, timesClosed } = await makePipe(t);
		const first = pipe.lease()!;
		const second = pipe.lease()!;
		first();
		assert.equal(pipe.closed, false);
		second();
		assert.equal(pipe.closed, true);
		assert.equal(timesClosed(), 1);
	});

	it('count once, however often one is released', async (t) => {
		const { pipe } = await makePipe(t);
		const first = pipe.lease()!;
		const second = pipe.lease()!;
		first();
		first();
		assert.equal(pipe.closed, false);
		second();
		second();
		assert.equal(pipe.closed, true);
	});

	it('are not given any more after it has closed', async (t) => {
		const { pipe } = await makePipe(t);
		const lease = pipe.lease()!;
		pipe.close();
		assert.equal(pipe.lease(), undefined);
		assert.doesNotThrow(lease);
	});
});
