import type {
	MediaKind,
	RtcpFeedback,
	RtpCapabilities,
	RtpCodecParameters,
	RtpHeaderExtensionUri,
	RtpParameters,
} from 'mediasoup/types';
import { acceptedRids, encodings } from './encodings.js';
import { isReceiving, isSending, type OfferedCodec, type OfferedMediaSection } from './Offer.js';

const mid = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const rid = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const repairedRid = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
const transportCc = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
const absSendTime = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
const dependencyDescriptor = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';

/** The URIs of the header extensions that other files need. */
export const headerExtensionUris = { mid, rid, transportCc, absSendTime, dependencyDescriptor } as const;

/**
 * The header extensions that mediasoup reads from a pusher. `toffset` is left out on purpose: mediasoup would forward it
 * with an id that older versions of libwebrtc take for the MID.
 */
const receivedExtensions: Record<MediaKind, readonly RtpHeaderExtensionUri[]> = {
	audio: [mid, transportCc, absSendTime, 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'],
	video: [mid, transportCc, absSendTime, 'urn:3gpp:video-orientation'],
};

// The feedback that the worker sends and understands, for each kind.
export const supportedFeedback: Record<MediaKind, readonly string[]> = {
	audio: ['transport-cc', 'nack'],
	video: ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'],
};

/** Writes feedback as SDP has it after the payload type, for instance `nack pli`. */
export function formatFeedback({ type, parameter }: RtcpFeedback): string {
	return parameter ? `${type} ${parameter}` : type;
}

/** Writes the value of an `a=fmtp` line, for instance `minptime=10;useinbandfec=1`. It is empty without parameters. */
export function formatParameters(parameters: Readonly<Record<string, unknown>> = {}): string {
	return Object.entries(parameters)
		.map(([key, value]) => `${key}=${String(value)}`)
		.join(';');
}

/**
 * The parameters for `produce()`. They have one codec and its RTX, because the worker reads the first codec only. All
 * numbers are those of the offer.
 *
 * @param extensionIds - the ids taken so far on this transport, by URI: one URI has one id on all its m-lines
 * @param scalabilityMode - the mode that the client names for its stream, or for each of several streams
 */
export function producerParameters(
	media: OfferedMediaSection & { kind: MediaKind },
	codec: OfferedCodec,
	extensionIds: ReadonlyMap<string, number>,
	scalabilityMode?: string,
): RtpParameters {
	const headerExtensions = acceptedExtensions(media, codec, extensionIds);
	const hasTransportCc = headerExtensions.some(({ uri }) => uri === transportCc);
	const feedback = codec.rtcpFeedback.filter(
		(offered) =>
			supportedFeedback[media.kind].includes(formatFeedback(offered)) &&
			(offered.type !== 'transport-cc' || hasTransportCc),
	);
	const codecs: RtpCodecParameters[] = [
		{
			mimeType: codec.mimeType,
			payloadType: codec.payloadType,
			clockRate: codec.clockRate,
			...(media.kind === 'audio' && { channels: codec.channels }),
			parameters: { ...codec.parameters },
			rtcpFeedback: feedback.map((each) => ({ ...each })),
		},
	];
	if (codec.rtxPayloadType !== undefined) {
		codecs.push({
			mimeType: `${media.kind}/rtx`,
			payloadType: codec.rtxPayloadType,
			clockRate: codec.clockRate,
			parameters: { apt: codec.payloadType },
			rtcpFeedback: [],
		});
	}
	return {
		...(media.mid !== undefined && { mid: media.mid }),
		codecs,
		headerExtensions: headerExtensions.map(({ uri, id }) => ({ uri, id })),
		encodings: encodings(media, codec, {
			usesRids: headerExtensions.some(({ uri }) => uri === rid),
			scalabilityMode,
		}),
		rtcp: { reducedSize: media.rtcpRsize, ...(media.cname !== undefined && { cname: media.cname }) },
	};
}

function acceptedExtensions(
	media: OfferedMediaSection & { kind: MediaKind },
	codec: OfferedCodec,
	extensionIds: ReadonlyMap<string, number>,
): { uri: RtpHeaderExtensionUri; id: number }[] {
	const wanted = [
		...receivedExtensions[media.kind],
		...(acceptedRids(media, codec).length > 0 ? [rid, repairedRid] : []),
		...(codec.name === 'AV1' ? [dependencyDescriptor] : []),
	];
	const taken = new Set(
		[...extensionIds].filter(([uri]) => !media.headerExtensions.some((e) => e.uri === uri)).map(([, id]) => id),
	);
	return wanted.flatMap((uri) => {
		const offered = media.headerExtensions.find((extension) => extension.uri === uri);
		if (!offered || !isSending(offered.direction)) return [];
		if ((extensionIds.get(uri) ?? offered.id) !== offered.id || taken.has(offered.id)) return [];
		taken.add(offered.id);
		return [{ uri: uri as RtpHeaderExtensionUri, id: offered.id }];
	});
}

/**
 * The capabilities for `consume()`, with which a client receives one codec on an m-line. mediasoup sends header extensions
 * with ids of its own, and so it keeps only those that have the same ids in the offer. The client's own estimates (REMB) are
 * left out: Firefox has mediasoup's id for abs-send-time, but it sends no estimates, and so the first one would stay.
 */
export function consumerCapabilities(
	media: OfferedMediaSection & { kind: MediaKind },
	codec: OfferedCodec,
	rtxPayloadType: number | undefined,
): RtpCapabilities {
	const shared = { kind: media.kind, clockRate: codec.clockRate };
	return {
		codecs: [
			{
				...shared,
				mimeType: codec.mimeType,
				preferredPayloadType: codec.payloadType,
				...(media.kind === 'audio' && { channels: codec.channels }),
				parameters: { ...codec.parameters },
				rtcpFeedback: codec.rtcpFeedback.filter(({ type }) => type !== 'goog-remb').map((each) => ({ ...each })),
			},
			...(rtxPayloadType === undefined
				? []
				: [
						{
							...shared,
							mimeType: `${media.kind}/rtx`,
							preferredPayloadType: rtxPayloadType,
							parameters: { apt: codec.payloadType },
							rtcpFeedback: [],
						},
					]),
		],
		headerExtensions: media.headerExtensions
			.filter(({ direction }) => isReceiving(direction))
			.map(({ uri, id }) => ({ kind: media.kind, uri: uri as RtpHeaderExtensionUri, preferredId: id })),
	};
}

/** The codec of a track as capabilities, to look for the same codec elsewhere. */
export function codecCapabilities({
	kind,
	rtpParameters: { codecs },
}: {
	kind: MediaKind;
	rtpParameters: RtpParameters;
}): RtpCapabilities {
	return {
		codecs: codecs.slice(0, 1).map(({ mimeType, clockRate, channels, payloadType, parameters }) => ({
			kind,
			mimeType: mimeType as `${string}/${string}`,
			clockRate,
			...(channels !== undefined && { channels }),
			preferredPayloadType: payloadType,
			parameters: { ...(parameters as object) },
			rtcpFeedback: [],
		})),
		headerExtensions: [],
	};
}
