import type { MediaKind, RtpParameters } from 'mediasoup/types';
import sdpTransform, { type MediaDescription } from 'sdp-transform';
import { codecLines, sessionLines, trackLines, transportLines, type LocalTransport, type SentTrack } from './lines.js';

/** One m-line that we offer. */
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

export interface OfferToWrite {
	/** In order. An m-line never goes away. */
	tracks: readonly OfferedTrack[];
	/** The mids in the order in which they were first offered: the first one names the transport (RFC 9143, section 7.2). */
	mids: readonly string[];
	transport: LocalTransport;
	sessionId: number;
	/** Rises with each offer of a session. */
	sessionVersion: number;
}

/** Writes an offer (RFC 8829, section 5.2), with mediasoup's own ids for header extensions. */
export function writeOffer({ tracks, mids, transport, sessionId, sessionVersion }: OfferToWrite): string {
	return sdpTransform.write({
		...sessionLines(transport, { sessionId, sessionVersion, mids }),
		extmapAllowMixed: 'extmap-allow-mixed',
		media: tracks.map((track) => section(track, transport)),
	});
}

function section({ mid, kind, send, parameters, rejected }: OfferedTrack, transport: LocalTransport): MediaDescription {
	const { codecs, headerExtensions = [] } = parameters;
	const frame = {
		type: kind,
		protocol: 'UDP/TLS/RTP/SAVPF',
		connection: { version: 4, ip: '127.0.0.1' },
		...codecLines(codecs, headerExtensions),
	};
	if (rejected) return { ...frame, port: 0, direction: 'inactive' };
	return {
		...frame,
		port: 9,
		mid,
		setup: 'actpass',
		...transportLines(transport),
		rtcpMux: 'rtcp-mux',
		rtcpRsize: 'rtcp-rsize',
		direction: send ? 'sendonly' : 'inactive',
		...(send && trackLines(send)),
	};
}
