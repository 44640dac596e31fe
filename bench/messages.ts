/**
 * How long the event loop is held by the worst SDP that the limits allow, for each attribute, and by the worst data of
 * messages; and how that grows with the size. The times of half the size are the baseline that the ratios divide by: 2 is
 * linear, 4 is quadratic.
 *
 *     node --import tsx bench/messages.ts
 */
import { readFileSync } from 'node:fs';
import { defaultLimits } from '../src/options.js';
import { parseAnswer } from '../src/sdp/parseAnswer.js';
import { parseOffer } from '../src/sdp/parseOffer.js';
import { checkData, schemaOf } from '../src/signaling/schemas.js';
import { unknownFields } from '../src/signaling/unknownFields.js';
import { readPushOptions } from '../src/tracks/PushOptions.js';

const offer = readFileSync(
	new URL('../test/fixtures/offers/chromium-sendonly-audio-video.sdp', import.meta.url),
	'utf8',
);
const list = (length: number, item: (index: number) => string, separator: string) =>
	Array.from({ length }, (_, index) => item(index)).join(separator);

/** The lines that fill an SDP up to so many bytes. */
function lines(bytes: number, line: (index: number) => string): string {
	const all: string[] = [];
	for (let length = 0; ;) {
		const next = `${line(all.length)}\r\n`;
		length += next.length;
		if (length > bytes) return all.join('');
		all.push(next);
	}
}

/** For each attribute the text that makes an SDP of so many bytes out of an ordinary one. */
const attributes: Record<string, (bytes: number) => string> = {
	'an unknown one': (bytes) => lines(bytes, () => 'a=x'),
	'a=rid': (bytes) => lines(bytes, (index) => `a=rid:r${index} send`),
	'a=simulcast': (bytes) =>
		`a=simulcast:send ${list(bytes / 14, (index) => `r${index}`, ';')}\r\n` +
		lines(bytes / 2, (index) => `a=rid:r${index} send`),
	'a=rtcp-fb:*': (bytes) => lines(bytes, (index) => `a=rtcp-fb:* n${index}`),
	'a=ssrc': (bytes) => lines(bytes, (index) => `a=ssrc:${index + 1} cname:x`),
	'a=ssrc-group': (bytes) => lines(bytes, (index) => `a=ssrc-group:FID ${index} ${index + 1}`),
	'one a=ssrc-group': (bytes) => `a=ssrc-group:SIM ${list(bytes / 7, String, ' ')}\r\n`,
	'a=extmap': (bytes) => lines(bytes, (index) => `a=extmap:${1 + (index % 255)} urn:${index}`),
	'a=fmtp': (bytes) => lines(bytes, (index) => `a=fmtp:${index % 128} a=${index}`),
	'one a=fmtp': (bytes) => `a=fmtp:98 ${list(bytes / 12, (index) => `p${index}=1`, ';')}\r\n`,
	'a=rtpmap': (bytes) => lines(bytes, (index) => `a=rtpmap:${index % 128} VP8/90000`),
	'a=candidate': (bytes) => lines(bytes, (index) => `a=candidate:${index} 1 udp 1 10.0.0.1 9 typ host`),
	'a=fingerprint': (bytes) => lines(bytes, (index) => `a=fingerprint:md5 ${index}`),
	'a=msid': (bytes) => lines(bytes, (index) => `a=msid:${index} t`),
	'a=group': (bytes) => `a=group:BUNDLE ${list(bytes / 7, String, ' ')}\r\n`,
	'b=': (bytes) => lines(bytes, (index) => `b=AS:${index}`),
	blanks: (bytes) => `a=simulcast:${' '.repeat(bytes - 20)}x\r\n`,
};

const member = { roomId: 'room', userId: 'alice' };
const messages: Record<string, (share: number) => unknown> = {
	'push with media': (share) =>
		checkData.push({
			...member,
			sdp: { type: 'offer', sdp: '' },
			media: Array.from({ length: 12_000 * share }, (_, mid) => ({ mid: String(mid) })),
		}),
	'push with data': (share) =>
		readPushOptions({ data: Array.from({ length: 1000 * share }, (_, id) => ({ id })) }, defaultLimits),
	'pull with specs': (share) =>
		checkData.pull({
			...member,
			targetUserId: 'bob',
			specs: Array.from({ length: 4000 * share }, (_, id) => ({ type: 'audio', pusher_id: String(id) })),
		}),
};

