import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
	ackMessage,
	readControlMessage,
	readUserMessage,
	writeOpen,
	type DataChannelParameters,
} from '../../src/sdp/dataChannelProtocol.js';

const open = (hex: string) => readControlMessage(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

const reliable: DataChannelParameters = {
	label: '',
	protocol: '',
	ordered: true,
	maxPacketLifeTime: undefined,
	maxRetransmits: undefined,
};

describe('DATA_CHANNEL_OPEN', () => {
	it('is read as browsers write it', () => {
		// Chromium 156: { protocol: 'p' }, and { ordered: false, maxRetransmits: 2 }.
		assert.deepEqual(open('03 00 0100 00000000 0008 0001 72656c6961626c65 70'), {
			type: 'open',
			channel: { ...reliable, label: 'reliable', protocol: 'p' },
		});
		assert.deepEqual(open('03 81 0100 00000002 0009 0000 756e6f726465726564'), {
			type: 'open',
			channel: { ...reliable, label: 'unordered', ordered: false, maxRetransmits: 2 },
		});
	});

	it('has each of the six channel types', () => {
		const channelOf = (type: string) => {
			const message = open(`03 ${type} 0000 00000005 0000 0000`);
			return message?.type === 'open' ? message.channel : undefined;
		};
		assert.deepEqual(channelOf('00'), reliable);
		assert.deepEqual(channelOf('80'), { ...reliable, ordered: false });
		assert.deepEqual(channelOf('01'), { ...reliable, maxRetransmits: 5 });
		assert.deepEqual(channelOf('81'), { ...reliable, ordered: false, maxRetransmits: 5 });
		assert.deepEqual(channelOf('02'), { ...reliable, maxPacketLifeTime: 5 });
		assert.deepEqual(channelOf('82'), { ...reliable, ordered: false, maxPacketLifeTime: 5 });
		for (const type of ['03', '7f', '83', 'ff']) assert.equal(channelOf(type), undefined, type);
	});

	it('has limits that fit into what an RTCDataChannel can tell', () => {
		const message = open('03 01 0000 ffffffff 0000 0000');
		assert.equal(message?.type === 'open' && message.channel.maxRetransmits, 65_535);
	});

	const malformed: [string, string][] = [
		['nothing', ''],
		['another type', '04'],
		['a header that ends early', '03 00 0000 00000000 0000 00'],
		['a label that ends early', '03 00 0000 00000000 0002 0000 61'],
		['a protocol that ends early', '03 00 0000 00000000 0001 0002 61 62'],
		['the greatest lengths, and nothing behind', '03 00 0000 00000000 ffff ffff'],
		['more than it says', '03 00 0000 00000000 0001 0000 61 62'],
		['a label that is no UTF-8', '03 00 0000 00000000 0001 0000 ff'],
		['a protocol that is no UTF-8', '03 00 0000 00000000 0000 0002 c0 80'],
	];
	for (const [name, hex] of malformed) {
		it(`with ${name} is none`, () => {
			assert.equal(open(hex), undefined);
		});
	}

	it('reads again as what was written', () => {
		const limit = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined });
		const text = fc.string({ unit: 'grapheme', maxLength: 100 });
		fc.assert(
			fc.property(text, text, fc.boolean(), limit, fc.boolean(), (label, protocol, ordered, value, isTime) => {
				const channel: DataChannelParameters = {
					label,
					protocol,
					ordered,
					maxPacketLifeTime: isTime ? value : undefined,
					maxRetransmits: isTime ? undefined : value,
				};
				assert.deepEqual(readControlMessage(writeOpen(channel)), { type: 'open', channel });
			}),
		);
	});
});

describe('A message of DCEP', () => {
	it('that acknowledges is one byte', () => {
		assert.deepEqual(ackMessage, Buffer.from([2]));
		assert.deepEqual(readControlMessage(ackMessage), { type: 'ack' });
	});

	it('of any bytes never throws', () => {
		const bytes = fc.uint8Array({ maxLength: 40 });
		fc.assert(
			fc.property(bytes, fc.boolean(), (message, isOpen) => {
				readControlMessage(Buffer.from(isOpen ? [3, ...message] : message));
			}),
			{ numRuns: 5000 },
		);
	});
});

describe('A message of a user', () => {
	it('is a string or bytes, by its Payload Protocol Identifier', () => {
		const bytes = Buffer.from('hé');
		assert.equal(readUserMessage(bytes, 51), 'hé');
		assert.equal(readUserMessage(bytes, 53), bytes);
		assert.equal(readUserMessage(Buffer.from([0]), 56), '');
		assert.deepEqual(readUserMessage(Buffer.from([0]), 57), Buffer.alloc(0));
		for (const other of [0, 50, 52, 54, 55, 58, 0xffffffff]) assert.equal(readUserMessage(bytes, other), undefined);
	});
});
