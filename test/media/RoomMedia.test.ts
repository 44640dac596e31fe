import assert from 'node:assert/strict';
import type { Producer, Router, WebRtcTransport } from 'mediasoup/types';
import { once } from 'node:events';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { RoomMedia } from '../../src/media/RoomMedia.js';
import { SfuError } from '../../src/SfuError.js';
import { channelOf, interruptEach, startPool, until } from './setup.js';

type Pool = Awaited<ReturnType<typeof startPool>>['pool'];

const own = { payloadType: 96, rtxPayloadType: 97 };

const parameters = (ssrc: number, { payloadType, rtxPayloadType } = own) => ({
	codecs: [
		{ mimeType: 'video/VP8', payloadType, clockRate: 90000, parameters: {} },
		{ mimeType: 'video/rtx', payloadType: rtxPayloadType, clockRate: 90000, parameters: { apt: payloadType } },
	],
	encodings: [{ ssrc, rtx: { ssrc: ssrc + 1 } }],
});

async function setUp(t: TestContext) {
	const { pool, logger } = await startPool(t);
	const made = nextRouter(pool);
	const fabric = new RoomMedia(pool, logger);
	const transport = await fabric.createTransport({});
	const pushed = await fabric.produce(transport, { kind: 'video', rtpParameters: parameters(1000) });
	return { pool, fabric, router: await made, transport, pushed };
}

/** The ids of all that the worker holds. */
async function held(pool: Pool) {
	const [dump] = await pool.dump();
	return dump?.channelMessageHandlers.channelRequestHandlers.toSorted() ?? [];
}

const untilHeld = (pool: Pool, expected: string[]) =>
	until(async () => JSON.stringify(await held(pool)) === JSON.stringify(expected), 'the worker holds what it held');

/** The next router of the pool's worker. */
const nextRouter = (pool: Pool) =>
	new Promise<Router>((resolve) => {
		pool.leastLoaded().worker.observer.once('newrouter', resolve);
	});

/** The payload types that consumers of a producer get on the wire. */
async function seenNumbers(transport: WebRtcTransport, producerId: string, { payloadType, rtxPayloadType } = own) {
	const consumer = await transport.consume({
		producerId,
		rtpCapabilities: {
			codecs: [
				{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000, preferredPayloadType: payloadType },
				{
					kind: 'video',
					mimeType: 'video/rtx',
					clockRate: 90000,
					preferredPayloadType: rtxPayloadType,
					parameters: { apt: payloadType },
				},
			],
		},
	});
	const { codecs } = consumer.rtpParameters;
	consumer.close();
	return codecs.map((codec) => codec.payloadType);
}

