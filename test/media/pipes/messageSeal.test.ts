import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { MessageOpener, MessageSealer, newMessageKey, sealOverhead } from '../../../src/media/pipes/messageSeal.js';
import { payloadProtocol } from '../../../src/sdp/dataChannelProtocol.js';

const { string, binary } = payloadProtocol;

function pair() {
	const key = newMessageKey();
	return { sealer: new MessageSealer(key), opener: new MessageOpener(key) };
}

describe('Messages of data channels between servers', () => {
	it('are the same at the other end, with their kind', () => {
		const { sealer, opener } = pair();
		for (const [message, kind] of [
			[Buffer.from('hello'), string],
			[randomBytes(100_000), binary],
			[Buffer.alloc(1), payloadProtocol.emptyBinary],
			[Buffer.alloc(0), string],
		] as const) {
			const sealed = sealer.seal(message, kind);
			assert.equal(sealed.length, message.length + sealOverhead);
			assert.deepEqual(opener.open(sealed), { message, payloadProtocolId: kind });
		}
	});

	it('show nothing of what they say: not the text, not the kind, not that two are alike', () => {
		const { sealer } = pair();
		const text = 'the same long text, twice';
		const [first, second] = [sealer.seal(Buffer.from(text), string), sealer.seal(Buffer.from(text), string)];
		for (const sealed of [first, second]) assert.ok(!sealed.includes('the same'));
		assert.notDeepEqual(first.subarray(8), second.subarray(8));
	});

	it('cannot be changed, made up, or taken for those of another channel', () => {
		const { sealer, opener } = pair();
		const sealed = sealer.seal(Buffer.from('give 10'), string);
		for (let index = 0; index < sealed.length; index++) {
			const changed = Buffer.from(sealed);
			changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
			assert.equal(opener.open(changed), undefined, `byte ${index}`);
		}
		assert.equal(opener.open(sealed.subarray(1)), undefined);
		assert.equal(opener.open(Buffer.alloc(0)), undefined);
		assert.equal(opener.open(randomBytes(100)), undefined);
		assert.equal(new MessageOpener(newMessageKey()).open(sealed), undefined);
		assert.equal(opener.open(sealed)?.message.toString(), 'give 10', 'what was forged has not spoiled it');
	});

	it('come once and in their order, and some may be missing', () => {
		const { sealer, opener } = pair();
		const seal = (text: string) => sealer.seal(Buffer.from(text), string);
		const [one, two, three] = [seal('1'), seal('2'), seal('3')];
		assert.ok(opener.open(one));
		assert.equal(opener.open(one), undefined, 'again');
		assert.ok(opener.open(three));
		assert.equal(opener.open(two), undefined, 'too late');
	});
});
