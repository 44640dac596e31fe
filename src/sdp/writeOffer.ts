import type { MediaKind, RtpCodecParameters, RtpParameters } from 'mediasoup/types';
import type { MediaDescription } from 'sdp-transform';
import {
	codecLines,
	dataLines,
	sessionLines,
	trackLines,
	transportLines,
	type LocalTransport,
	type SentTrack,
} from './lines.js';
import { writeDescription } from './writeDescription.js';

/** One m-line of our offer. */
export type MediaSectionToOffer = RtpSectionToOffer | DataSectionToOffer;

/** An m-line for media. */
export interface RtpSectionToOffer {
	mid: string;
	kind: MediaKind;
	/** The track that it carries. Without one the m-line is `inactive`, and can be used later. */
	send?: SentTrack;
	/** The parameters of the track that it carries or carried: an m-line needs a format even if nothing flows. */
	parameters: RtpParameters;
	/** Whether the client has rejected it. It stays rejected until it is used again with another mid. */
	rejected: boolean;
}

/** The m-line for data channels. */
export interface DataSectionToOffer {
	mid: string;
	kind: 'data';
	/** The same as for a track. */
	rejected: boolean;
}

/** An offer, to be written as SDP. */
export interface OfferToWrite {
	/** The m-lines in order. An m-line never goes away. */
	media: readonly MediaSectionToOffer[];
	/** The mids in the order in which they were first offered. The first one is the BUNDLE tag (RFC 9143, section 7.2). */
	mids: readonly string[];
	transport: LocalTransport;
	sessionId: number;
	/** It rises with each offer of a session. */
	sessionVersion: number;
}

/** Writes an offer (RFC 8829, section 5.2). The ids of header extensions are those of mediasoup. */
export function writeOffer({ media, mids, transport, sessionId, sessionVersion }: OfferToWrite): string {
	return writeDescription({
		...sessionLines(transport, { sessionId, sessionVersion, mids }),
		extmapAllowMixed: 'extmap-allow-mixed',
		media: sameFormats(media).map((section) => {
			if (section.rejected) return { ...mediaSection(section), port: 0, direction: 'inactive' };
			return {
				...mediaSection(section),
				port: 9,
				mid: section.mid,
				setup: 'actpass',
				...transportLines(transport),
				...(section.kind === 'data' ? dataLines(transport) : rtpLines(section)),
			};
		}),
	});
}

/**
 * Gives all m-lines the same parameters for the same payload type, those of the first one (RFC 9143, section 10.1.2). Chromium
 * refuses a description whose m-lines differ in that.
 */
function sameFormats(media: readonly MediaSectionToOffer[]): MediaSectionToOffer[] {
	const formats = new Map<number, RtpCodecParameters['parameters']>();
	return media.map((section) => {
		if (section.kind === 'data') return section;
		const codecs = section.parameters.codecs.map((codec) => {
			if (!formats.has(codec.payloadType)) formats.set(codec.payloadType, codec.parameters);
			const { parameters: _, ...rest } = codec;
			const parameters = formats.get(codec.payloadType);
			return { ...rest, ...(parameters && { parameters }) };
		});
		return { ...section, parameters: { ...section.parameters, codecs } };
	});
}

/** The part of an m-line that is the same whether it is in use or not. */
function mediaSection(section: MediaSectionToOffer): Omit<MediaDescription, 'port'> {
	const connection = { version: 4, ip: '127.0.0.1' };
	if (section.kind === 'data') {
		const formats = { payloads: 'webrtc-datachannel', rtp: [], fmtp: [] };
		return { type: 'application', protocol: 'UDP/DTLS/SCTP', connection, ...formats };
	}
	const { codecs, headerExtensions = [] } = section.parameters;
	return { type: section.kind, protocol: 'UDP/TLS/RTP/SAVPF', connection, ...codecLines(codecs, headerExtensions) };
}

function rtpLines({ send }: RtpSectionToOffer): Partial<MediaDescription> {
	return {
		rtcpMux: 'rtcp-mux',
		rtcpRsize: 'rtcp-rsize',
		direction: send ? 'sendonly' : 'inactive',
		...(send && trackLines(send)),
	};
}
