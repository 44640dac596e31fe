import type { DtlsParameters } from 'mediasoup/types';
import type { Direction } from './Offer.js';
import { offeredData } from './offeredData.js';
import { isPayloadType } from './offeredCodecs.js';
import type { ParsedMedia } from './parsed.js';
import {
	invalidBecause,
	isDirection,
	readBandwidth,
	readDescription,
	readFingerprint,
	readHeaderExtensions,
	text,
	type DescriptionLimits,
} from './readDescription.js';

/** A parsed SDP answer of a client to our offer. */
export interface ParsedAnswer {
	/** The fingerprint of the answerer, and the DTLS role that it has chosen. Undefined if it rejects every m-line. */
	readonly dtls: Required<DtlsParameters> | undefined;
	/** The most that the answerer wants to receive in all, in bit/s. Undefined if it says nothing. */
	readonly bandwidth: number | undefined;
	/** The m-lines in order: as many as the offer has. */
	readonly media: readonly AnsweredMediaSection[];
}

/** One m-line of a client's answer. */
export interface AnsweredMediaSection {
	/** Whether the client accepts it. A rejected m-line carries nothing, and may be used for something else later. */
	readonly accepted: boolean;
	/** The direction from the answerer's point of view. */
	readonly direction: Direction;
	/** The accepted payload types, the preferred one first. */
	readonly payloadTypes: readonly number[];
	/** The URIs of the accepted header extensions. */
	readonly headerExtensions: readonly string[];
	/** The most that the answerer wants to receive on it, in bit/s. Undefined if it says nothing. */
	readonly bandwidth: number | undefined;
}

/** An m-line of our offer, as the answer must repeat it. */
export interface ExpectedMediaSection {
	readonly mid: string;
	readonly type: 'audio' | 'video' | 'application';
	/** Whether we offered it with port 0. An answer must do the same then. */
	readonly stopped: boolean;
}

type Session = ReturnType<typeof readDescription>;

const invalid = invalidBecause('answer');

/**
 * Reads a client's answer to our offer (RFC 8829, section 5.11).
 *
 * @param offered - the m-lines of the offer
 * @throws {@link SfuError} `too_large` beyond the limits, `invalid_argument` with the reason if it does not fit the offer
 */
export function parseAnswer(
	sdp: string,
	offered: readonly ExpectedMediaSection[],
	limits: DescriptionLimits,
): ParsedAnswer {
	const session = readDescription(sdp, 'answer', limits);
	if (session.media.length !== offered.length) {
		throw invalid(`it has ${session.media.length} m-lines, the offer has ${offered.length}`);
	}
	const media = offered.map((expected, index) => readMediaSection(expected, index, session));
	checkBundle(
		offered.flatMap(({ mid }, index) => (media[index]?.accepted ? mid : [])),
		session,
	);
	// The m-line of the BUNDLE tag: the first accepted one has the parameters of the transport (RFC 9143, section 7.3).
	const bundleTag = session.media[media.findIndex(({ accepted }) => accepted)];
	return { dtls: bundleTag && dtlsParameters(session, bundleTag), bandwidth: readBandwidth(session), media };
}

function readMediaSection(
	{ mid, type, stopped }: ExpectedMediaSection,
	index: number,
	session: Session,
): AnsweredMediaSection {
	const media = session.media[index] ?? {};
	if (media.type !== type) throw invalid(`m-line ${index} is ${String(media.type)}, not ${type}`);
	const accepted = media.port !== 0;
	if (accepted && stopped) throw invalid(`m-line ${index} was not offered`);
	if (accepted && text(media.mid) !== mid) throw invalid(`the mid of m-line ${index} is not "${mid}"`);
	const isData = type === 'application';
	if (accepted && isData && !offeredData(media)) throw invalid(`m-line ${index} has no data channels as we know them`);
	// We offer one port for RTP and RTCP, and have no other (RFC 5761, section 5.1.1).
	if (accepted && !isData && media.rtcpMux === undefined) throw invalid(`m-line ${index} has no a=rtcp-mux`);
	const direction = media.direction ?? session.direction;
	return {
		accepted,
		direction: isDirection(direction) ? direction : 'sendrecv',
		payloadTypes: String(media.payloads).split(' ').filter(isPayloadType).map(Number),
		headerExtensions: readHeaderExtensions(media).map(({ uri }) => uri),
		bandwidth: readBandwidth(media),
	};
}

/** Checks that all accepted m-lines share one transport (RFC 9143, section 7.3). */
function checkBundle(accepted: readonly string[], { groups = [] }: Session): void {
	const bundled = groups
		.filter(({ type }) => String(type).toUpperCase() === 'BUNDLE')
		.flatMap(({ mids }) => String(mids).split(' '));
	const apart = accepted.find((mid) => !bundled.includes(mid));
	if (apart !== undefined && accepted.length > 1) throw invalid(`its a=group:BUNDLE does not have the mid "${apart}"`);
}

/** Reads the role that the answerer has chosen, since we offer both (RFC 8842, section 5.3). */
function dtlsParameters(session: Session, media: ParsedMedia): Required<DtlsParameters> {
	const setup = media.setup ?? session.setup;
	if (setup !== 'active' && setup !== 'passive') {
		throw invalid(setup === undefined ? 'it has no a=setup' : `a=setup:${setup} is no answer to actpass`);
	}
	return {
		role: setup === 'active' ? 'client' : 'server',
		fingerprints: [readFingerprint(session, media, invalid)],
	};
}
