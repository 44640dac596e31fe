import assert from 'node:assert/strict';
import sdpTransform from 'sdp-transform';

const sessionLines = [
	/^v=0$/,
	/^o=- \d+ \d+ IN IP4 127\.0\.0\.1$/,
	/^s=-$/,
	/^t=0 0$/,
	/^a=ice-lite$/,
	/^a=extmap-allow-mixed$/,
	/^a=group:BUNDLE( \S+)+$/,
	/^a=msid-semantic: ?WMS \*$/,
	/^a=fingerprint:sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/,
];

/** What an m-line may have once. */
const onceLines = [
	/^m=\S+ (0|9) \S+ \S.*$/,
	/^c=IN IP4 127\.0\.0\.1$/,
	/^a=mid:\S+$/,
	/^a=setup:(active|passive)$/,
	/^a=ice-ufrag:[A-Za-z0-9+/]+$/,
	/^a=ice-pwd:[A-Za-z0-9+/]+$/,
	/^a=end-of-candidates$/,
	/^a=rtcp-mux$/,
	/^a=rtcp-rsize$/,
	/^a=extmap-allow-mixed$/,
	/^a=(sendrecv|sendonly|recvonly|inactive)$/,
	/^a=msid:\S+ \S+$/,
	/^a=simulcast:recv ~?[\w-]+(;~?[\w-]+)*$/,
	/^a=sctp-port:5000$/,
	/^a=max-message-size:\d+$/,
];

const otherLines = [
	/^a=candidate:\S+ 1 (udp|tcp) \d+ \S+ \d+ typ host( tcptype passive)?$/,
	/^a=rtpmap:\d+ [^\s/]+\/\d+(\/\d+)?$/,
	/^a=fmtp:\d+ \S.*$/,
	/^a=rtcp-fb:\d+ \S+( \S+)?$/,
	/^a=extmap:\d+(\/(sendonly|recvonly))? \S+$/,
	/^a=ssrc:\d+ cname:\S.*$/,
	/^a=ssrc-group:FID \d+ \d+$/,
	/^a=rid:[\w-]+ recv$/,
];

const split = (sdp: string) => {
	const lines = sdp.split(/\r\n|\r|\n/).filter((line) => /^[a-z]=/.test(line));
	const sections: string[][] = [[]];
	for (const line of lines) {
		if (line.startsWith('m=')) sections.push([]);
		sections.at(-1)?.push(line);
	}
	const [session = [], ...media] = sections;
	return { session, media };
};

/** All that a pattern captures in these lines. */
const captured = (lines: readonly string[], pattern: RegExp) =>
	lines.flatMap((line) => {
		const match = pattern.exec(line);
		return match ? [match.slice(1)] : [];
	});

const unique = (values: readonly unknown[], message: string) => {
	assert.equal(new Set(values).size, values.length, `${message}: ${values.join(' ')}`);
};

/** RFC 8853, section 5.3.2: of the streams that are offered, and with what tells them apart. */
function checkRids(asked: readonly string[], section: readonly string[]) {
	const rids = captured(section, /^a=rid:([\w-]+) recv$/).flat();
	unique(rids, 'rids');
	const [listed] = captured(section, /^a=simulcast:recv (.*)$/)[0] ?? [];
	assert.equal(
		listed?.replaceAll('~', ''),
		rids.length > 0 ? rids.join(';') : undefined,
		'the streams of a=simulcast are those of a=rid',
	);
	for (const rid of rids) {
		assert.ok(
			captured(asked, /^a=rid:\s*([\w-]+)\s+send\b/)
				.flat()
				.includes(rid),
			`rid ${rid} is not offered`,
		);
		const streams = captured(asked, /^a=simulcast:(?:.*\s)?send\s+(\S+)/).flatMap(([list = '']) => list.split(';'));
		assert.ok(
			streams.some((stream) => stream.split(',').some((name) => name.replace('~', '') === rid)),
			`rid ${rid} is not in the simulcast of the offer`,
		);
		assert.ok(
			section.some((line) => /^a=extmap:\d+(\/\w+)? urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id$/.test(line)),
			'rids without their header extension',
		);
	}
}

const transportForms = [/^a=setup/, /^a=ice-ufrag/, /^a=ice-pwd/, /^a=end-of/];

const checkHas = (section: readonly string[], forms: readonly RegExp[]) => {
	for (const needed of forms)
		assert.ok(
			section.some((line) => needed.test(line)),
			`${String(needed)} is missing`,
		);
	assert.equal(section.filter((line) => line.startsWith('a=candidate:')).length, 2, 'candidates');
};

