import { getSupportedRtpCapabilities } from 'mediasoup';
import * as ortc from 'mediasoup/ortc';
import type { MediaKind, RouterRtpCodecCapability, RtpCapabilities } from 'mediasoup/types';
import type { CodecOption } from '../options.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import type { OfferedCodec } from '../sdp/Offer.js';

// What mediasoup forwards, by its name in lower case; tones and comfort noise are no media of their own.
const knownCodecs = new Map(
	(getSupportedRtpCapabilities().codecs ?? []).flatMap(({ kind, mimeType }) => {
		const name = encodingName(mimeType);
		return /^(cn|telephone-event)$/i.test(name) ? [] : [[name.toLowerCase(), { kind, name }] as const];
	}),
);

/** The codecs that are taken of a kind, by their names in lower case, the preferred one first. */
type Preference = Partial<Record<MediaKind, readonly string[]>>;

/** Which codecs are taken, with mediasoup's own rules for what is the same codec. */
export class CodecPolicy {
	readonly #codecs: readonly CodecOption[];
	readonly #preference: Preference;
	readonly #capabilities: RtpCapabilities;

	/**
	 * @param preference - as {@link CodecPolicy.narrow} makes it; without it the offer's own order decides
	 * @throws {@link SfuError} `invalid_argument` when mediasoup does not know a codec
	 */
	constructor(codecs: readonly CodecOption[], preference: Preference = {}) {
		this.#codecs = codecs;
		this.#preference = preference;
		try {
			this.#capabilities = ortc.generateRouterRtpCapabilities([...codecs] as RouterRtpCodecCapability[]);
		} catch (error) {
			throw new SfuError('invalid_argument', 'codecs has one that mediasoup does not support', { cause: error });
		}
	}

	/**
	 * Takes only the codecs of that list, in its order of preference, if they were taken before. A kind of which the list
	 * has none is left as it is.
	 *
	 * @param names - as SDP has them, in any case: `VP8`
	 * @param only - the list is for this kind alone, and so must have one of it
	 * @throws {@link SfuError} `invalid_argument` for a name that no codec has, `unsupported` when the list leaves nothing
	 *   of a kind that it is for
	 */
	narrow(names: readonly string[], only?: MediaKind): CodecPolicy {
		const wanted = names.map(findKnown);
		const preference = { ...this.#preference };
		for (const kind of ['audio', 'video'] as const) {
			const ofKind = wanted.filter((codec) => codec.kind === kind).map(({ name }) => name.toLowerCase());
			if (only === undefined ? ofKind.length === 0 : kind !== only) continue;
			const allowed = this.#names(kind);
			const left = ofKind.filter((name) => allowed.includes(name));
			if (left.length === 0) {
				throw new SfuError(
					'unsupported',
					`none of ${names.join(', ')} is an allowed ${kind} codec; those are ${allowed.map(spelled).join(', ')}`,
				);
			}
			preference[kind] = left;
		}
		return new CodecPolicy(this.#codecs, preference);
	}

	accepts(codec: OfferedCodec, kind: MediaKind): boolean {
		return this.#names(kind).includes(codec.name.toLowerCase()) && isSameCodec(codec, kind, this.#capabilities);
	}

	/** Those of an offer that are taken, the preferred one first; by default they are in the order of the offer. */
	select(offered: readonly OfferedCodec[], kind: MediaKind): OfferedCodec[] {
		const accepted = offered.filter((codec) => this.accepts(codec, kind));
		const rank = ({ name }: OfferedCodec) => this.#preference[kind]?.indexOf(name.toLowerCase()) ?? 0;
		return accepted.sort((a, b) => rank(a) - rank(b));
	}

	#names(kind: MediaKind): readonly string[] {
		return (
			this.#preference[kind] ??
			this.#codecs.filter((codec) => codec.kind === kind).map(({ mimeType }) => encodingName(mimeType).toLowerCase())
		);
	}
}

function encodingName(mimeType: string): string {
	return mimeType.slice(mimeType.indexOf('/') + 1);
}

/** @throws {@link SfuError} `invalid_argument` for a name that no codec has */
export function checkCodecNames(names: readonly string[]): void {
	for (const name of names) findKnown(name);
}

function findKnown(name: string): { kind: MediaKind; name: string } {
	const codec = knownCodecs.get(name.toLowerCase());
	if (codec) return codec;
	const names = [...knownCodecs.values()].map((known) => known.name);
	throw new SfuError('invalid_argument', `no codec has the name ${quoted(name)}; there are ${names.join(', ')}`);
}

const spelled = (name: string): string => knownCodecs.get(name)?.name ?? name;

/** The offered codec that is the same as one of `capabilities`, in the offer's order of preference. */
export function findCodec(
	offered: readonly OfferedCodec[],
	kind: MediaKind,
	capabilities: RtpCapabilities,
): OfferedCodec | undefined {
	return offered.find((codec) => isSameCodec(codec, kind, capabilities));
}

function isSameCodec(codec: OfferedCodec, kind: MediaKind, capabilities: RtpCapabilities): boolean {
	const { mimeType, payloadType, clockRate, channels, parameters } = codec;
	try {
		return ortc.canConsume(
			{
				codecs: [
					{ mimeType, payloadType, clockRate, ...(kind === 'audio' && { channels }), parameters: { ...parameters } },
				],
			},
			capabilities,
		);
	} catch {
		// A parameter of the offer that makes no sense to mediasoup, such as a profile-level-id that is none.
		return false;
	}
}