const numbered = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const offerOf = (text: string) => ({ type: 'offer', sdp: text });

/** The data of each request, as large as a message may be, in each of its dimensions. */
const data: Record<string, [method: keyof typeof checkData, make: (share: number) => object | string]> = {
	'join, a long name': ['join', (share) => ({ ...member, userName: 'x'.repeat(250_000 * share) })],
	'join, unknown fields': [
		'join',
		(share) => ({ ...member, userName: '', ...Object.fromEntries(numbered(18_000 * share).map((n) => [`f${n}`, 1])) }),
	],
	'leave, deeply nested': [
		'leave',
		(share) => `{"roomId":"room","userId":"alice","why":${'['.repeat(120_000 * share)}${']'.repeat(120_000 * share)}}`,
	],
	'heartbeat, long ids': [
		'heartbeat',
		(share) => ({ roomId: 'r'.repeat(120_000 * share), userId: 'u'.repeat(120_000) }),
	],
	'push, a long mid': [
		'push',
		(share) => ({ ...member, sdp: offerOf(''), media: [{ mid: 'm'.repeat(250_000 * share) }] }),
	],
	'push, metadata': [
		'push',
		(share) => ({
			...member,
			sdp: offerOf(''),
			media: [{ mid: '0', metadata: Object.fromEntries(numbered(18_000 * share).map((n) => [n, n])) }],
		}),
	],
	'push, codecs': [
		'push',
		(share) => ({ ...member, sdp: offerOf(''), media: [{ mid: '0', codecs: numbered(30_000 * share) }] }),
	],
	unpush: ['unpush', (share) => ({ ...member, pusherIds: numbered(30_000 * share) })],
	updatePusher: ['updatePusher', (share) => ({ ...member, pusherId: 'x', metadata: numbered(30_000 * share) })],
	'pull, unknown fields in specs': [
		'pull',
		(share) => ({
			...member,
			targetUserId: 'bob',
			specs: numbered(1000 * share).map((n) => ({
				type: 'audio',
				pusher_id: n,
				...Object.fromEntries(numbered(12).map((field) => [`f${field}`, 1])),
			})),
		}),
	],
	unpull: ['unpull', (share) => ({ ...member, pullerIds: numbered(30_000 * share) })],
	answer: [
		'answer',
		(share) => ({ ...member, connectionId: 'x', sdp: { type: 'answer', sdp: 'x'.repeat(250_000 * share) } }),
	],
	textMessage: ['textMessage', (share) => ({ ...member, message: '\u202e'.repeat(80_000 * share) })],
	offerResponse: ['offerResponse', (share) => ({ sdp: { type: 'answer', sdp: '"'.repeat(120_000 * share) } })],
};
// As it arrives: the text is parsed, checked, and searched for what nobody knows.
for (const [name, [method, make]] of Object.entries(data)) {
	const textOf = (made: object | string) => (typeof made === 'string' ? made : JSON.stringify(made));
	const texts = new Map([0.5, 1].map((share) => [share, textOf(make(share))]));
	messages[name] = (share) => {
		const parsed: unknown = JSON.parse(texts.get(share) ?? '');
		const checked = checkData[method](parsed);
		return unknownFields(checked, schemaOf(method, checked));
	};
}

/** The shortest of several runs, in ms: the others were disturbed. */
function time(run: () => unknown): number {
	const times = Array.from({ length: 5 }, () => {
		const started = performance.now();
		try {
			run();
		} catch {
			// A refusal takes its time, too.
		}
		return performance.now() - started;
	});
	return Math.min(...times);
}

const free = defaultLimits.sdpBytes - Buffer.byteLength(offer) - 100;
const cases: [string, (share: number) => unknown][] = [
	...Object.entries(attributes).flatMap(([name, fill]): [string, (share: number) => unknown][] => [
		[`offer: ${name}`, (share) => parseOffer(offer + fill(free * share), defaultLimits)],
		[`answer: ${name}`, (share) => parseAnswer(offer + fill(free * share), [], defaultLimits)],
	]),
	...Object.entries(messages),
];
const measured = cases
	.map(([name, run]) => ({ name, half: time(() => run(0.5)), full: time(() => run(1)) }))
	.sort((a, b) => b.full - a.full);
for (const { name, half, full } of measured) {
	console.log(`${full.toFixed(1).padStart(7)} ms  ${(full / half).toFixed(1)} times as long as half of it  ${name}`);
}
