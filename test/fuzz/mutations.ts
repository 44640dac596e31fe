import fc from 'fast-check';

const positions = fc.nat({ max: 0x7fffffff });

const numbers = [
	...[
		'0',
		'1',
		'-1',
		'2',
		'3',
		'4',
		'5',
		'13',
		'14',
		'15',
		'16',
		'63',
		'64',
		'95',
		'96',
		'97',
		'100',
		'111',
		'127',
		'128',
	],
	...['255', '256', '65535', '65536', '90000', '48000', '8000', '2147483648', '4294967295', '4294967296'],
	...['9007199254740993', '18446744073709551616', '1e5', '1.5', '0x10', '00', '007', 'NaN', 'Infinity', ''],
	'9'.repeat(400),
];

const texts = [
	...['\0', '\r', '\n', '\r\n', '\n\r', '\t', ' ', '  ', '\u00a0', '\u0085', '\u2028', '\u2029', '\ufeff', '\u000b'],
	...[
		'é',
		'日本',
		'😀',
		'\ud800',
		'\u202e',
		'%0d%0a',
		'\\r\\n',
		'"',
		"'",
		'<',
		'/',
		':',
		';',
		'=',
		'*',
		'~',
		'{',
		'}',
		'-',
	],
	...['__proto__', 'constructor', 'toString', 'undefined', 'null', '[object Object]', 'x'.repeat(300)],
];

const lines = [
	...['a=mid:__proto__', 'a=mid:0', 'a=mid:1', 'a=mid:', 'a=mid:a b', 'a=mid:averylongmidindeed', 'a=bundle-only'],
	...['a=sendrecv', 'a=sendonly', 'a=recvonly', 'a=inactive', 'a=rtcp-mux', 'a=rtcp-rsize', 'a=extmap-allow-mixed'],
	...['a=group:BUNDLE 0', 'a=group:BUNDLE', 'a=group:BUNDLE 0 1 0 2', 'a=group:LS 0 1', 'a=ice-lite'],
	...['a=setup:active', 'a=setup:passive', 'a=setup:holdconn', 'a=ice-options:trickle', 'a=end-of-candidates'],
	...[
		'a=rtcp-fb:* nack',
		'a=rtcp-fb:* nack pli',
		'a=rtcp-fb:* transport-cc',
		'a=rtcp-fb:96 ccm fir\u2028x',
		'a=rtcp-fb:96',
	],
	...[
		'a=fmtp:96 apt=96',
		'a=fmtp:97 apt=97',
		'a=fmtp:97 apt=96;apt=98',
		'a=fmtp:96 __proto__=1',
		'a=fmtp:96 constructor=1',
	],
	...[
		'a=fmtp:96 profile-level-id=zzzzzz;packetization-mode=9',
		'a=fmtp:96 profile-id=-1',
		'a=fmtp:111 a=b;;=;c',
		'a=fmtp:96 ',
	],
	...[
		'a=rtpmap:96 VP8/90000',
		'a=rtpmap:96 VP8/0',
		'a=rtpmap:96 rtx/90000',
		'a=rtpmap:111 OPUS/48000/2',
		'a=rtpmap:0 opus/48000/2',
	],
	...['a=rtpmap:200 VP8/90000', 'a=rtpmap:96 H264/90000', 'a=rtpmap:111 opus/48000/99999', 'a=rtpmap:96 VP8/90000/2'],
	...['a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid', 'a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid'],
	...[
		'a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid',
		'a=extmap:4 urn:3gpp:video-orientation',
		'a=extmap:1/recvonly x:y',
	],
	...['a=extmap:3 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:sdes:mid', 'a=extmap:2 __proto__'],
	...[
		'a=ssrc:1 cname:x',
		'a=ssrc:0 cname:x',
		'a=ssrc:4294967295 cname:\u2028',
		'a=ssrc-group:FID 1 1',
		'a=ssrc-group:FID 1',
		'a=ssrc-group:SIM 1 2 3',
	],
	...[
		'a=simulcast:send a;b;c',
		'a=simulcast:send ~',
		'a=simulcast:send ~h;m,l;h',
		'a=simulcast:recv h send l;m',
		'a=rid:a send',
		'a=rid:h send pt=96;max-width=1280',
		'a=rid:m recv',
		'a=msid:- x',
		'a=msid:{a} {b}',
		'a=msid:x',
		'a=crypto:1 x y',
	],
	...[
		'm=audio 9 UDP/TLS/RTP/SAVPF 111',
		'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
		'm=video 0 UDP/TLS/RTP/SAVPF 96',
		'm=video 9 UDP/TLS/RTP/SAVPF',
	],
	...[
		'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
		'm=audio 9 RTP/AVP 0',
		'm=text 9 UDP/TLS/RTP/SAVPF 96',
		'm=',
		'm=audio',
	],
	...['m=audio 9 UDP/TLS/RTP/SAVPF 111 111', 'b=AS:1', 'c=IN IP6 ::1', 'z=0', 'a=', 'a', '=', '', 'x=y'],
];

