import type { RtpCodecParameters } from 'mediasoup/types';
import { SfuError } from '../../SfuError.js';
import { isReachable, type PayloadTypes } from './payloadTypes.js';

// The dynamic payload types (RFC 3551, section 6, and RFC 5761, section 4) without 127: mediasoup probes with that one.
const dynamic = [...range(96, 126), ...range(35, 63)];
const probation = 127;

// As many are kept for codecs that need a decoder of their own, each with RTX.
const reserve = 24;

/** The payload type of Opus on an idle m-line. Browsers give it to RED, which is never offered here. */
export const idleOpus = 63;

/**
 * The payload types of a session in which the server offers. On all m-lines of a BUNDLE group one payload type stands for one
 * codec with the same parameters (RFC 9143, section 10.1.2).
 */
export class PayloadTypeTable {
	readonly #byCodec = new Map<string, PayloadTypes>();
	/** Those of the first codec of each {@link decoderKey}. */
	readonly #byDecoder = new Map<string, PayloadTypes>();
	readonly #taken = new Set<number>([probation, idleOpus]);

	/**
	 * Chooses the payload types of a codec. The pusher's own are the best, since they need no loopback, unless another codec
	 * has them already. When few are left, codecs that differ only in what a decoder need not know share them: so no pusher can
	 * take those of all others, by parameters that nobody else has.
	 *
	 * @throws {@link SfuError} `limit_exceeded` if all payload types are taken
	 */
	choose(codec: RtpCodecParameters, rtx: RtpCodecParameters | undefined): PayloadTypes {
		const key = codecKey(codec);
		const rtxPayloadType = rtx && isReachable(rtx.payloadType) ? rtx.payloadType : undefined;
		const known = this.#byCodec.get(key);
		if (known) return rtxPayloadType === undefined ? known : this.#addRtx(key, known, rtxPayloadType);
		const decoder = decoderKey(codec);
		const similar = this.#byDecoder.get(decoder);
		if (similar && this.#unused().length <= reserve) return similar;
		const own = { payloadType: codec.payloadType, rtxPayloadType };
		const taken = this.#take(key, this.#isFree(own) ? own : this.#free(rtxPayloadType !== undefined));
		if (!similar) this.#byDecoder.set(decoder, taken);
		return taken;
	}

	/** A codec that first came without RTX gets a payload type for RTX. Pullers from before go on without it. */
	#addRtx(codec: string, known: PayloadTypes, wanted: number): PayloadTypes {
		if (known.rtxPayloadType !== undefined) return known;
		const rtxPayloadType = this.#taken.has(wanted) ? this.#unused().find(isReachable) : wanted;
		return rtxPayloadType === undefined ? known : this.#take(codec, { ...known, rtxPayloadType });
	}

	#take(codec: string, payloadTypes: PayloadTypes): PayloadTypes {
		this.#byCodec.set(codec, payloadTypes);
		for (const payloadType of numbers(payloadTypes)) this.#taken.add(payloadType);
		return payloadTypes;
	}

	#isFree(payloadTypes: PayloadTypes): boolean {
		return numbers(payloadTypes).every((payloadType) => !this.#taken.has(payloadType));
	}

	#unused(): number[] {
		return dynamic.filter((payloadType) => !this.#taken.has(payloadType));
	}

	#free(withRtx: boolean): PayloadTypes {
		const free = this.#unused();
		const rtxPayloadType = withRtx ? free.find(isReachable) : undefined;
		const payloadType = free.find((other) => other !== rtxPayloadType);
		if (payloadType === undefined) {
			throw new SfuError('limit_exceeded', 'there are no payload types left: too many codecs on one connection');
		}
		return { payloadType, rtxPayloadType };
	}
}

// The parameters that a decoder must know, by the names of codecs in lower case. Of others all parameters count.
const decoderParameters: Readonly<Record<string, readonly string[]>> = {
	'audio/opus': ['stereo'],
	'video/vp8': [],
	'video/vp9': ['profile-id'],
	'video/av1': ['profile'],
	'video/h264': ['packetization-mode', 'profile-level-id'],
};

/** The same for codecs that one decoder can play. Of `profile-level-id` the level is left out. */
function decoderKey(codec: RtpCodecParameters): string {
	const known = decoderParameters[codec.mimeType.toLowerCase()];
	if (!known) return codecKey(codec);
	const parameters = (codec.parameters ?? {}) as Readonly<Record<string, unknown>>;
	const told = known.map((name) => {
		const value = parameters[name];
		if (name === 'stereo') return value === 1;
		return name === 'profile-level-id' ? String(value).slice(0, 4).toLowerCase() : value;
	});
	return JSON.stringify([codec.mimeType.toLowerCase(), codec.clockRate, codec.channels ?? 1, told]);
}

function codecKey({ mimeType, clockRate, channels = 1, parameters = {} }: RtpCodecParameters): string {
	const format = Object.entries(parameters).sort(([a], [b]) => a.localeCompare(b));
	return JSON.stringify([mimeType.toLowerCase(), clockRate, channels, format]);
}

const numbers = ({ payloadType, rtxPayloadType }: PayloadTypes): number[] => [payloadType, rtxPayloadType ?? []].flat();

function range(first: number, last: number): number[] {
	return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