describe('A lease', () => {
	it('of a producer under its own payload types is the producer itself', async (t) => {
		const { pool, fabric, pushed, transport } = await setUp(t);
		const before = await held(pool);
		const lease = await fabric.lease(pushed, own);
		assert.deepEqual([lease.producerId, lease.rtx], [pushed.id, true]);
		assert.deepEqual(await held(pool), before);
		assert.deepEqual(await seenNumbers(transport, lease.producerId), [96, 97]);
		lease.release();
		assert.equal(pushed.closed, false);
	});

	it('without RTX is the producer itself too', async (t) => {
		const { fabric, pushed } = await setUp(t);
		const lease = await fabric.lease(pushed, { payloadType: 96, rtxPayloadType: undefined });
		assert.deepEqual([lease.producerId, lease.rtx], [pushed.id, false]);
	});

	it('under other payload types is another producer, with these', async (t) => {
		const { fabric, pushed, transport } = await setUp(t);
		for (const wanted of [
			{ payloadType: 120, rtxPayloadType: 124 },
			{ payloadType: 96, rtxPayloadType: 100 },
			{ payloadType: 97, rtxPayloadType: 96 },
		]) {
			const lease = await fabric.lease(pushed, wanted);
			assert.notEqual(lease.producerId, pushed.id);
			assert.equal(lease.rtx, true);
			assert.deepEqual(await seenNumbers(transport, lease.producerId, wanted), [
				wanted.payloadType,
				wanted.rtxPayloadType,
			]);
		}
		assert.deepEqual(await seenNumbers(transport, pushed.id), [96, 97]);
	});

	it('has no RTX when its payload type is out of reach', async (t) => {
		const { fabric, pushed } = await setUp(t);
		const lease = await fabric.lease(pushed, { payloadType: 45, rtxPayloadType: 46 });
		assert.equal(lease.rtx, false);
	});

	it('of the same numbers shares one pipe, also when asked for at once', async (t) => {
		const { pool, fabric, pushed } = await setUp(t);
		const wanted = { payloadType: 120, rtxPayloadType: 124 };
		const before = await held(pool);
		const leases = await Promise.all(Array.from({ length: 10 }, () => fabric.lease(pushed, wanted)));
		leases.push(await fabric.lease(pushed, wanted));
		assert.equal(new Set(leases.map(({ producerId }) => producerId)).size, 1);
		// Two transports that make up the loop; a consumer and a producer on them.
		assert.equal((await held(pool)).length, before.length + 4);
	});

	it('of other numbers, or of another producer, has a pipe of its own on the same loop', async (t) => {
		const { pool, fabric, pushed, transport } = await setUp(t);
		const other = await fabric.produce(transport, { kind: 'video', rtpParameters: parameters(2000) });
		const before = await held(pool);
		const leases = await Promise.all([
			fabric.lease(pushed, { payloadType: 120, rtxPayloadType: 124 }),
			fabric.lease(pushed, { payloadType: 121, rtxPayloadType: 125 }),
			fabric.lease(other, { payloadType: 120, rtxPayloadType: 124 }),
		]);
		assert.equal(new Set(leases.map(({ producerId }) => producerId)).size, 3);
		assert.equal((await held(pool)).length, before.length + 2 + 3 * 2);
		const numbers = await Promise.all([
			seenNumbers(transport, leases[0].producerId, { payloadType: 120, rtxPayloadType: 124 }),
			seenNumbers(transport, leases[1].producerId, { payloadType: 121, rtxPayloadType: 125 }),
			seenNumbers(transport, leases[2].producerId, { payloadType: 120, rtxPayloadType: 124 }),
		]);
		assert.deepEqual(numbers, [
			[120, 124],
			[121, 125],
			[120, 124],
		]);
	});

	it('that was the last one takes the pipe with it; the next makes a new one', async (t) => {
		const { pool, fabric, pushed } = await setUp(t);
		const wanted = { payloadType: 120, rtxPayloadType: 124 };
		const first = await fabric.lease(pushed, wanted);
		const second = await fabric.lease(pushed, wanted);
		const withPipe = await held(pool);
		first.release();
		first.release();
		assert.deepEqual(await held(pool), withPipe);
		second.release();
		assert.equal((await held(pool)).length, withPipe.length - 2);
		const third = await fabric.lease(pushed, wanted);
		assert.notEqual(third.producerId, first.producerId);
		assert.equal((await held(pool)).length, withPipe.length);
	});

	it('follows the pauses of its producer', async (t) => {
		const { fabric, router, pushed } = await setUp(t);
		const made = new Promise<Producer>((resolve) => {
			router.observer.on('newtransport', (end) => {
				end.observer.on('newproducer', resolve);
			});
		});
		await pushed.pause();
		await fabric.lease(pushed, { payloadType: 120, rtxPayloadType: 124 });
		const exit = await made;
		await until(() => exit.paused, 'it began paused');
		await pushed.resume();
		await until(() => !exit.paused, 'it is resumed');
	});

	it('of a producer that closes during any request rejects, and leaves nothing', async (t) => {
		const { pool, fabric, transport, pushed } = await setUp(t);
		(await fabric.lease(pushed, { payloadType: 121, rtxPayloadType: 125 })).release();
		const before = await held(pool);
		const requests = await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const doomed = await fabric.produce(transport, { kind: 'video', rtpParameters: parameters(5000) });
			const [result] = await interrupted(
				() => {
					doomed.close();
				},
				() => Promise.allSettled([fabric.lease(doomed, { payloadType: 120, rtxPayloadType: 124 })]),
			);
			assert.equal(result.status, doomed.closed ? 'rejected' : 'fulfilled');
			doomed.close();
			await untilHeld(pool, before);
		});
		// The two ends of the pipe.
		assert.equal(requests, 2);
	});

	it('that is released while another one is made leaves that one alone', async (t) => {
		const { fabric, pushed, transport } = await setUp(t);
		const wanted = { payloadType: 120, rtxPayloadType: 124 };
		const first = await fabric.lease(pushed, wanted);
		const leasing = fabric.lease(pushed, wanted);
		first.release();
		const second = await leasing;
		assert.deepEqual(await seenNumbers(transport, second.producerId, wanted), [120, 124]);
	});
});