/** An accepted m-line for data channels. */
function checkData(section: readonly string[], asked: readonly string[]): void {
	assert.match(section[0] ?? '', /^m=application 9 (UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/);
	assert.ok(
		asked.some((line) => /^a=sctp-port:5000\b/.test(line)),
		'it was offered',
	);
	checkHas(section, [...transportForms, /^a=sctp-port:5000$/, /^a=max-message-size:\d+$/]);
	for (const line of section) assert.doesNotMatch(line, /^a=(rtcp|rtpmap|fmtp|extmap|ssrc|msid|send|recv|inactive)/);
}

/** Every answer, whatever the offer was: it reads both on its own, line by line. */
export function checkAnswer(offer: string, answer: string): void {
	const offered = split(offer);
	const lines = answer.split('\r\n');
	assert.equal(lines.pop(), '', 'it ends with a line end');
	for (const line of lines) assert.doesNotMatch(line, /[\r\n\0\u2028\u2029]/, 'a line within a line');
	const { session, media } = split(answer);
	assert.equal([session, ...media].flat().length, lines.length, 'every line is one of SDP');
	assert.equal(media.length, offered.media.length, 'as many m-lines');
	for (const line of session) assert.equal(sessionLines.filter((form) => form.test(line)).length, 1, line);
	for (const form of sessionLines) assert.ok(session.filter((line) => form.test(line)).length <= 1, String(form));

	const accepted: string[] = [];
	for (const [index, section] of media.entries()) {
		const asked = offered.media[index] ?? [];
		for (const line of section) {
			assert.equal([...onceLines, ...otherLines].filter((form) => form.test(line)).length, 1, `odd line: ${line}`);
		}
		for (const form of onceLines)
			assert.ok(section.filter((line) => form.test(line)).length <= 1, `twice: ${String(form)}`);
		const [type, port, protocol, formats = ''] = captured(section.slice(0, 1), /^m=(\S+) (\d+) (\S+) (.*)$/)[0] ?? [];
		const [askedType, , askedProtocol, askedFormats = ''] =
			captured(asked.slice(0, 1), /^m=(\S*) (\d*)(?:\/\d+)? (\S*)(?: ([^]*))?$/)[0] ?? [];
		assert.deepEqual([type, protocol], [askedType, askedProtocol], 'type and protocol');
		const [mid] = captured(section, /^a=mid:(.*)$/)[0] ?? [];
		// Of several in one m-line the last counts.
		const [askedMid] = captured(asked, /^a=mid:(\S*)/).at(-1) ?? [];
		assert.equal(mid, askedMid === '' ? undefined : askedMid, 'the mid');
		const types = formats.split(' ');
		// The offer may be written oddly.
		const askedTypes = askedFormats
			.trim()
			.split(/\s+/)
			.map((format) => String(Number(format)));
		if (port === '0') {
			assert.equal(formats.trim(), askedFormats.trim(), 'a rejected m-line has the formats of the offer');
			continue;
		}
		if (mid !== undefined) accepted.push(mid);
		if (askedType === 'application') {
			checkData(section, asked);
			continue;
		}
		assert.match(askedType ?? '', /^(audio|video)$/);
		unique(types, 'payload types');
		for (const payloadType of types)
			assert.ok(askedTypes.includes(payloadType), `payload type ${payloadType} is not offered`);
		const rtpmaps = captured(section, /^a=rtpmap:(\d+) (.*)$/);
		unique(
			rtpmaps.map(([payloadType]) => payloadType),
			'rtpmaps',
		);
		const named = captured(asked, /^a=rtpmap:(\d+) ([\w.-]*)/);
		for (const [payloadType = '', codec = ''] of rtpmaps) {
			assert.ok(types.includes(payloadType), `rtpmap ${payloadType} is not listed`);
			const name = codec.replace(/\/.*/, '').toLowerCase();
			const same = named.some(([other, written]) => other === payloadType && written?.toLowerCase() === name);
			assert.ok(same, `${payloadType} ${codec} is not offered`);
		}
		const fmtps = captured(section, /^a=fmtp:(\d+) /);
		unique(fmtps.flat(), 'fmtps');
		for (const [payloadType = ''] of [...fmtps, ...captured(section, /^a=rtcp-fb:(\d+) /)]) {
			assert.ok(types.includes(payloadType), `${payloadType} is described, but not listed`);
		}
		const extensions = captured(section, /^a=extmap:(\d+)(?:\/[a-z]+)? (\S+)$/);
		unique(
			extensions.map(([id]) => id),
			'extension ids',
		);
		unique(
			extensions.map(([, uri]) => uri),
			'extension URIs',
		);
		for (const [id = '', uri = ''] of extensions) {
			const same = captured([...asked, ...offered.session], /^a=extmap:(\d+)(?:\/[a-z]+)? (\S+)/).some(
				([askedId, askedUri]) => askedId === id && askedUri === uri,
			);
			assert.ok(same, `extension ${id} ${uri} is not offered`);
		}
		checkRids(asked, section);
		checkHas(section, [...transportForms, /^a=rtcp-mux/, /^a=(send|recv|inactive)/]);
		unique(
			section.filter((line) => line.startsWith('a=ssrc:')),
			'sources',
		);
	}
	unique(
		media.flatMap((section) => captured(section, /^a=mid:(.*)$/).flat()),
		'mids',
	);
	const [bundle = ''] = captured(session, /^a=group:BUNDLE (.*)$/)[0] ?? [];
	const groups = captured(offered.session, /^a=group:BUNDLE (.*)$/i).map(([mids = '']) => mids.trim().split(/\s+/));
	const bundled = bundle === '' ? [] : bundle.split(' ');
	// The group of the answer is in the order of one of the offer, and a single m-line needs none (RFC 9143, section 7.3).
	const inOrder = groups.map((mids) => [...new Set(mids)].filter((mid) => accepted.includes(mid)).join(' '));
	assert.ok(
		bundle === '' ? accepted.length <= 1 : inOrder.includes(bundle),
		`BUNDLE ${bundle} of ${inOrder.join(' | ')}`,
	);
	if (bundle !== '') assert.deepEqual(bundled.toSorted(), accepted.toSorted(), 'BUNDLE has the accepted m-lines');
	const parsed = sdpTransform.parse(answer);
	assert.deepEqual(sdpTransform.parse(sdpTransform.write(parsed)), parsed, 'it reads again as the same');
	assert.equal(parsed.media.length, media.length);
}
