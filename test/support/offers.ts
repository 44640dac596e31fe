import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import sdpTransform from 'sdp-transform';

const directory = new URL('../fixtures/offers/', import.meta.url);

/** The names of the stored offers, as in `chromium-sendonly-audio`: see test/fixtures/capture-offers.ts. */
export const offerNames: readonly string[] = readdirSync(directory)
	.filter((file) => file.endsWith('.sdp'))
	.map((file) => file.slice(0, -'.sdp'.length))
	.sort();

/** A stored offer, as its client wrote it. */
export const loadOffer = (name: string): string => readFileSync(new URL(`${name}.sdp`, directory), 'utf8');

/**
 * The offer as another RTCPeerConnection would have made it: with a session id, a fingerprint and SSRCs of its own.
 */
export function fromAnotherClient(sdp: string): string {
	const octets = [...randomBytes(32)].map((octet) => octet.toString(16).padStart(2, '0').toUpperCase());
	return withOtherSsrcs(sdp)
		.replace(/^(o=\S+) \d+/m, `$1 ${randomInt(2 ** 47)}`)
		.replace(/^(a=fingerprint:sha-256) .*\r$/gm, `$1 ${octets.join(':')}\r`);
}

function withOtherSsrcs(sdp: string): string {
	const ssrcs = new Map<string, string>();
	const other = (ssrc: string) => {
		const known = ssrcs.get(ssrc) ?? String(randomInt(1, 2 ** 32));
		ssrcs.set(ssrc, known);
		return known;
	};
	return sdp
		.replace(/^a=ssrc:(\d+)/gm, (_, ssrc: string) => `a=ssrc:${other(ssrc)}`)
		.replace(/^(a=ssrc-group:\S+) ([\d ]+)/gm, (_, group: string, members: string) =>
			[group, ...members.split(' ').map(other)].join(' '),
		);
}

/** A stored offer, each time from another client. */
export const anOffer = (name: string): string => fromAnotherClient(loadOffer(name));

/** The header extension by which the packets of AV1 tell their layers. */
export const dependencyDescriptor =
	'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';

/** The lines before the first m-line, then those of each m-line. */
export const sections = (sdp: string): string[] => sdp.split(/^(?=m=)/m);

/** Changes the m-line at an index, with all lines up to the next one. */
export function editMedia(sdp: string, index: number, edit: (media: string) => string): string {
	const [session = '', ...media] = sections(sdp);
	const edited = media.map((section, at) => (at === index ? edit(section) : section));
	assert.ok(edited.join('') !== media.join(''), 'the edit changes nothing');
	return session + edited.join('');
}

/** Replaces the lines that the pattern matches the beginning of. */
export function replaceLine(sdp: string, pattern: string, ...lines: string[]): string {
	const matching = new RegExp(`^${pattern}.*\r\n`, 'gm');
	assert.match(sdp, matching, `no line begins with ${pattern}`);
	return sdp.replace(matching, lines.map((line) => `${line}\r\n`).join(''));
}

/** Leaves out the lines that the pattern matches the beginning of. */
export const withoutLine = (sdp: string, pattern: string): string => replaceLine(sdp, pattern);

/** Adds lines to the m-line at an index. */
export const addLine = (sdp: string, index: number, ...lines: string[]): string =>
	lines.length === 0 ? sdp : editMedia(sdp, index, (media) => media + lines.map((line) => `${line}\r\n`).join(''));

/** Adds lines before the first m-line. */
export const addSessionLine = (sdp: string, ...lines: string[]): string =>
	sdp.replace(/^(?=m=)/m, lines.map((line) => `${line}\r\n`).join(''));

/** Makes the m-line at an index the only one. */
export function onlyMedia(sdp: string, index: number): string {
	const [session = '', ...media] = sections(sdp);
	return session + (media[index] ?? '');
}

