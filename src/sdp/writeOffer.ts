import type { MediaKind, RtpParameters } from 'mediasoup/types';
import sdpTransform, { type MediaDescription } from 'sdp-transform';
import {
	codecLines,
	dataLines,
	sessionLines,
	trackLines,
	transportLines,
	type LocalTransport,
	type SentTrack,
} from './lines.js';

/** One m-line that we offer. */
export type MediaSectionToOffer = RtpSectionToOffer | DataSectionToOffer;

/** An m-line for media. */
export interface RtpSectionToOffer {
	mid: string;
	kind: MediaKind;
	/** What it carries; without it the m-line is `inactive`, to be used later. */
	send?: SentTrack;
	/** What it carries, or carried: an m-line needs a format even when nothing flows. */
	parameters: RtpParameters;
	/** The client has rejected it: it stays so until it is used again, with another mid. */
	rejected: boolean;
}

/** The m-line for data channels. */
export interface DataSectionToOffer {
	mid: string;
	kind: 'data';
	/** As of a track. */
	rejected: boolean;
}

export interface OfferToWrite {
	/** The m-lines, in order. None ever goes away. */
	media: readonly MediaSectionToOffer[];
	/** The mids in the order in which they were first offered: the first one names the transport (RFC 9143, section 7.2). */
	mids: readonly string[];
	transport: LocalTransport;
	sessionId: number;
	/** Rises with each offer of a session. */
	sessionVersion: number;
}

/** Writes an offer (RFC 8829, section 5.2), with mediasoup's own ids for header extensions. */
export function writeOffer({ media, mids, transport, sessionId, sessionVersion }: OfferToWrite): string {
	return sdpTransform.write({
		...sessionLines(transport, { sessionId, sessionVersion, mids }),
		extmapAllowMixed: 'extmap-allow-mixed',
		media: media.map((section) => {
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

/** What is said whether an m-line is in use or not. */
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
