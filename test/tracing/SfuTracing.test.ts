import { context, ROOT_CONTEXT, SpanStatusCode, trace, type Context, type ContextManager } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { after, before, describe, it } from 'node:test';
import type { Sfu } from 'sfu-rooms';
import { SfuTracing } from 'sfu-rooms/tracing';
import { startCall, startRoom, startSfu, until } from '../rooms/setup.js';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import { AnsweringPeer } from '../support/answers.js';
import { pushByWerift } from '../support/weriftPeer.js';

/** Keeps the context over awaits, as that of the Node SDK does. */
class AsyncContextManager implements ContextManager {
	readonly #storage = new AsyncLocalStorage<Context>();
	active = () => this.#storage.getStore() ?? ROOT_CONTEXT;
	with: ContextManager['with'] = (active, fn, thisArg, ...args) =>
		this.#storage.run(active, () => fn.call(thisArg as never, ...args));
	bind: ContextManager['bind'] = (_, target) => target;
	enable = () => this;
	disable = () => this;
}

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

const spans = () => exporter.getFinishedSpans();
const named = (name: string) => spans().filter((span) => span.name === `sfu-rooms.${name}`);

function traced(sfu: Sfu) {
	exporter.reset();
	return new SfuTracing(sfu, { tracer: provider.getTracer('test') });
}

describe('The trace of an Sfu', () => {
	before(() => {
		context.setGlobalContextManager(new AsyncContextManager());
	});
	after(() => {
		context.disable();
	});

	it('has a span for each operation, with ids, within that of the app', async (t) => {
		const { sfu } = await startSfu(t, { webRtc: { listen: [{ ip: mediaAddress }] } });
		traced(sfu);
		const tracer = provider.getTracer('app');
		const parent = tracer.startSpan('request');
		const { alice, connection } = await context.with(trace.setSpan(context.active(), parent), async () => {
			const room = await sfu.getOrCreateRoom('room');
			const user = await room.join({ userId: 'alice' });
			return { alice: user, ...(await pushByWerift(t, user)) };
		});
		parent.end();
		await until(() => named('connect').length === 1, 'alice has connected', 20_000);
		const parentId = parent.spanContext().spanId;
		const ids = { 'sfu.room.id': 'room', 'sfu.user.id': alice.userId };
		const [opened, joined, pushed, connected] = ['openRoom', 'join', 'push', 'connect'].map((name) => named(name)[0]!);
		assert.deepEqual(opened!.attributes, { 'sfu.room.id': 'room' });
		assert.deepEqual(joined!.attributes, ids);
		assert.deepEqual(pushed!.attributes, { ...ids, 'sfu.connection.id': connection.connectionId });
		assert.deepEqual(connected!.attributes, { ...ids, 'sfu.connection.id': connection.connectionId });
		for (const span of [opened, joined, pushed]) assert.equal(span!.parentSpanContext?.spanId, parentId, span!.name);
		assert.equal(connected!.parentSpanContext?.spanId, pushed!.spanContext().spanId, 'a client connects after a push');
		for (const span of spans()) assert.equal(span.status.code, SpanStatusCode.UNSET);
		assert.equal(new Set(spans().map((span) => span.spanContext().traceId)).size, 1);
	});

	it('has the offer of the server within the pull, and the answer', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		traced(sfu);
		const offer = await bob.pull({ targetUserId: 'alice', specs: [...alice.pushers.values()] });
		await offer.answer(new AnsweringPeer().answer(offer.sdp));
		const [pull] = named('pull');
		assert.equal(named('offer')[0]?.parentSpanContext?.spanId, pull?.spanContext().spanId);
		assert.equal(named('answer')[0]?.attributes['sfu.user.id'], 'bob');
	});

	it('has the code of an error, and neither its message nor SDP', async (t) => {
		const { sfu, join } = await startRoom(t);
		traced(sfu);
		const alice = await join('alice');
		const secret = 'v=0 a=ice-pwd:secret';
		await assert.rejects(alice.push(secret));
		const { answer } = await alice.push(anOffer('chromium-sendonly-audio'));
		const failed = named('push').find(({ status }) => status.code === SpanStatusCode.ERROR);
		assert.equal(failed?.attributes['error.type'], 'invalid_argument');
		assert.deepEqual(failed.status, { code: SpanStatusCode.ERROR, message: 'invalid_argument' });
		const text = JSON.stringify(
			spans().map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links })),
		);
		const [, password = ''] = /a=ice-pwd:(\S+)/.exec(answer) ?? [];
		assert.ok(password.length > 0);
		for (const word of ['secret', 'v=0', 'ice-pwd', password]) assert.ok(!text.includes(word), word);
	});

	it('ends when it is closed, and what has begun ends all the same', async (t) => {
		const { sfu, join } = await startRoom(t);
		const tracing = traced(sfu);
		const alice = await join('alice');
		await alice.push(anOffer('chromium-sendonly-audio'));
		tracing.close();
		tracing.close();
		await join('bob');
		assert.equal(named('join').length, 1);
		alice.close();
		assert.equal(named('connect')[0]?.attributes['error.type'], 'closed');
	});

	it('does nothing without an SDK, and refuses wrong options and an Sfu that has closed', async (t) => {
		const { sfu, join } = await startRoom(t);
		new SfuTracing(sfu);
		await join('alice');
		for (const options of [null, { tracer: 1 }, { other: 1 }]) {
			assert.throws(() => new SfuTracing(sfu, options as never), { code: 'invalid_argument' });
		}
		sfu.close();
		assert.throws(() => new SfuTracing(sfu), { code: 'closed' });
	});
});
