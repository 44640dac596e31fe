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
export type OfferedLine = OfferedTrack | OfferedChannels;

/** An m-line for media. */
export interface OfferedTrack {
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
export interface OfferedChannels {
	mid: string;
	kind: 'data';
	/** As of a track. */
	rejected: boolean;
}

export interface OfferToWrite {
	/** The m-lines, in order. None ever goes away. */
	lines: readonly OfferedLine[];
	/** The mids in the order in which they were first offered: the first one names the transport (RFC 9143, section 7.2). */
	mids: readonly string[];
	transport: LocalTransport;
	sessionId: number;
	/** Rises with each offer of a session. */
	sessionVersion: number;
}

/** Writes an offer (RFC 8829, section 5.2), with mediasoup's own ids for header extensions. */
export function writeOffer({ lines, mids, transport, sessionId, sessionVersion }: OfferToWrite): string {
	return sdpTransform.write({
		...sessionLines(transport, { sessionId, sessionVersion, mids }),
		extmapAllowMixed: 'extmap-allow-mixed',
		media: lines.map((line) => {
			if (line.rejected) return { ...frame(line), port: 0, direction: 'inactive' };
			return {
				...frame(line),
				port: 9,
				mid: line.mid,
				setup: 'actpass',
				...transportLines(transport),
				...(line.kind === 'data' ? dataLines(transport) : rtpLines(line)),
			};
		}),
	});
}

/** What is said whether an m-line is in use or not. */
function frame(line: OfferedLine): Omit<MediaDescription, 'port'> {
	const connection = { version: 4, ip: '127.0.0.1' };
	if (line.kind === 'data') {
		const formats = { payloads: 'webrtc-datachannel', rtp: [], fmtp: [] };
		return { type: 'application', protocol: 'UDP/DTLS/SCTP', connection, ...formats };
	}
	const { codecs, headerExtensions = [] } = line.parameters;
	return { type: line.kind, protocol: 'UDP/TLS/RTP/SAVPF', connection, ...codecLines(codecs, headerExtensions) };
}

function rtpLines({ send }: OfferedTrack): Partial<MediaDescription> {
	return {
		rtcpMux: 'rtcp-mux',
		rtcpRsize: 'rtcp-rsize',
		direction: send ? 'sendonly' : 'inactive',
		...(send && trackLines(send)),
	};
}
