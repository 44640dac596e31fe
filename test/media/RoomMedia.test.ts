import assert from 'node:assert/strict';
import type { Producer, Router, WebRtcTransport } from 'mediasoup/types';
import { once } from 'node:events';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import type { Logger } from '../../src/Logger.js';
import { defaultLimits } from '../../src/options.js';
import { RoomMedia } from '../../src/media/RoomMedia.js';
import type { RoomRouter, TransportOptions } from '../../src/media/RoomRouter.js';
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

/** The media of a room, and its router as the connections of a user use it. */
function roomMedia(pool: Pool, logger: Logger) {
	const media = new RoomMedia(pool, logger, { roomId: 'room', limits: defaultLimits });
	const router = () => media.routerFor({ userId: 'alice' });
	return {
		open: () => media.open(),
		close: () => {
			media.close();
		},
		createTransport: async (options: TransportOptions) => (await router()).createTransport(options),
		produce: async (...args: Parameters<RoomRouter['produce']>) => (await router()).produce(...args),
		attach: async (...args: Parameters<RoomRouter['attach']>) => (await router()).attach(...args),
	};
}

async function setUp(t: TestContext) {
	const { pool, logger } = await startPool(t);
	const made = nextRouter(pool);
	const media = roomMedia(pool, logger);
	const transport = await media.createTransport({});
	const pushed = await media.produce(transport, { kind: 'video', rtpParameters: parameters(1000) });
	return { pool, media, router: await made, transport, pushed };
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
		const { pool, media, pushed, transport } = await setUp(t);
		const before = await held(pool);
		const lease = await media.attach(pushed, own);
		assert.deepEqual([lease.producerId, lease.rtx], [pushed.pusherId, true]);
		assert.deepEqual(await held(pool), before);
		assert.deepEqual(await seenNumbers(transport, lease.producerId), [96, 97]);
		lease.release();
		assert.equal(pushed.closed, false);
	});

	it('without RTX is the producer itself too', async (t) => {
		const { media, pushed } = await setUp(t);
		const lease = await media.attach(pushed, { payloadType: 96, rtxPayloadType: undefined });
		assert.deepEqual([lease.producerId, lease.rtx], [pushed.pusherId, false]);
	});

	it('under other payload types is another producer, with these', async (t) => {
		const { media, pushed, transport } = await setUp(t);
		for (const wanted of [
			{ payloadType: 120, rtxPayloadType: 124 },
			{ payloadType: 96, rtxPayloadType: 100 },
			{ payloadType: 97, rtxPayloadType: 96 },
		]) {
			const lease = await media.attach(pushed, wanted);
			assert.notEqual(lease.producerId, pushed.pusherId);
			assert.equal(lease.rtx, true);
			assert.deepEqual(await seenNumbers(transport, lease.producerId, wanted), [
				wanted.payloadType,
				wanted.rtxPayloadType,
			]);
		}
		assert.deepEqual(await seenNumbers(transport, pushed.pusherId), [96, 97]);
	});

	it('has no RTX when its payload type is out of reach', async (t) => {
		const { media, pushed } = await setUp(t);
		const lease = await media.attach(pushed, { payloadType: 45, rtxPayloadType: 46 });
		assert.equal(lease.rtx, false);
	});

	it('of the same numbers shares one pipe, also when asked for at once', async (t) => {
		const { pool, media, pushed } = await setUp(t);
		const wanted = { payloadType: 120, rtxPayloadType: 124 };
		const before = await held(pool);
		const leases = await Promise.all(Array.from({ length: 10 }, () => media.attach(pushed, wanted)));
		leases.push(await media.attach(pushed, wanted));
		assert.equal(new Set(leases.map(({ producerId }) => producerId)).size, 1);
		// Two transports that make up the loop; a consumer and a producer on them.
		assert.equal((await held(pool)).length, before.length + 4);
	});

	it('of other numbers, or of another producer, has a pipe of its own on the same loop', async (t) => {
		const { pool, media, pushed, transport } = await setUp(t);
		const other = await media.produce(transport, { kind: 'video', rtpParameters: parameters(2000) });
		const before = await held(pool);
		const leases = await Promise.all([
			media.attach(pushed, { payloadType: 120, rtxPayloadType: 124 }),
			media.attach(pushed, { payloadType: 121, rtxPayloadType: 125 }),
			media.attach(other, { payloadType: 120, rtxPayloadType: 124 }),
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
		const { pool, media, pushed } = await setUp(t);
		const wanted = { payloadType: 120, rtxPayloadType: 124 };
		const first = await media.attach(pushed, wanted);
		const second = await media.attach(pushed, wanted);
		const withPipe = await held(pool);
		first.release();
		first.release();
		assert.deepEqual(await held(pool), withPipe);
		second.release();
		assert.equal((await held(pool)).length, withPipe.length - 2);
		const third = await media.attach(pushed, wanted);
		assert.notEqual(third.producerId, first.producerId);
		assert.equal((await held(pool)).length, withPipe.length);
	});

	it('follows the pauses of its producer', async (t) => {
		const { media, router, pushed } = await setUp(t);
		const made = new Promise<Producer>((resolve) => {
			router.observer.on('newtransport', (end) => {
				end.observer.on('newproducer', resolve);
			});
		});
		await pushed.pause();
		await media.attach(pushed, { payloadType: 120, rtxPayloadType: 124 });
		const exit = await made;
		await until(() => exit.paused, 'it began paused');
		await pushed.resume();
		await until(() => !exit.paused, 'it is resumed');
	});

	it('of a producer that closes during any request rejects, and leaves nothing', async (t) => {
		const { pool, media, transport, pushed } = await setUp(t);
		(await media.attach(pushed, { payloadType: 121, rtxPayloadType: 125 })).release();
		const before = await held(pool);
		const requests = await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const doomed = await media.produce(transport, { kind: 'video', rtpParameters: parameters(5000) });
			const [result] = await interrupted(
				() => {
					doomed.close('closed');
				},
				() => Promise.allSettled([media.attach(doomed, { payloadType: 120, rtxPayloadType: 124 })]),
			);
			assert.equal(result.status, doomed.closed ? 'rejected' : 'fulfilled');
			doomed.close('closed');
			await untilHeld(pool, before);
		});
		// The two ends of the pipe.
		assert.equal(requests, 2);
	});

	it('that is released while another one is made leaves that one alone', async (t) => {
		const { media, pushed, transport } = await setUp(t);
		const wanted = { payloadType: 120, rtxPayloadType: 124 };
		const first = await media.attach(pushed, wanted);
		const leasing = media.attach(pushed, wanted);
		first.release();
		const second = await leasing;
		assert.deepEqual(await seenNumbers(transport, second.producerId, wanted), [120, 124]);
	});
});

