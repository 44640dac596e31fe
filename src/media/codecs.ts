import { getSupportedRtpCapabilities } from 'mediasoup';
import * as ortc from 'mediasoup/ortc';
import type { MediaKind, RouterRtpCodecCapability, RtpCapabilities } from 'mediasoup/types';
import type { CodecOption } from '../options.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import type { OfferedCodec } from '../sdp/Offer.js';

// The codecs that mediasoup forwards, by their names in lower case. Tones and comfort noise are not codecs of their own.
const knownCodecs = new Map(
	(getSupportedRtpCapabilities().codecs ?? []).flatMap(({ kind, mimeType }) => {
		const name = encodingName(mimeType);
		return /^(cn|telephone-event)$/i.test(name) ? [] : [[name.toLowerCase(), { kind, name }] as const];
	}),
);

/** The allowed codecs of each kind, by their names in lower case, the preferred one first. */
type Preference = Partial<Record<MediaKind, readonly string[]>>;

/** Decides which codecs are allowed. mediasoup's own rules decide whether two codecs are the same. */
export class CodecPolicy {
	readonly #codecs: readonly CodecOption[];
	readonly #preference: Preference;
	readonly #capabilities: RtpCapabilities;
	/** Offers of the same browser have the same list. */
	readonly #selected = new WeakMap<readonly OfferedCodec[], readonly OfferedCodec[]>();

	/**
	 * @param preference - the order of preference; by default the order of the offer decides
	 * @throws {@link SfuError} `invalid_argument` if mediasoup does not know a codec
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
	 * Allows only the codecs of a list, in its order of preference, among those that are allowed now. If the list has none of
	 * a kind, that kind stays as it is.
	 *
	 * @param names - the encoding names in SDP, in upper or lower case, such as `VP8`
	 * @param only - the only kind that the list is for; then the list must have a codec of it
	 * @throws {@link SfuError} `invalid_argument` for an unknown name, `unsupported` if no codec of a kind would be left
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

	/** Selects the allowed codecs of an offer, the preferred one first. By default they are in the order of the offer. */
	select(offered: readonly OfferedCodec[], kind: MediaKind): readonly OfferedCodec[] {
		const known = this.#selected.get(offered);
		if (known) return known;
		const selected = this.#select(offered, kind);
		this.#selected.set(offered, selected);
		return selected;
	}

	#select(offered: readonly OfferedCodec[], kind: MediaKind): OfferedCodec[] {
		const all = offered.filter((codec) => this.accepts(codec, kind));
		// One of Baseline is taken only if there is none of Constrained Baseline.
		const exact = new Set(all.filter(isExact).map(({ name }) => name));
		const accepted = all.filter((codec) => isExact(codec) || !exact.has(codec.name));
		const rank = ({ name }: OfferedCodec) => this.#preference[kind]?.indexOf(name.toLowerCase()) ?? 0;
		return accepted.sort((a, b) => rank(a) - rank(b));
	}

	/** Describes the allowed codecs of a kind, for people to read. */
	describe(kind: MediaKind): string {
		const names = this.#names(kind);
		const allowed = this.#codecs
			.filter((codec) => codec.kind === kind)
			.map(({ mimeType, parameters = {} }) => ({ name: encodingName(mimeType), parameters }))
			.filter(({ name }) => names.includes(name.toLowerCase()));
		return allowed.map(describeCodec).join(', ') || `no ${kind}`;
	}

	#names(kind: MediaKind): readonly string[] {
		return (
			this.#preference[kind] ??
			this.#codecs.filter((codec) => codec.kind === kind).map(({ mimeType }) => encodingName(mimeType).toLowerCase())
		);
	}
}

const isExact = ({ writtenProfile }: OfferedCodec): boolean => writtenProfile === undefined;

// The parameters by which variants of a codec differ, so that mediasoup takes one and not the other.
const variants = ['packetization-mode', 'profile-level-id', 'profile-id', 'profile'];

/** Describes a codec with what tells its variants apart, for people to read: `H264 (profile-level-id=42e01f)`. */
export function describeCodec({
	name,
	parameters,
	writtenProfile: profile,
}: Pick<OfferedCodec, 'name' | 'parameters' | 'writtenProfile'>): string {
	const written: OfferedCodec['parameters'] = {
		...parameters,
		...(profile !== undefined && { 'profile-level-id': profile }),
	};
	const told = variants.flatMap((key) => (written[key] === undefined ? [] : `${key}=${String(written[key])}`));
	return told.length > 0 ? `${name} (${told.join(', ')})` : name;
}

function encodingName(mimeType: string): string {
	return mimeType.slice(mimeType.indexOf('/') + 1);
}

/** @throws {@link SfuError} `invalid_argument` for an unknown name */
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

/** Finds the first codec of an offer that is the same as one of `capabilities`. */
export function findCodec(
	offered: readonly OfferedCodec[],
	kind: MediaKind,
	capabilities: RtpCapabilities,
): OfferedCodec | undefined {
	const names = new Set(capabilities.codecs?.map(({ mimeType }) => mimeType.toLowerCase()));
	const same = offered.filter(
		(codec) => names.has(codec.mimeType.toLowerCase()) && isSameCodec(codec, kind, capabilities),
	);
	return same.find(isExact) ?? same[0];
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
		// mediasoup does not understand a parameter of the offer, such as a malformed profile-level-id.
		return false;
	}
}