const names = [
	...['deleteLine', 'deleteLine', 'duplicateLine', 'swapLines', 'moveLine', 'number', 'number', 'number', 'truncate'],
	...[
		'flipBit',
		'insertText',
		'insertLine',
		'insertLine',
		'splice',
		'lineFeeds',
		'swapValues',
		'swapValues',
		'dropValue',
	],
	...['repeatSection', 'swapSections', 'deleteSection', 'copyLine', 'swapTokens', 'growLine'],
] as const;

/** One change of an offer; where and with what is by numbers, so that it fits every offer. */
export const mutation = fc.record({
	name: fc.constantFrom(...names),
	at: positions,
	to: positions,
});

export type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

const pick = <Item>(items: readonly Item[], at: number): Item | undefined => items[at % Math.max(items.length, 1)];

/** The offer with that change, of which `other` may be the donor. */
export function mutate(sdp: string, { name, at, to }: Mutation, other: string): string {
	const all = sdp.split('\r\n');
	const from = at % all.length;
	const target = to % all.length;
	const rejoin = (lines: readonly string[]) => lines.join('\r\n');
	const replaced = (changes: Record<number, string>) => rejoin(all.map((line, index) => changes[index] ?? line));
	switch (name) {
		case 'deleteLine':
			return rejoin(all.toSpliced(from, 1));
		case 'duplicateLine':
			return rejoin(all.toSpliced(from, 0, all[from] ?? ''));
		case 'copyLine':
			return rejoin(all.toSpliced(target, 0, all[from] ?? ''));
		case 'growLine': {
			// Many of what there is one of, each a bit different.
			const grown = Array.from({ length: to % 500 }, (_, index) =>
				(all[from] ?? '').replace(/\d+(?=\D*$)/, (digits) => String(Number(digits) + index)),
			);
			return rejoin(all.toSpliced(from, 0, ...grown));
		}
		case 'moveLine':
			return rejoin(all.toSpliced(from, 1).toSpliced(target, 0, all[from] ?? ''));
		case 'swapLines':
			return replaced({ [from]: all[target] ?? '', [target]: all[from] ?? '' });
		case 'number': {
			const found = [...sdp.matchAll(/\d+/g)];
			const { index = 0, 0: digits = '' } = pick(found, at) ?? {};
			return sdp.slice(0, index) + (pick(numbers, to) ?? '') + sdp.slice(index + digits.length);
		}
		case 'truncate':
			return sdp.slice(0, at % (sdp.length + 1));
		case 'flipBit': {
			const index = at % Math.max(sdp.length, 1);
			const flipped = String.fromCharCode(sdp.charCodeAt(index) ^ (1 << (to % 8)));
			return sdp.slice(0, index) + flipped + sdp.slice(index + 1);
		}
		case 'insertText': {
			const index = at % (sdp.length + 1);
			return sdp.slice(0, index) + (pick(texts, to) ?? '') + sdp.slice(index);
		}
		case 'insertLine':
			return rejoin(all.toSpliced(from, 0, pick(lines, to) ?? ''));
		case 'splice': {
			const donor = other.split('\r\n');
			return rejoin([...all.slice(0, from), ...donor.slice(to % donor.length)]);
		}
		case 'lineFeeds':
			return sdp.replaceAll('\r\n', pick(['\n', '\r', '\r\n\r\n', '\n\r'], to) ?? '');
		case 'swapValues': {
			const having = all.flatMap((line, index) => (/^a=[^:]+:/.test(line) ? [index] : []));
			const [one, two] = [pick(having, at) ?? 0, pick(having, to) ?? 0];
			const split = (line = '') => [line.slice(0, line.indexOf(':') + 1), line.slice(line.indexOf(':') + 1)] as const;
			const [oneKey, oneValue] = split(all[one]);
			const [twoKey, twoValue] = split(all[two]);
			return replaced({ [one]: oneKey + twoValue, [two]: twoKey + oneValue });
		}
		case 'swapTokens': {
			const tokens = (all[from] ?? '').split(' ');
			const [one, two] = [to % tokens.length, (to >>> 8) % tokens.length];
			const swapped = tokens.map((token, index) => tokens[index === one ? two : index === two ? one : index] ?? token);
			return replaced({ [from]: swapped.join(' ') });
		}
		case 'dropValue':
			return replaced({ [from]: (all[from] ?? '').replace(/[: ][^: ]*$/, '') });
		case 'repeatSection':
		case 'swapSections':
		case 'deleteSection': {
			const [session = '', ...media] = sdp.split(/^(?=m=)/m);
			const [one, two] = [at % Math.max(media.length, 1), to % Math.max(media.length, 1)];
			if (name === 'repeatSection') return [session, ...media.toSpliced(one, 0, media[two] ?? '')].join('');
			if (name === 'deleteSection') return [session, ...media.toSpliced(one, 1)].join('');
			return [session, ...media.map((section, i) => media[i === one ? two : i === two ? one : i] ?? section)].join('');
		}
	}
}
