/** The name of a data channel, and how its messages are delivered (RFC 8831, section 6.1). */
export interface DataChannelParameters {
	/** The label that the app of the client gave it. */
	readonly label: string;
	/** The subprotocol. Empty if there is none. */
	readonly protocol: string;
	/** Whether messages arrive in order. */
	readonly ordered: boolean;
	/** How long a message is retransmitted, in ms. Undefined if there is no limit. */
	readonly maxPacketLifeTime: number | undefined;
	/** How often a message is retransmitted. Undefined if there is no limit. */
	readonly maxRetransmits: number | undefined;
}

/** A message of the Data Channel Establishment Protocol (RFC 8832). */
export type ControlMessage = { type: 'open'; channel: DataChannelParameters } | { type: 'ack' };

/** The Payload Protocol Identifiers of SCTP messages (RFC 8831, section 8). */
export const payloadProtocol = {
	control: 50,
	string: 51,
	binary: 53,
	/** SCTP has no empty messages. So an empty string is sent as one byte that does not count. */
	emptyString: 56,
	emptyBinary: 57,
} as const;

// RFC 8832, section 8.2.1.
const acknowledge = 0x02;
const open = 0x03;

// RFC 8832, section 5.1: the channel types. The highest bit means unordered.
const unordered = 0x80;
const reliable = 0x00;
const partiallyReliableRetransmits = 0x01;
const partiallyReliableTimed = 0x02;

const openHeaderLength = 12;

// RFC 8831, section 6.4: "normal".
const normalPriority = 256;

// The attributes of RTCDataChannel are no greater.
const unsignedShort = 0xffff;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The message DATA_CHANNEL_ACK (RFC 8832, section 5.2). */
export const ackMessage: Buffer = Buffer.of(acknowledge);

/**
 * Reads a message with the Payload Protocol Identifier 50.
 *
 * @returns `undefined` if it is not a message of DCEP
 */
export function readControlMessage(message: Buffer): ControlMessage | undefined {
	if (message[0] === acknowledge) return { type: 'ack' };
	if (message[0] !== open || message.length < openHeaderLength) return undefined;
	const channelType = message.readUInt8(1);
	const reliability = Math.min(message.readUInt32BE(4), unsignedShort);
	const labelEnd = openHeaderLength + message.readUInt16BE(8);
	const protocolEnd = labelEnd + message.readUInt16BE(10);
	if (message.length !== protocolEnd) return undefined;
	const label = readText(message.subarray(openHeaderLength, labelEnd));
	const protocol = readText(message.subarray(labelEnd, protocolEnd));
	const limit = channelType & ~unordered;
	if (label === undefined || protocol === undefined || limit > partiallyReliableTimed) return undefined;
	return {
		type: 'open',
		channel: {
			label,
			protocol,
			ordered: (channelType & unordered) === 0,
			maxPacketLifeTime: limit === partiallyReliableTimed ? reliability : undefined,
			maxRetransmits: limit === partiallyReliableRetransmits ? reliability : undefined,
		},
	};
}

/** Writes the message DATA_CHANNEL_OPEN (RFC 8832, section 5.1). */
export function writeOpen({ label, protocol, ordered, ...limits }: DataChannelParameters): Buffer {
	const { maxPacketLifeTime, maxRetransmits } = limits;
	const limit =
		maxPacketLifeTime !== undefined
			? partiallyReliableTimed
			: maxRetransmits !== undefined
				? partiallyReliableRetransmits
				: reliable;
	const labelBytes = Buffer.from(label);
	const protocolBytes = Buffer.from(protocol);
	const header = Buffer.alloc(openHeaderLength);
	header.writeUInt8(open, 0);
	header.writeUInt8(limit | (ordered ? 0 : unordered), 1);
	header.writeUInt16BE(normalPriority, 2);
	header.writeUInt32BE(maxPacketLifeTime ?? maxRetransmits ?? 0, 4);
	header.writeUInt16BE(labelBytes.length, 8);
	header.writeUInt16BE(protocolBytes.length, 10);
	return Buffer.concat([header, labelBytes, protocolBytes]);
}

/**
 * Reads a message of the app of a client.
 *
 * @returns `undefined` if the Payload Protocol Identifier is not that of such a message
 */
export function readUserMessage(message: Buffer, payloadProtocolId: number): string | Buffer | undefined {
	switch (payloadProtocolId) {
		case payloadProtocol.string:
			return message.toString();
		case payloadProtocol.binary:
			return message;
		case payloadProtocol.emptyString:
			return '';
		case payloadProtocol.emptyBinary:
			return Buffer.alloc(0);
		default:
			return undefined;
	}
}

function readText(bytes: Buffer): string | undefined {
	try {
		return utf8.decode(bytes);
	} catch {
		return undefined;
	}
}
