import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bus } from '../../src/cluster/Bus.js';
import { MemoryBus } from '../../src/cluster/MemoryBus.js';
import { sealedBus, Sealer, type DroppedMessages } from '../../src/cluster/sealedBus.js';
import { Mailbox, settled } from './busesSetup.js';

/** A sealed bus, the bare bus beneath it, and what arrives on both. */
async function setUp() {
	const bare = new MemoryBus();
	const dropped: DroppedMessages[] = [];
	const bus = sealedBus(new MemoryBus(bare), 'secret', { dropped: (messages) => dropped.push(messages) });
	const [opened, sealed] = [new Mailbox(), new Mailbox()];
	await bus.subscribe('room', opened.listener);
	await bare.subscribe('room', sealed.listener);
	return { bare, bus, dropped, opened, sealed };
}

describe('Sealer', () => {
	// From https://c2sp.org/XAES-256-GCM.
	for (const [byte, subject, expected] of [
		[1, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
		[3, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
	] as const) {
		it(`is XAES-256-GCM: the test vector with a key of the byte ${byte}`, () => {
			const sealer = new Sealer(Buffer.alloc(32, byte));
			const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
			const sealed = sealer.seal(subject, Buffer.from('XAES-256-GCM'), nonce);
			assert.equal(sealed.toString('hex'), nonce.toString('hex') + expected);
			assert.equal(String(sealer.open(subject, sealed)), 'XAES-256-GCM');
		});
	}
});

describe('sealedBus', () => {
	it('shows nothing of a message but its length', async () => {
		const { bus, opened, sealed } = await setUp();
		for (let times = 0; times < 2; times++) await bus.publish('room', Buffer.from('the same message'));
		assert.deepEqual(await opened.takeTexts(2), ['the same message', 'the same message']);
		const [one, two] = await sealed.take(2);
		assert.ok(one && two);
		assert.equal(one.length, 'the same message'.length + 40);
		assert.ok(!one.includes('message'));
		// Not even that two messages are the same.
		assert.notDeepEqual(one.subarray(0, 24), two.subarray(0, 24));
		assert.notDeepEqual(one.subarray(24, 40), two.subarray(24, 40));
	});

	it('drops what was changed anywhere, or cut', async () => {
		const { bare, bus, opened, sealed } = await setUp();
		await bus.publish('room', Buffer.from('message'));
		await opened.take(1);
		const [message] = await sealed.take(1);
		assert.ok(message);
		for (let index = 0; index < message.length; index++) {
			const changed = Buffer.from(message);
			changed.writeUInt8(changed.readUInt8(index) ^ 0x80, index);
			await bare.publish('room', changed);
			await bare.publish('room', message.subarray(0, index));
		}
		await bare.publish('room', Buffer.concat([message, Buffer.alloc(1)]));
		await settled(bare, bare);
		assert.deepEqual(opened.messages, []);
	});

	it('drops what another secret has sealed', async () => {
		const { bare, bus, opened, dropped } = await setUp();
		const other = sealedBus(new MemoryBus(bare), 'Secret');
		await other.publish('room', Buffer.from('forged'));
		await bus.publish('room', Buffer.from('message'));
		assert.deepEqual(await opened.takeTexts(1), ['message']);
		assert.deepEqual(dropped, [{ subject: 'room', count: 1 }]);
	});

	it('drops what was sealed for another subject, and takes it again for its own', async () => {
		const { bare, bus, opened, sealed, dropped } = await setUp();
		const other = new Mailbox();
		await bus.subscribe('room.other', other.listener);
		await bus.publish('room', Buffer.from('message'));
		const [captured] = await sealed.take(1);
		assert.ok(captured);
		await bare.publish('room.other', captured);
		await bare.publish('room', captured);
		assert.deepEqual(await opened.takeTexts(2), ['message', 'message']);
		assert.deepEqual(other.messages, []);
		assert.deepEqual(dropped, [{ subject: 'room.other', count: 1 }]);
	});

	it('tells what it drops at most once a second', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { bare, bus, dropped } = await setUp();
		await bus.subscribe('other', () => undefined);
		const flood = async (subject: string, count: number) => {
			for (let index = 0; index < count; index++) await bare.publish(subject, Buffer.from('junk'));
		};
		await flood('room', 100);
		await flood('other', 1);
		assert.deepEqual(dropped.splice(0), [{ subject: 'room', count: 1 }]);
		t.mock.timers.tick(999);
		assert.deepEqual(dropped, []);
		t.mock.timers.tick(1);
		assert.deepEqual(dropped.splice(0), [{ subject: 'other', count: 100 }]);
		t.mock.timers.tick(1000);
		await flood('room', 2);
		assert.deepEqual(dropped.splice(0), [{ subject: 'room', count: 1 }]);
		await bus.close();
		t.mock.timers.tick(1000);
		assert.deepEqual(dropped, []);
	});

	it('outlasts a `dropped` that throws', async (t) => {
		const log = t.mock.method(console, 'error', () => undefined);
		const bare = new MemoryBus();
		const dropped = () => {
			throw new Error('thrown');
		};
		const bus = sealedBus(new MemoryBus(bare), 'secret', { dropped });
		const mailbox = new Mailbox();
		await bus.subscribe('room', mailbox.listener);
		await bare.publish('room', Buffer.from('junk'));
		await bus.publish('room', Buffer.from('message'));
		assert.deepEqual(await mailbox.takeTexts(1), ['message']);
		assert.equal(log.mock.callCount(), 1);
	});

	it('is as connected as the bus beneath', async () => {
		const listeners = new Set<(connected: boolean) => void>();
		const beneath: Bus & { connected: boolean } = {
			connected: false,
			publish: () => Promise.resolve(),
			subscribe: () => Promise.resolve(() => undefined),
			onConnected: (listener) => {
				listeners.add(listener);
				return () => listeners.delete(listener);
			},
			close: () => Promise.resolve(),
		};
		const bus = sealedBus(beneath, 'secret');
		const changes: boolean[] = [];
		const end = bus.onConnected((connected) => changes.push(connected));
		assert.equal(bus.connected, false);
		beneath.connected = true;
		for (const listener of listeners) listener(true);
		assert.equal(bus.connected, true);
		end();
		assert.deepEqual([changes, listeners.size], [[true], 0]);
		await bus.close();
	});

	it('takes bytes for a secret, but no empty one', async () => {
		const { bare, bus, opened } = await setUp();
		await sealedBus(new MemoryBus(bare), Buffer.from('secret')).publish('room', Buffer.from('message'));
		assert.deepEqual(await opened.takeTexts(1), ['message']);
		assert.throws(() => sealedBus(bus, ''), { name: 'SfuError', code: 'invalid_argument' });
		assert.throws(() => sealedBus(bus, new Uint8Array()), { name: 'SfuError', code: 'invalid_argument' });
	});
});
