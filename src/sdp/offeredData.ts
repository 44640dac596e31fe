import type { OfferedData } from './Offer.js';
import type { ParsedMedia } from './parsed.js';
import { unsigned } from './readDescription.js';

/** The SCTP port within DTLS. mediasoup has no other. */
export const sctpPort = 5000;

const dataProtocol = /^(UDP|TCP)\/DTLS\/SCTP$/;

// RFC 8841, section 6.1: the default.
const defaultMaxMessageSize = 65_536;

/**
 * Reads an m-line for data channels (RFC 8841).
 *
 * @returns `undefined` if it is not one, or if it has the older form `DTLS/SCTP 5000` with `a=sctpmap`
 */
export function offeredData(media: ParsedMedia): OfferedData | undefined {
	const { type, protocol, payloads, sctpPort: port, maxMessageSize } = media;
	if (type !== 'application' || !dataProtocol.test(String(protocol))) return undefined;
	if (payloads !== 'webrtc-datachannel' || port !== sctpPort) return undefined;
	const size = unsigned(maxMessageSize, Number.MAX_SAFE_INTEGER) ?? defaultMaxMessageSize;
	return { maxMessageSize: size === 0 ? Infinity : size };
}
