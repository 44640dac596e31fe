// Takes 15 s.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { ProtooAdapter, type Socket } from 'sfu-rooms/protoo';
import { errorCodes } from 'sfu-rooms/protocol';
import { ackMessage, readControlMessage, writeOpen } from '../../src/sdp/dataChannelProtocol.js';
import { FakeWorkers } from '../support/fakeWorkers.js';
import { anOffer } from '../support/offers.js';
import { checkProperty } from '../support/seed.js';
import { Slowest } from './Slowest.js';
import { watchful, webRtc } from './setup.js';

type Json = null | boolean | number | string | Json[] | JsonObject;
// An interface, since a type cannot name itself in a record.
interface JsonObject {
	[key: string]: Json;
}

const member = { roomId: 'room', userId: 'alice' };
const offer = (name: string) => ({ type: 'offer', sdp: anOffer(name) });
const push = { ...member, sdp: offer('chromium-sendonly-audio-video') };
const specs = [{ type: 'video', pusher_id: 'of bob' }];
const requests: [method: string, data: Json][] = [
	['join', { ...member, userName: 'Alice', audience: false, resumeToken: null }],
	['leave', member],
	['heartbeat', member],
	['push', { ...push, media: [{ mid: '0', source: 'microphone', metadata: { a: [1] } }] }],
	['push', { ...push, data: [{ id: 3, label: 'chat', ordered: false, maxRetransmits: 2 }], connectionId: 'x' }],
	['unpush', { ...member, pusherIds: ['x'] }],
	['pausePusher', { ...member, pusherId: 'x' }],
	['updatePusher', { ...member, pusherId: 'x', source: 'screen', metadata: null }],
	['pull', { ...member, targetUserId: 'bob', specs, sdp: offer('chromium-recvonly-video-audio') }],
	['pull', { ...member, targetUserId: 'bob', specs }],
	['pull', { ...member, autoPull: true }],
	['answer', { ...member, connectionId: 'x', sdp: { type: 'answer', sdp: 'v=0' } }],
	['restartIce', { ...member, connectionId: 'x' }],
	['unpull', { ...member, pullerIds: ['x', 'y'] }],
	['setPreferredLayers', { ...member, pullerId: 'x', spatialLayer: 1, temporalLayer: 0 }],
	['textMessage', { ...member, message: 'hi', time: 5 }],
];

const odd = fc.oneof(
	fc.constantFrom<Json>(null, true, 0, -1, 1e308, 0.5, 2 ** 53, '', '0', 'x'.repeat(10_000), [], {}, [[[[]]]]),
	fc.constantFrom<Json>('__proto__', 'constructor', '\0', '\u202e', '\ud800', '💥', 'room', 'alice', 'bob'),
	// Growth: many of what there is one of.
	fc.nat({ max: 5000 }).map((length): Json => Array.from({ length }, (_, index) => index)),
	fc.nat({ max: 5000 }).map((length): Json => Array.from({ length }, (_, index) => ({ id: index, mid: `${index}` }))),
	fc.nat({ max: 5000 }).map((length): Json => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i]))),
	fc.nat({ max: 2000 }).map((depth): Json => {
		let nested: Json = [];
		for (let level = 0; level < depth; level++) nested = [nested];
		return nested;
	}),
	fc.jsonValue().map((value) => value as Json),
);
const change = fc.record({ path: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }), value: odd, key: fc.nat({ max: 5 }) });
const keys = ['__proto__', 'constructor', 'length', 'roomId', 'sdp', 'x'];

/** Puts the value somewhere into the data: in the place of something, or beside it. */
function changed(data: Json, [step, ...path]: number[], value: Json, key: number): Json {
	if (step === undefined || typeof data !== 'object' || data === null) return value;
	if (Array.isArray(data)) {
		const at = step % Math.max(data.length, 1);
		return data.length === 0 ? [value] : data.map((item, i) => (i === at ? changed(item, path, value, key) : item));
	}
	const names = Object.keys(data);
	// Beside what is there; by JSON, since an assignment would make `__proto__` the prototype.
	if (step >= names.length) return { ...data, ...(JSON.parse(`{"${keys[key] ?? 'x'}":1}`) as JsonObject) };
	const name = names[step] ?? '';
	return { ...data, [name]: changed(data[name] ?? null, path, value, key) };
}

const frame = fc.record({
	request: fc.nat({ max: requests.length - 1 }),
	changes: fc.array(change, { maxLength: 3 }),
	notification: fc.boolean(),
	cut: fc.option(fc.nat({ max: 400 }), { freq: 10 }),
});