describe('A fabric', () => {
	it('has no router before it is opened, and one however often', async (t) => {
		const { pool, logger } = await startPool(t);
		const fabric = new RoomMedia(pool, logger);
		assert.equal(pool.leastLoaded().rooms, 0);
		assert.deepEqual((await pool.dump())[0]?.routerIds, []);
		await Promise.all([fabric.open(), fabric.open(), fabric.createTransport({})]);
		await fabric.open();
		assert.equal((await pool.dump())[0]?.routerIds.length, 1);
		assert.equal(pool.leastLoaded().rooms, 1);
	});

	it('closes its router and all on it, once, and no longer counts as a load', async (t) => {
		const { pool, fabric, transport, pushed } = await setUp(t);
		const closed = once(transport.observer, 'close');
		await fabric.lease(pushed, { payloadType: 120, rtxPayloadType: 124 });
		fabric.close();
		fabric.close();
		await closed;
		assert.equal(pushed.closed, true);
		assert.deepEqual((await pool.dump())[0]?.routerIds, []);
		assert.equal(pool.leastLoaded().rooms, 0);
	});

	it('rejects everything with `closed` after closing', async (t) => {
		const { fabric, transport, pushed } = await setUp(t);
		fabric.close();
		await assert.rejects(fabric.open(), { code: 'closed' });
		await assert.rejects(fabric.createTransport({}), { code: 'closed' });
		await assert.rejects(fabric.produce(transport, { kind: 'video', rtpParameters: parameters(7000) }), {
			code: 'closed',
		});
		await assert.rejects(fabric.lease(pushed, { payloadType: 120, rtxPayloadType: 124 }), { code: 'closed' });
	});

	it('that was never opened can be closed', async (t) => {
		const { pool, logger } = await startPool(t);
		const fabric = new RoomMedia(pool, logger);
		fabric.close();
		await assert.rejects(fabric.open(), { code: 'closed' });
		assert.deepEqual((await pool.dump())[0]?.routerIds, []);
	});

	it('that closes while its router is made leaves none', async (t) => {
		const { pool, logger } = await startPool(t);
		const atOnce = new RoomMedia(pool, logger);
		const opening = atOnce.open();
		atOnce.close();
		await assert.rejects(opening, { code: 'closed' });

		const later = new RoomMedia(pool, logger);
		const router = nextRouter(pool);
		const openingLater = later.open();
		void router.then(() => {
			later.close();
		});
		await openingLater.catch((error: unknown) => {
			assert.ok(error instanceof SfuError && error.code === 'closed');
		});
		await until(async () => (await pool.dump())[0]?.routerIds.length === 0, 'no router is left');
		assert.equal(pool.leastLoaded().rooms, 0);
	});

	it('that closes during any request leaves nothing', async (t) => {
		const { pool, logger } = await startPool(t);
		const before = await held(pool);
		const requests = await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const fabric = new RoomMedia(pool, logger);
			const use = async () => {
				const transport = await fabric.createTransport({});
				const pushed = await fabric.produce(transport, { kind: 'video', rtpParameters: parameters(1000) });
				await fabric.lease(pushed, { payloadType: 120, rtxPayloadType: 124 });
			};
			await interrupted(
				() => {
					fabric.close();
				},
				() => Promise.allSettled([use()]),
			);
			fabric.close();
			await untilHeld(pool, before);
			assert.equal(pool.leastLoaded().rooms, 0);
		});
		// A router, a transport, a producer; two transports for the loop, their connecting, the two ends of the pipe.
		assert.equal(requests, 9);
	});

	it('has no router that would outlive its worker', async (t) => {
		const { pool, logger } = await startPool(t);
		const { worker } = pool.leastLoaded();
		const channel = await channelOf(worker);
		const request = channel.request.bind(channel);
		// Between the answer of the worker and those who wait for it.
		channel.request = (...args) =>
			request(...args).finally(() => {
				worker.close();
			});
		const fabric = new RoomMedia(pool, logger);
		await assert.rejects(fabric.open(), { code: 'unavailable' });
		assert.equal(pool.leastLoaded().rooms, 0);
		fabric.close();
	});

	it('gives no transport that would outlive the router', async (t) => {
		const { pool, logger } = await startPool(t);
		await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const made = nextRouter(pool);
			const fabric = new RoomMedia(pool, logger);
			await fabric.open();
			const router = await made;
			const close = () => {
				router.close();
			};
			const [result] = await interrupted(close, () => Promise.allSettled([fabric.createTransport({})]));
			assert.equal(result.status, router.closed ? 'rejected' : 'fulfilled');
			fabric.close();
		});
	});

	it('gives no producer that would outlive its transport', async (t) => {
		const { pool, fabric } = await setUp(t);
		await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const transport = await fabric.createTransport({});
			const close = () => {
				transport.close();
			};
			const produce = () => fabric.produce(transport, { kind: 'video', rtpParameters: parameters(2000) });
			const [result] = await interrupted(close, () => Promise.allSettled([produce()]));
			assert.equal(result.status, transport.closed ? 'rejected' : 'fulfilled');
			transport.close();
		});
	});

	it('without a worker is unavailable, and has a router again when one is there', async (t) => {
		const { pool, fabric, transport } = await setUp(t);
		const died = new Promise((resolve) => pool.once('workerDied', resolve));
		const replaced = new Promise((resolve) => pool.once('workerReplaced', resolve));
		const closed = once(transport.observer, 'close');
		process.kill(pool.leastLoaded().worker.pid, 'SIGKILL');
		await died;
		await assert.rejects(fabric.createTransport({}), { code: 'unavailable' });
		await closed;
		await replaced;
		const again = await fabric.createTransport({});
		const pushed = await fabric.produce(again, { kind: 'video', rtpParameters: parameters(1000) });
		assert.ok(await fabric.lease(pushed, { payloadType: 120, rtxPayloadType: 124 }));
		assert.equal(pool.leastLoaded().rooms, 1);
	});
});

describe('A producer', () => {
	it('has its own numbers, whatever others are made at the same time', async (t) => {
		const { fabric, transport } = await setUp(t);
		const numbers = Array.from({ length: 6 }, (_, index) => ({
			payloadType: 100 + 2 * index,
			rtxPayloadType: 101 + 2 * index,
		}));
		const made = await Promise.all(
			numbers.map((wanted, index) =>
				fabric.produce(transport, {
					kind: 'video',
					rtpParameters: { ...parameters(10_000 + 10 * index, wanted), mid: String(index) },
				}),
			),
		);
		for (const [index, producer] of made.entries()) {
			const wanted = numbers[index]!;
			assert.equal((await fabric.lease(producer, wanted)).producerId, producer.id);
			assert.deepEqual(await seenNumbers(transport, producer.id, wanted), Object.values(wanted));
		}
	});
});
