import type { OfferedData } from './Offer.js';
import type { ParsedMedia } from './parsed.js';
import { unsigned } from './readDescription.js';

/** The port of SCTP within DTLS, which is the only one that mediasoup has. */
export const sctpPort = 5000;

const dataProtocol = /^(UDP|TCP)\/DTLS\/SCTP$/;

// RFC 8841, section 6.1: what holds when nothing is said.
const defaultMaxMessageSize = 65_536;

/**
 * What an m-line says of data channels (RFC 8841). The older form, `DTLS/SCTP 5000` with `a=sctpmap`, is none that we
 * know.
 */
export function offeredData(media: ParsedMedia): OfferedData | undefined {
	const { type, protocol, payloads, sctpPort: port, maxMessageSize } = media;
	if (type !== 'application' || !dataProtocol.test(String(protocol))) return undefined;
	if (payloads !== 'webrtc-datachannel' || port !== sctpPort) return undefined;
	const size = unsigned(maxMessageSize, Number.MAX_SAFE_INTEGER) ?? defaultMaxMessageSize;
	return { maxMessageSize: size === 0 ? Infinity : size };
}
