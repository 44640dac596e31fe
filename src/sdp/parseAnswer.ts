import type { DtlsParameters } from 'mediasoup/types';
import type { Direction } from './Offer.js';
import { offeredData } from './offeredData.js';
import { isPayloadType } from './offeredCodecs.js';
import type { ParsedMedia } from './parsed.js';
import {
	invalidBecause,
	isDirection,
	readBandwidth,
	readBundles,
	readDescription,
	readFingerprint,
	readHeaderExtensions,
	refuseIceLite,
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
	const accepted = offered.flatMap(({ mid }, index) =>
		media[index]?.accepted ? { mid, parsed: session.media[index] } : [],
	);
	const tag = checkBundle(
		accepted.map(({ mid }) => mid),
		session,
	);
	const tracks = accepted.filter(({ parsed }) => parsed?.type !== 'application');
	// We offer one port for RTP and RTCP, and have no other (RFC 5761, section 5.1.1). Of bundled m-lines one says it for all.
	if (tracks.length > 0 && tracks.every(({ parsed }) => parsed?.rtcpMux === undefined))
		throw invalid('it has no a=rtcp-mux');
	const bundleTag = accepted.find(({ mid }) => mid === tag)?.parsed;
	const dtls = bundleTag && dtlsParameters(session, bundleTag);
	refuseIceLite(session, 'answer');
	return { dtls, bandwidth: readBandwidth(session), media };
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
	const direction = media.direction ?? session.direction;
	return {
		accepted,
		direction: isDirection(direction) ? direction : 'sendrecv',
		payloadTypes: String(media.payloads).split(' ').filter(isPayloadType).map(Number),
		headerExtensions: readHeaderExtensions(session, media).map(({ uri }) => uri),
		bandwidth: readBandwidth(media),
	};
}

/**
 * Checks that all accepted m-lines share one transport (RFC 9143, section 7.3).
 *
 * @returns the BUNDLE tag, whose m-line has the parameters of the transport
 */
function checkBundle(accepted: readonly string[], session: Session): string | undefined {
	const bundled = readBundles(session).flat();
	const apart = accepted.find((mid) => !bundled.includes(mid));
	if (apart !== undefined && accepted.length > 1) throw invalid(`its a=group:BUNDLE does not have the mid "${apart}"`);
	return bundled.find((mid) => accepted.includes(mid)) ?? accepted[0];
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
