import type {
	DtlsParameters,
	IceCandidate,
	IceParameters,
	RtpCodecParameters,
	RtpHeaderExtensionParameters,
	RtpParameters,
	SctpParameters,
} from 'mediasoup/types';
import type { MediaDescription, SessionDescription } from 'sdp-transform';
import type { Direction } from './Offer.js';
import { formatParameters } from './rtpParameters.js';

/** Our end of a transport, which SDP describes to the client. */
export interface LocalTransport {
	iceParameters: IceParameters;
	iceCandidates: IceCandidate[];
	dtlsParameters: DtlsParameters;
	/** Undefined if the transport has no data channels. */
	sctpParameters?: Pick<SctpParameters, 'port' | 'maxReceiveMessageSize'> | undefined;
}

/** A track that we send. The client sees it as the track `trackId` of the MediaStream `streamId`. */
export interface SentTrack {
	parameters: RtpParameters;
	streamId: string;
	trackId: string;
}

/** The part of a description before the first m-line. */
export function sessionLines(
	{ dtlsParameters: { fingerprints } }: LocalTransport,
	{ sessionId, sessionVersion, mids }: { sessionId: number; sessionVersion: number; mids: readonly string[] },
): Omit<SessionDescription, 'media'> {
	const fingerprint = fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
	return {
		version: 0,
		origin: {
			username: '-',
			sessionId,
			sessionVersion,
			netType: 'IN',
			ipVer: 4,
			address: '127.0.0.1',
		},
		name: '-',
		timing: { start: 0, stop: 0 },
		icelite: 'ice-lite',
		...(mids.length > 0 && { groups: [{ type: 'BUNDLE', mids: mids.join(' ') }] }),
		msidSemantic: { semantic: 'WMS', token: '*' },
		...(fingerprint && { fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value } }),
	};
}

/** The candidates by their list: all transports of a worker have the same one. */
const knownCandidates = new WeakMap<readonly IceCandidate[], NonNullable<MediaDescription['candidates']>>();

function candidatesOf(iceCandidates: readonly IceCandidate[]): NonNullable<MediaDescription['candidates']> {
	const known = knownCandidates.get(iceCandidates);
	if (known) return known;
	const candidates = iceCandidates.map(({ foundation, protocol, priority, address, port, type, tcpType }) => ({
		foundation,
		component: 1,
		transport: protocol,
		priority,
		ip: address,
		port,
		type,
		...(tcpType && { tcptype: tcpType }),
	}));
	knownCandidates.set(iceCandidates, candidates);
	return candidates;
}

/** The ICE parameters. They are the same for each m-line, because one transport carries all of them. */
export function transportLines({ iceParameters, iceCandidates }: LocalTransport): Partial<MediaDescription> {
	return {
		iceUfrag: iceParameters.usernameFragment,
		icePwd: iceParameters.password,
		candidates: candidatesOf(iceCandidates),
		endOfCandidates: 'end-of-candidates',
	};
}

/** The SCTP parameters for data channels (RFC 8841, sections 5 and 6). */
export function dataLines({ sctpParameters }: LocalTransport): Partial<MediaDescription> {
	return sctpParameters ? { sctpPort: sctpParameters.port, maxMessageSize: sctpParameters.maxReceiveMessageSize } : {};
}

/** The codecs and header extensions of an m-line. */
export function codecLines(
	codecs: readonly RtpCodecParameters[],
	headerExtensions: readonly (Pick<RtpHeaderExtensionParameters, 'id' | 'uri'> & {
		direction?: Direction | undefined;
	})[],
): Pick<MediaDescription, 'payloads' | 'rtp' | 'fmtp' | 'rtcpFb' | 'ext'> {
	return {
		payloads: codecs.map(({ payloadType }) => payloadType).join(' '),
		rtp: codecs.map(({ payloadType: payload, mimeType, clockRate: rate, channels }) => ({
			payload,
			codec: mimeType.slice(mimeType.indexOf('/') + 1),
			rate,
			...(channels !== undefined && channels > 1 && { encoding: channels }),
		})),
		fmtp: codecs
			.map(({ payloadType: payload, parameters }) => ({ payload, config: formatParameters(parameters) }))
			.filter(({ config }) => config),
		rtcpFb: codecs.flatMap(({ payloadType: payload, rtcpFeedback = [] }) =>
			rtcpFeedback.map(({ type, parameter }) => ({ payload, type, ...(parameter && { subtype: parameter }) })),
		),
		ext: headerExtensions.map(({ id: value, uri, direction }) => ({ value, uri, ...(direction && { direction }) })),
	};
}

/**
 * The MediaStream and the sources of a track. Several videos share a payload type, so their SSRCs must be announced. Older
 * versions of Pion need the SSRC even of a single video.
 */
export function trackLines({ parameters, streamId: id, trackId: appdata }: SentTrack): Partial<MediaDescription> {
	const cname = parameters.rtcp?.cname ?? id;
	const sources = (parameters.encodings ?? []).flatMap(({ ssrc, rtx }) => (ssrc === undefined ? [] : [{ ssrc, rtx }]));
	const ssrcs = sources.flatMap(({ ssrc, rtx }) => (rtx ? [ssrc, rtx.ssrc] : [ssrc]));
	const groups = sources.flatMap(({ ssrc, rtx }) => (rtx ? [`${ssrc} ${rtx.ssrc}`] : []));
	return {
		msid: [{ id, appdata }],
		ssrcs: ssrcs.map((ssrc) => ({ id: ssrc, attribute: 'cname', value: cname })),
		...(groups.length > 0 && { ssrcGroups: groups.map((group) => ({ semantics: 'FID', ssrcs: group })) }),
	};
}
