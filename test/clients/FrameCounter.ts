import { dePacketizeRtpPackets, type DepacketizerCodec, type RTCRtpTransceiver, type RtpPacket } from 'werift';

/** Counts the whole frames of a stream from its first keyframe on, and finds fault with packets that do not fit. */
export class FrameCounter {
	frames = 0;
	/** What was wrong with the first packet that did not fit. */
	fault: string | undefined;
	readonly #transceiver: RTCRtpTransceiver;
	#ssrc: number | undefined;
	#sequenceNumber: number | undefined;
	#frame: RtpPacket[] = [];
	#incomplete = false;
	#keyframe = false;

	constructor(transceiver: RTCRtpTransceiver) {
		this.#transceiver = transceiver;
	}

	get kind(): string {
		return this.#transceiver.kind;
	}

	/** The name of the negotiated codec. */
	get codec(): string {
		return this.#transceiver.codecs[0]?.name ?? '';
	}

	add(packet: RtpPacket): void {
		const { payloadType, ssrc, sequenceNumber, marker } = packet.header;
		const negotiated = this.#transceiver.codecs[0]?.payloadType;
		if (payloadType !== negotiated) this.fault ??= `payload type ${payloadType}, not ${String(negotiated)}`;
		this.#ssrc ??= ssrc;
		if (ssrc !== this.#ssrc) this.fault ??= `SSRC ${ssrc} after ${this.#ssrc}`;
		const expected = this.#sequenceNumber === undefined ? sequenceNumber : (this.#sequenceNumber + 1) & 0xffff;
		const ahead = (sequenceNumber - expected) & 0xffff;
		// Late, as a packet that was sent again: the frame that it belongs to has been given up.
		if (ahead >= 0x8000) return;
		if (ahead > 0) this.#incomplete = true;
		this.#sequenceNumber = sequenceNumber;
		// Padding, which probes the bandwidth.
		if (packet.payload.length === 0) return;
		if (this.#transceiver.kind === 'audio') {
			this.frames++;
			return;
		}
		this.#frame.push(packet);
		if (!marker) return;
		const frame = this.#frame;
		const incomplete = this.#incomplete;
		this.#frame = [];
		this.#incomplete = false;
		if (incomplete) return;
		const { data, isKeyframe } = dePacketizeRtpPackets(depacketizers[this.codec] ?? 'VP8', frame);
		this.#keyframe ||= this.codec === 'H264' ? hasKeyframe(data) : isKeyframe;
		if (this.#keyframe && data.length > 0) this.frames++;
	}
}

const depacketizers: Record<string, DepacketizerCodec> = { VP8: 'VP8', VP9: 'VP9', H264: 'MPEG4/ISO/AVC', AV1: 'AV1' };

/** werift itself misses those that share a packet with their parameter sets. */
function hasKeyframe(annexB: Buffer): boolean {
	const startCode = Buffer.from([0, 0, 1]);
	for (let at = annexB.indexOf(startCode); at >= 0; at = annexB.indexOf(startCode, at + 3)) {
		// The slice of an IDR picture (H.264, table 7-1).
		if (((annexB[at + 3] ?? 0) & 0x1f) === 5) return true;
	}
	return false;
}