/** The same m-line so many times, each with a mid and SSRCs of its own. */
export function repeatMedia(sdp: string, index: number, count: number): string {
	const media = sections(sdp)[index + 1] ?? '';
	const mids = Array.from({ length: count }, (_, mid) => mid);
	const session = replaceLine(sections(sdp)[0] ?? '', 'a=group:BUNDLE', `a=group:BUNDLE ${mids.join(' ')}`);
	const copies = mids.map((mid) => replaceLine(withOtherSsrcs(media), 'a=mid:', `a=mid:${mid}`));
	return session + copies.join('');
}

/** What must hold of every answer, whatever it accepts (RFC 8829, section 5.3). */
export function assertAnswers(offer: string, answer: string): void {
	const offered = sdpTransform.parse(offer);
	const answered = sdpTransform.parse(answer);
	const frame = ({ type, protocol, mid }: (typeof offered.media)[number]) => ({ type, protocol, mid });
	assert.deepEqual(answered.media.map(frame), offered.media.map(frame), 'the m-lines are those of the offer');
	const accepted = answered.media.filter(({ port }) => port !== 0);
	const offeredBundle = /^a=group:BUNDLE (.*)\r$/m.exec(offer)?.[1]?.split(' ') ?? [];
	assert.deepEqual(
		/^a=group:BUNDLE (.*)\r$/m.exec(answer)?.[1]?.split(' ') ?? [],
		offeredBundle.filter((bundled) => accepted.some(({ mid }) => String(mid) === bundled)),
		'BUNDLE names the accepted m-lines of the offered group, in its order',
	);
	for (const [index, media] of answered.media.entries()) {
		const asked = offered.media[index]!;
		const formats = String(media.payloads).split(' ');
		const known = String(asked.payloads).split(' ');
		assert.deepEqual(
			formats.filter((format) => !known.includes(format)),
			[],
			'the formats are among those of the offer',
		);
		for (const { payload } of [...media.rtp, ...media.fmtp, ...(media.rtcpFb ?? [])]) {
			assert.ok(formats.includes(String(payload)), `${payload} is described, but not listed`);
		}
		for (const { value, uri } of media.ext ?? []) {
			assert.ok(
				asked.ext?.some((extension) => extension.value === value && extension.uri === uri),
				`extension ${value} ${uri} is the offer's`,
			);
		}
		if (media.port === 0) {
			assert.equal(media.direction, 'inactive');
			assert.equal(media.candidates, undefined);
			continue;
		}
		for (const { payload, codec, rate, encoding } of media.rtp) {
			const same = asked.rtp.find((rtp) => rtp.payload === payload);
			assert.deepEqual(
				[codec.toLowerCase(), rate, encoding ?? 1],
				[same?.codec.toLowerCase(), same?.rate, same?.encoding ?? 1],
				`${payload} is the codec of the offer`,
			);
		}
		const setup = asked.setup ?? offered.setup;
		assert.equal(media.setup, setup === 'passive' ? 'active' : 'passive');
		if (media.type === 'application') {
			assert.deepEqual([media.sctpPort, media.rtcpMux, media.direction], [5000, undefined, undefined]);
			assert.ok(media.maxMessageSize);
		} else {
			assert.equal(media.rtcpMux, 'rtcp-mux');
		}
		assert.equal(media.endOfCandidates, 'end-of-candidates');
		assert.ok(media.iceUfrag && media.icePwd && media.candidates?.length, 'it says where to send to');
		if (media.rtcpRsize !== undefined) assert.ok(asked.rtcpRsize !== undefined);
		if (media.direction === 'sendonly') assert.match(asked.direction ?? 'sendrecv', /recv/);
		if (media.direction === 'recvonly') assert.match(asked.direction ?? 'sendrecv', /send/);
	}
	assert.equal(answered.icelite, 'ice-lite');
	assert.equal(answered.fingerprint?.type, 'sha-256');
	// sdp-transform's writer leaves out what it does not know, and so what it reads again is all that there is.
	assert.deepEqual(sdpTransform.parse(sdpTransform.write(answered)), answered);
}