describe('spoilt messages', () => {
	it('are answered once each, and never with 500, with fake media', async (t) => {
		const { logger, problems } = watchful();
		const workers = new FakeWorkers(logger);
		const sfu = await Sfu.createWith({ logger, webRtc }, () => Promise.resolve(workers.pool));
		t.after(() => {
			sfu.close();
		});
		const limits = { messageBurst: 100_000, lengthBurst: 1_000_000_000, offerBurst: 100_000, joinBurst: 100_000 };
		const adapter = new ProtooAdapter(sfu, { limits: { ...limits, invalidMessages: 1000, unjoinedLength: 262_144 } });
		t.after(() => {
			adapter.close();
		});
		const room = await sfu.getOrCreateRoom('room');
		const bob = await room.join({ userId: 'bob' });
		const { pushers } = await bob.push(anOffer('chromium-sendonly-audio-video'));
		const pusherId = pushers.find(({ kind }) => kind === 'video')!.pusherId;
		const slowest = new Slowest();
		const known: readonly number[] = Object.values(errorCodes);
		const codes = new Map<number, number>();

		await checkProperty(
			import.meta.filename,
			{ few: 600, many: 10_000 },
			fc.asyncProperty(fc.array(frame, { maxLength: 12, size: 'max' }), async (frames) => {
				const received: { response?: true; id?: number; errorCode?: number; errorReason?: string; method?: string }[] =
					[];
				const state = { closed: false };
				let listener!: Parameters<Socket['listen']>[0];
				adapter.accept({
					bufferedAmount: 0,
					send: (text) => void received.push(JSON.parse(text) as (typeof received)[number]),
					close: () => {
						state.closed = true;
					},
					listen: (given) => {
						listener = given;
					},
				});
				const responses = (id: number) => received.filter((message) => message.response && message.id === id);
				async function send(id: number, text: string) {
					await slowest.time(text, async () => {
						listener.message(text);
						for (let turn = 0; turn < 200 && responses(id).length === 0 && !state.closed; turn++)
							await Promise.resolve();
					});
				}
				await send(0, JSON.stringify({ request: true, id: 0, method: 'join', data: requests[0]![1] }));
				for (const [index, { request, changes, notification, cut }] of frames.entries()) {
					const [method, data] = requests[request]!;
					const spoilt = changes.reduce((spoiling, { path, value, key }) => changed(spoiling, path, value, key), data);
					const id = index + 1;
					const head = notification ? { notification: true } : { request: true, id };
					const text = JSON.stringify({ ...head, method, data: spoilt });
					await send(id, (cut === null ? text : text.slice(0, cut)).replaceAll('of bob', pusherId));
				}
				// A pull that the server offers waits until the offer before it is answered, which it never is here.
				const heartbeat = frames.length + 1;
				listener.message(JSON.stringify({ request: true, id: heartbeat, method: 'heartbeat', data: member }));
				for (let turn = 0; turn < 100 && responses(heartbeat).length === 0 && !state.closed; turn++)
					await setImmediate();
				if (!state.closed) assert.equal(responses(heartbeat).length, 1, 'the session goes on');
				for (let id = 0; id <= heartbeat; id++) assert.ok(responses(id).length <= 1, `${id} is answered once at most`);
				for (const { errorCode, errorReason } of received) {
					if (errorCode === undefined) continue;
					codes.set(errorCode, (codes.get(errorCode) ?? 0) + 1);
					assert.ok(known.includes(errorCode) && errorCode !== 500, `${errorCode} ${errorReason ?? ''}`);
					assert.ok((errorReason ?? '').length < 500, 'the reason is short');
				}
				listener.closed(1000);
				await setImmediate();
				assert.deepEqual(problems.splice(0), []);
				assert.equal(adapter.sockets, 0);
				for (const { roomId, users } of sfu.rooms.values()) {
					assert.deepEqual([...users.keys()], roomId === 'room' ? ['bob'] : []);
				}
				assert.equal(workers.books.count('webrtc').consumers, 0);
			}),
		);
		t.diagnostic(`errors by code: ${JSON.stringify([...codes])}; the slowest: ${slowest.report()}`);
		assert.equal(Object.getPrototypeOf({}), Object.prototype);
		assert.equal(({} as { x?: unknown }).x, undefined, 'no prototype was changed');
	});
});

describe('spoilt messages of the data channel protocol', () => {
	it('are read by the rules, or are none', async () => {
		const text = fc.string({ unit: 'binary', maxLength: 40 });
		const parameters = fc.record({
			label: text,
			protocol: text,
			ordered: fc.boolean(),
			maxPacketLifeTime: fc.option(fc.nat({ max: 65535 }), { nil: undefined }),
			maxRetransmits: fc.constant(undefined),
		});
		const spoil = fc.record({
			at: fc.nat({ max: 200 }),
			value: fc.nat({ max: 255 }),
			cut: fc.option(fc.nat({ max: 200 })),
		});
		const spoilt = fc.tuple(parameters, fc.array(spoil, { maxLength: 4 }));
		const property = fc.asyncProperty(fc.oneof(spoilt, fc.uint8Array({ maxLength: 60 })), (input) => {
			let message = Array.isArray(input) ? writeOpen(input[0]) : Buffer.from(input);
			if (Array.isArray(input)) {
				for (const { at, value, cut } of input[1]) {
					message = Buffer.from(message);
					if (message.length > 0) message[at % message.length] = value;
					if (cut !== null) message = message.subarray(0, cut);
				}
			}
			const read = readControlMessage(message);
			if (read?.type === 'ack') assert.equal(message[0], ackMessage[0]);
			if (read?.type !== 'open') return Promise.resolve();
			const { label, protocol, maxPacketLifeTime, maxRetransmits } = read.channel;
			assert.equal(Buffer.byteLength(label) + Buffer.byteLength(protocol) + 12, message.length);
			assert.ok(maxPacketLifeTime === undefined || maxRetransmits === undefined);
			for (const limit of [maxPacketLifeTime ?? 0, maxRetransmits ?? 0]) assert.ok(limit >= 0 && limit <= 65535);
			// What is read is written as the same.
			assert.deepEqual(readControlMessage(writeOpen(read.channel)), read);
			return Promise.resolve();
		});
		await checkProperty(import.meta.filename, { few: 5000, many: 200_000 }, property);
	});
});
