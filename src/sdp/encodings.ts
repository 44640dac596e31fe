import type { RtpEncodingParameters } from 'mediasoup/types';
import type { OfferedCodec, OfferedMediaSection, OfferedRid, OfferedSource } from './Offer.js';
import type { ParsedMedia } from './parsed.js';
import { unsigned, type Invalid } from './readDescription.js';

const ridExtension = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';

// The most sources of one group that are read.
const mostMembers = 100;

// The most streams of one simulcast. libwebrtc sends three.
const mostStreams = 8;

// mediasoup must know of the temporal layers. Otherwise it does not tell them apart, and consumers get some of the frames.
const simulcastMode = 'L1T3';

/** Whether mediasoup's worker accepts simulcast of a codec. These codecs have no spatial layers within one stream. */
export const isSimulcastCodec = ({ name }: Pick<OfferedCodec, 'name'>): boolean => name === 'VP8' || name === 'H264';

/**
 * Reads the streams that the client sends by `a=simulcast` (RFC 8853, section 5.1), in its order. The first of several
 * alternatives counts. A stream that is paused (`~`) is included, because it may begin at any time.
 */
export function readRids(
	{ whole: { rid: lines = [], simulcast: [simulcast = ''] = [] } = {} }: ParsedMedia,
	invalid: Invalid,
): OfferedRid[] {
	const [, sent = ''] = /(?:^|\s)send\s+(\S+)/.exec(simulcast) ?? [];
	const written = sent.split(';').map((alternatives) => alternatives.split(',')[0] ?? '');
	if (written.length > mostStreams) {
		throw invalid(`a=simulcast has ${written.length} streams, more than the ${mostStreams} that can be taken`);
	}
	const parameters = new Map<string, string>();
	for (const line of lines) {
		const [, rid, own = ''] = /^([A-Za-z0-9_-]+)\s+send(?:\s+(.*))?$/.exec(line) ?? [];
		if (rid !== undefined && !parameters.has(rid)) parameters.set(rid, own);
	}
	const paused = new Map(written.map((name) => [name.replace(/^~/, ''), name.startsWith('~')]));
	return [...paused].flatMap(([rid, isPaused]) => {
		// RFC 8853, section 5.3.2: a stream without an a=rid line is left out.
		const own = parameters.get(rid);
		return own === undefined ? [] : [{ rid, payloadTypes: restrictedTo(own), paused: isPaused }];
	});
}

/** The payload types that the stream of an `a=rid` line may have (RFC 8851, section 4). Undefined if it may have all. */
function restrictedTo(parameters: string): number[] | undefined {
	const [, types] = /(?:^|;)\s*pt=([^;]*)/.exec(parameters) ?? [];
	return types?.split(',').map(Number);
}

// The groups whose first source is media, and whose others repair it (RFC 5576, section 4.2, and RFC 5956).
const repairSemantics = new Set(['FID', 'FEC', 'FEC-FR']);

/**
 * Reads the sources that an m-line announces (RFC 5576): those of its SIM group, which clients write from the lowest to the
 * highest. If there is no SIM group, it is the first source that does not repair another one.
 *
 * @returns the sources, and the number of tracks that the m-line has
 */
export function readSources(
	{ ssrcs = [], ssrcGroups = [] }: ParsedMedia,
	invalid: Invalid,
): { sources: OfferedSource[]; tracks: number } {
	const groups = ssrcGroups.map(({ semantics, ssrcs: members }) => ({
		semantics,
		members: members.split(' ', mostMembers).map((member) => unsigned(Number(member), 0xffffffff)),
	}));
	const announced = new Set<string | number | undefined>(ssrcs.map(({ id }) => id));
	const simulcast = groups.find(({ semantics }) => semantics === 'SIM')?.members.filter((ssrc) => announced.has(ssrc));
	if (simulcast && simulcast.length > mostStreams) {
		throw invalid(`a=ssrc-group:SIM has ${simulcast.length} sources, more than the ${mostStreams} that can be taken`);
	}
	const repairing = new Set(
		groups.flatMap(({ semantics, members }) =>
			repairSemantics.has(semantics) ? members.slice(1).filter((member) => member !== members[0]) : [],
		),
	);
	const first = [...announced].find((id) => !repairing.has(unsigned(id, 0xffffffff)));
	const primaries = simulcast && simulcast.length > 1 ? simulcast : [unsigned(first, 0xffffffff)];
	const sources = primaries.flatMap((ssrc) => {
		if (!ssrc) return [];
		const repair = groups.find(({ semantics, members }) => semantics === 'FID' && members[0] === ssrc)?.members[1];
		return [{ ssrc, rtxSsrc: repair === 0 ? undefined : repair }];
	});
	const tracks = new Set(ssrcs.flatMap(({ attribute, value }) => (attribute === 'msid' ? String(value) : [])));
	return { sources, tracks: Math.max(tracks.size, 1) };
}

/**
 * The rids of an m-line that we receive with a codec. Without simulcast it is the first one, because Chromium goes on
 * sending the first one regardless of the answer.
 */
export function acceptedRids({ rids, mid, headerExtensions }: OfferedMediaSection, codec: OfferedCodec): string[] {
	// Without this header extension nobody can tell the streams apart, and Chromium refuses an answer that has rids.
	if (mid === undefined || !headerExtensions.some(({ uri }) => uri === ridExtension)) return [];
	const possible = rids
		.filter(({ payloadTypes }) => payloadTypes?.includes(codec.payloadType) ?? true)
		.map(({ rid }) => rid);
	return isSimulcastCodec(codec) ? possible : possible.slice(0, 1);
}

/** The sources of an m-line that we receive with a codec. Without simulcast it is the first one. */
export function acceptedSources({ sources }: OfferedMediaSection, codec: OfferedCodec): readonly OfferedSource[] {
	return isSimulcastCodec(codec) ? sources : sources.slice(0, 1);
}

/**
 * The encodings for `produce()`, the lowest first. Rids are preferred to sources. If there is neither, which RFC 9143
 * allows, the worker recognizes the stream by the MID or the payload type.
 *
 * @param options - `usesRids`: whether the header extension for rids is negotiated; `scalabilityMode`: that of the stream,
 *   or of each of several streams
 */
export function encodings(
	media: OfferedMediaSection,
	codec: OfferedCodec,
	{ usesRids, scalabilityMode }: { usesRids: boolean; scalabilityMode: string | undefined },
): RtpEncodingParameters[] {
	const rids = usesRids ? acceptedRids(media, codec) : [];
	const streams: RtpEncodingParameters[] =
		rids.length > 0
			? rids.map((rid) => ({ rid }))
			: acceptedSources(media, codec).map(({ ssrc, rtxSsrc }) => ({
					ssrc,
					...(rtxSsrc !== undefined && codec.rtxPayloadType !== undefined && { rtx: { ssrc: rtxSsrc } }),
				}));
	const mode = scalabilityMode ?? (streams.length > 1 ? simulcastMode : undefined);
	return (streams.length > 0 ? streams : [{}]).map((stream) => ({
		...stream,
		...(mode !== undefined && { scalabilityMode: mode }),
	}));
}