describe('The media of a room', () => {
	it('has no router before it is opened, and one however often', async (t) => {
		const { pool, logger } = await startPool(t);
		const media = roomMedia(pool, logger);
		assert.equal(pool.leastLoaded().rooms, 0);
		assert.deepEqual((await pool.dump())[0]?.routerIds, []);
		await Promise.all([media.open(), media.open(), media.createTransport({})]);
		await media.open();
		assert.equal((await pool.dump())[0]?.routerIds.length, 1);
		assert.equal(pool.leastLoaded().rooms, 1);
	});

	it('closes its router and all on it, once, and no longer counts as a load', async (t) => {
		const { pool, media, transport, pushed } = await setUp(t);
		const closed = once(transport.observer, 'close');
		await media.attach(pushed, { payloadType: 120, rtxPayloadType: 124 });
		media.close();
		media.close();
		await closed;
		assert.equal(pushed.closed, true);
		assert.deepEqual((await pool.dump())[0]?.routerIds, []);
		assert.equal(pool.leastLoaded().rooms, 0);
	});

	it('rejects everything with `closed` after closing', async (t) => {
		const { media, transport, pushed } = await setUp(t);
		media.close();
		await assert.rejects(media.open(), { code: 'closed' });
		await assert.rejects(media.createTransport({}), { code: 'closed' });
		await assert.rejects(media.produce(transport, { kind: 'video', rtpParameters: parameters(7000) }), {
			code: 'closed',
		});
		await assert.rejects(media.attach(pushed, { payloadType: 120, rtxPayloadType: 124 }), { code: 'closed' });
	});

	it('that was never opened can be closed', async (t) => {
		const { pool, logger } = await startPool(t);
		const media = roomMedia(pool, logger);
		media.close();
		await assert.rejects(media.open(), { code: 'closed' });
		assert.deepEqual((await pool.dump())[0]?.routerIds, []);
	});

	it('that closes while its router is made leaves none', async (t) => {
		const { pool, logger } = await startPool(t);
		const atOnce = roomMedia(pool, logger);
		const opening = atOnce.open();
		atOnce.close();
		await assert.rejects(opening, { code: 'closed' });

		const later = roomMedia(pool, logger);
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
			const media = roomMedia(pool, logger);
			const use = async () => {
				const transport = await media.createTransport({});
				const pushed = await media.produce(transport, { kind: 'video', rtpParameters: parameters(1000) });
				await media.attach(pushed, { payloadType: 120, rtxPayloadType: 124 });
			};
			await interrupted(
				() => {
					media.close();
				},
				() => Promise.allSettled([use()]),
			);
			media.close();
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
		const media = roomMedia(pool, logger);
		await assert.rejects(media.open(), { code: 'unavailable' });
		assert.equal(pool.leastLoaded().rooms, 0);
		media.close();
	});

	it('gives no transport that would outlive the router', async (t) => {
		const { pool, logger } = await startPool(t);
		await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const made = nextRouter(pool);
			const media = roomMedia(pool, logger);
			await media.open();
			const router = await made;
			const close = () => {
				router.close();
			};
			const [result] = await interrupted(close, () => Promise.allSettled([media.createTransport({})]));
			assert.equal(result.status, router.closed ? 'rejected' : 'fulfilled');
			media.close();
		});
	});

	it('gives no producer that would outlive its transport', async (t) => {
		const { pool, media } = await setUp(t);
		await interruptEach(pool.leastLoaded().worker, async (interrupted) => {
			const transport = await media.createTransport({});
			const close = () => {
				transport.close();
			};
			const produce = () => media.produce(transport, { kind: 'video', rtpParameters: parameters(2000) });
			const [result] = await interrupted(close, () => Promise.allSettled([produce()]));
			assert.equal(result.status, transport.closed ? 'rejected' : 'fulfilled');
			transport.close();
		});
	});

	it('without a worker is unavailable, and has a router again when one is there', async (t) => {
		const { pool, media, transport } = await setUp(t);
		const died = new Promise((resolve) => pool.once('workerDied', resolve));
		const replaced = new Promise((resolve) => pool.once('workerReplaced', resolve));
		const closed = once(transport.observer, 'close');
		process.kill(pool.leastLoaded().worker.pid, 'SIGKILL');
		await died;
		await assert.rejects(media.createTransport({}), { code: 'unavailable' });
		await closed;
		await replaced;
		const again = await media.createTransport({});
		const pushed = await media.produce(again, { kind: 'video', rtpParameters: parameters(1000) });
		assert.ok(await media.attach(pushed, { payloadType: 120, rtxPayloadType: 124 }));
		assert.equal(pool.leastLoaded().rooms, 1);
	});
});

describe('A producer', () => {
	it('has its own numbers, whatever others are made at the same time', async (t) => {
		const { media, transport } = await setUp(t);
		const numbers = Array.from({ length: 6 }, (_, index) => ({
			payloadType: 100 + 2 * index,
			rtxPayloadType: 101 + 2 * index,
		}));
		const made = await Promise.all(
			numbers.map((wanted, index) =>
				media.produce(transport, {
					kind: 'video',
					rtpParameters: { ...parameters(10_000 + 10 * index, wanted), mid: String(index) },
				}),
			),
		);
		for (const [index, producer] of made.entries()) {
			const wanted = numbers[index]!;
			assert.equal((await media.attach(producer, wanted)).producerId, producer.pusherId);
			assert.deepEqual(await seenNumbers(transport, producer.pusherId, wanted), Object.values(wanted));
		}
	});
});
