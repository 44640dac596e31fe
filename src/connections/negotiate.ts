import { parseScalabilityMode } from 'mediasoup';
import type { MediaKind, RtpParameters } from 'mediasoup/types';
import { describeCodec, findCodec, type CodecPolicy } from '../media/codecs.js';
import { quoted } from '../quoted.js';
import { acceptedRids, acceptedSources, isSimulcastCodec } from '../sdp/encodings.js';
import { isReceiving, isSending, type Offer, type OfferedCodec, type OfferedMediaSection } from '../sdp/Offer.js';
import { codecCapabilities, headerExtensionUris } from '../sdp/rtpParameters.js';
import { SfuError } from '../SfuError.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { CheckedPushOptions, PushMediaOptions } from '../tracks/PushOptions.js';
import type { SentTrack } from '../sdp/lines.js';
import { describeCodecs, describeUnusable, rejections, whyNoCodec, whyUnrecognizable } from './rejections.js';

/** An m-line of a connection for which the client offers. */
export interface MediaSection {
	readonly mid: string | undefined;
	/**
	 * The pusher that is received on it. A closed one stays while the client goes on offering it, so that it is not taken for
	 * a new one.
	 */
	readonly pusher: Pusher | undefined;
	/** The puller that is sent on it. */
	readonly puller: Puller | undefined;
}

type RtpMedia = OfferedMediaSection & { kind: MediaKind };

/** A pusher to create on an m-line, with its codec. */
export interface NewPusher {
	media: RtpMedia;
	codec: OfferedCodec;
	options: PushMediaOptions;
}

/** A puller to create on an m-line, with the codec that both sides have. */
export interface NewPuller {
	media: RtpMedia;
	pusher: Pusher;
	codec: OfferedCodec;
}

/** An m-line as an offer wants it. */
export interface NegotiatedSection extends MediaSection {
	readonly media: OfferedMediaSection;
	pusher: Pusher | undefined;
	puller: Puller | undefined;
	/** To be created in place of `pusher`. */
	push?: NewPusher;
	/** To be created in place of `puller`. */
	pull?: NewPuller;
	/** Why what the client sends on it is not received. */
	refusal?: string;
	/** The new source or metadata of `pusher`. */
	details?: PushMediaOptions;
	/** What the answer says of it, whatever is sent on it: see `negotiateWatch()`. */
	standby?: SentTrack;
}

/** The changes that an offer leads to. Nothing has been done yet. */
export interface Negotiation {
	readonly sections: readonly NegotiatedSection[];
	/** The pushers and pullers that have no m-line anymore. */
	readonly removed: readonly (Pusher | Puller)[];
}

/** Whether the client sends on an m-line of its offer. */
export const sends = ({ kind, direction }: OfferedMediaSection): boolean => kind !== undefined && isSending(direction);

/** The SSRCs of streams, with those of RTX. */
export const ssrcsOf = (streams: readonly { ssrc?: number | undefined; rtxSsrc?: number | undefined }[]): number[] =>
	streams.flatMap(({ ssrc, rtxSsrc }) => [ssrc ?? [], rtxSsrc ?? []].flat());

/** Whether the client receives on an m-line of its offer. */
export const receives = ({ kind, direction }: OfferedMediaSection): boolean =>
	kind !== undefined && isReceiving(direction);

/**
 * Negotiates an offer of a client that wants to push. Each m-line that begins to send gets a pusher, with the preferred one
 * of its allowed codecs.
 *
 * @throws {@link SfuError} `unsupported` if no m-line that begins to send has an allowed codec, or one of those that its
 *   options name; `invalid_argument` if there are options for an m-line that does not send, or they name an unknown codec
 */
export function negotiatePush(
	offer: Offer,
	sections: readonly MediaSection[],
	codecs: CodecPolicy,
	options: CheckedPushOptions,
): Negotiation {
	const negotiated = keep(offer, sections, codecs, options.media);
	const starting = negotiated.filter(({ media, pusher, push }) => sends(media) && !pusher && !push);
	for (const section of starting) Object.assign(section, newPusher(section.media, codecs, options.media));
	for (const [mid, mediaOptions] of options.media) giveDetails(negotiated, mid, mediaOptions);
	checkSources(negotiated);
	const isFirst = sections.length === 0;
	const hasData = offer.media.some(({ data }) => data);
	if (((isFirst && !hasData) || starting.length > 0) && !negotiated.some(({ push }) => push)) {
		const has = negotiated.map(describe).join(', ');
		throw new SfuError('unsupported', `the offer sends nothing that can be taken; it has: ${has}`);
	}
	const [refused] = options.whole ? rejections(negotiated) : [];
	if (refused) throw new SfuError('unsupported', `mid ${quoted(refused.mid ?? '')} cannot be taken: ${refused.reason}`);
	return { sections: negotiated, removed: removed(negotiated, sections) };
}

/**
 * Negotiates an offer of a client that wants to pull. Each target that is not sent yet takes the next m-line of its kind
 * that receives. M-lines that only receive come first.
 *
 * @throws {@link SfuError} `invalid_argument` if there are fewer m-lines than pushers, `unsupported` if none of them has a
 *   codec in common with its pusher
 */
export function negotiatePull(
	offer: Offer,
	sections: readonly MediaSection[],
	targets: readonly Pusher[],
	codecs: CodecPolicy,
): Negotiation {
	const negotiated = keep(offer, sections, codecs);
	const pulled = new Set(negotiated.map(({ puller }) => puller?.pusherId));
	const wanted = targets.filter(({ pusherId }) => !pulled.has(pusherId));
	const assigned = (['video', 'audio'] as const).flatMap((kind) => {
		const ofKind = wanted.filter((pusher) => pusher.kind === kind);
		const free = negotiated.filter(({ media, puller }) => media.kind === kind && receives(media) && !puller);
		if (ofKind.length > free.length) {
			throw new SfuError(
				'invalid_argument',
				`specs name ${ofKind.length} ${kind} pushers to send, but the offer receives ${kind} on ${free.length} free m-lines${describeUnusable(offer)}`,
			);
		}
		const inOrder = [...free.filter(({ media }) => !sends(media)), ...free.filter(({ media }) => sends(media))];
		return ofKind.flatMap((pusher, index) => {
			const section = inOrder[index];
			return section ? [{ pusher, section }] : [];
		});
	});
	for (const { pusher, section } of assigned) {
		const { media } = section;
		const codec = findCodec(media.codecs, pusher.kind, codecCapabilities(pusher.pullSource));
		if (codec) section.pull = { media: { ...media, kind: pusher.kind }, pusher, codec };
	}
	checkSources(negotiated);
	if (assigned.length > 0 && assigned.every(({ section }) => !section.pull)) {
		const missing = assigned.map(
			({ pusher, section: { media } }) =>
				`pusher ${pusher.pusherId} sends ${describePushed(pusher)}, the offer has ${describeOthers(pusher, media)}`,
		);
		throw new SfuError('unsupported', `no codec in common: ${missing.join('; ')}`);
	}
	return { sections: negotiated, removed: removed(negotiated, sections) };
}

function giveDetails(negotiated: readonly NegotiatedSection[], mid: string, options: PushMediaOptions): void {
	const section = negotiated.find((candidate) => candidate.mid === mid);
	const isOpen = section?.pusher && !section.pusher.closed;
	if (!section || !(isOpen || sends(section.media))) {
		throw new SfuError('invalid_argument', `media names mid ${quoted(mid)}, on which the offer sends nothing`);
	}
	checkScalabilityMode(section, mid, options);
	if (!section.push && isOpen) section.details = options;
}

/** SDP does not tell the mode, so it is known from the start or never. It must be possible with the codec. */
function checkScalabilityMode(
	{ pusher, push }: NegotiatedSection,
	mid: string,
	{ scalabilityMode: mode }: PushMediaOptions,
): void {
	if (mode === undefined) return;
	const { spatialLayers, temporalLayers } = parseScalabilityMode(mode);
	if (push) {
		const { media, codec } = push;
		const isSvc = media.kind === 'video' && !isSimulcastCodec(codec);
		if (media.kind === 'audio' || (spatialLayers > 1 && !isSvc)) {
			throw new SfuError('invalid_argument', `media says ${mode} of mid ${quoted(mid)}, which is ${codec.name}`);
		}
		// Without this extension the worker sees no layers of AV1, and would send nothing of a stream with layers.
		const uri = headerExtensionUris.dependencyDescriptor;
		const isTold = codec.name !== 'AV1' || media.headerExtensions.some((extension) => extension.uri === uri);
		if (spatialLayers * temporalLayers > 1 && !isTold) {
			throw new SfuError(
				'invalid_argument',
				`media says ${mode} of mid ${quoted(mid)}, but AV1 has layers only with the header extension ${uri}`,
			);
		}
	} else if (pusher?.media.encodings.some(({ scalabilityMode }) => scalabilityMode !== mode)) {
		throw new SfuError('conflict', `mid ${quoted(mid)} is received already, and its scalabilityMode cannot change`);
	}
}

/** A new pusher may not have an SSRC of another one that stays. */
function checkSources(negotiated: readonly NegotiatedSection[]): void {
	const kept = new Set(
		negotiated.flatMap(({ pusher }) => (pusher && !pusher.closed ? ssrcsOf(pusher.media.encodings) : [])),
	);
	for (const { push } of negotiated) {
		const taken = ssrcsOf(push?.media.sources ?? []).find((ssrc) => kept.has(ssrc));
		if (taken !== undefined) {
			throw new SfuError('invalid_argument', `invalid offer: the SSRC ${taken} is that of another m-line`);
		}
	}
}

/** The m-lines with the pushers and pullers that stay. An m-line with another mid than before replaces the old one. */
export function keep(
	offer: Offer,
	sections: readonly MediaSection[],
	codecs: CodecPolicy,
	options: CheckedPushOptions['media'] = new Map(),
): NegotiatedSection[] {
	return offer.media.map((media, index): NegotiatedSection => {
		const { mid } = media;
		const before = sections[index];
		if (!before || before.mid !== mid || !media.kind) return { media, mid, pusher: undefined, puller: undefined };
		const { pusher, puller } = before;
		const goesOn = pusher && stillPushed(media, pusher);
		const replaced = pusher && !goesOn && !pusher.closed && sends(media);
		return {
			media,
			mid,
			pusher: goesOn ? pusher : undefined,
			puller: puller && stillPulled(media, puller) ? puller : undefined,
			...(replaced && newPusher(media, codecs, options, pusher)),
		};
	});
}

export function removed(
	negotiated: readonly NegotiatedSection[],
	sections: readonly MediaSection[],
): (Pusher | Puller)[] {
	const kept = new Set<Pusher | Puller | undefined>(negotiated.flatMap(({ pusher, puller }) => [pusher, puller]));
	return sections
		.flatMap(({ pusher, puller }) => [pusher ?? [], puller ?? []].flat())
		.filter((carried) => !carried.closed && !kept.has(carried));
}

function stillPushed(media: OfferedMediaSection, pusher: Pusher): boolean {
	if (!sends(media)) return !pusher.closed;
	if (pusher.closed) return true;
	return stillOffered(media, pusher.pullSource.rtpParameters) && isSameStreams(media, pusher);
}

/**
 * Whether the m-line still sends streams of the pusher, and no others. It may send fewer than before. A stream cannot be
 * added to a pusher.
 */
function isSameStreams(media: OfferedMediaSection, { media: { encodings, payloadType } }: Pusher): boolean {
	const codec = media.codecs.find((offered) => offered.payloadType === payloadType);
	if (!codec) return false;
	if (encodings.some(({ rid }) => rid !== undefined)) {
		const rids = acceptedRids(media, codec);
		// A client need not name the rid of a single stream.
		if (rids.length === 0) return encodings.length === 1;
		return rids.every((rid) => encodings.some((encoding) => encoding.rid === rid));
	}
	if (acceptedRids(media, codec).length > 1) return false;
	return acceptedSources(media, codec).every(({ ssrc }) => encodings.some((encoding) => encoding.ssrc === ssrc));
}

function stillPulled(media: OfferedMediaSection, puller: Puller): boolean {
	return !puller.closed && stillOffered(media, puller.rtpParameters);
}

function stillOffered({ codecs }: OfferedMediaSection, { codecs: [negotiated] }: RtpParameters): boolean {
	return codecs.some(
		({ payloadType, mimeType, clockRate, channels }) =>
			payloadType === negotiated?.payloadType &&
			mimeType.toLowerCase() === negotiated.mimeType.toLowerCase() &&
			clockRate === negotiated.clockRate &&
			channels === (negotiated.channels ?? 1),
	);
}

/** Selects the codec of a new pusher, or says why there can be none. */
function newPusher(
	media: OfferedMediaSection,
	codecs: CodecPolicy,
	mediaOptions: CheckedPushOptions['media'],
	before?: Pusher,
): { push: NewPusher } | { refusal: string } | undefined {
	const { kind, index, mid, rids } = media;
	if (!kind) return undefined;
	const { source, metadata } = before ?? {};
	const kept = { ...(source !== undefined && { source }), ...(metadata !== undefined && { metadata }) };
	const options = { ...kept, ...(mid === undefined ? undefined : mediaOptions.get(mid)) };
	const policy = options.codecs ? codecs.narrow(options.codecs, kind) : codecs;
	const accepted = policy.select(media.codecs, kind);
	const simulcast = rids.length > 1 ? accepted.find(isSimulcastCodec) : undefined;
	const codec = simulcast ?? accepted[0];
	if (!codec && options.codecs) {
		throw new SfuError(
			'unsupported',
			`none of the codecs ${options.codecs.join(', ')} can be taken: m-line ${index} offers ${describeCodecs(media)}`,
		);
	}
	if (!codec) return { refusal: whyNoCodec(media, policy) };
	const refusal = whyUnrecognizable(media);
	return refusal === undefined ? { push: { media: { ...media, kind }, codec, options } } : { refusal };
}

function describePushed({ media, pullSource }: Pusher): string {
	const [codec] = pullSource.rtpParameters.codecs;
	return describeCodec({ name: media.codec, parameters: (codec?.parameters ?? {}) as Record<string, string> });
}

/** Describes the codecs of an m-line by their names, unless the name is that of the pusher's codec. */
function describeOthers({ media: { codec } }: Pusher, media: OfferedMediaSection): string {
	const names = new Set(media.codecs.map(({ name }) => name));
	return names.has(codec) ? describeCodecs(media) : [...names].join('/') || 'no media codec';
}

function describe({ media, refusal }: NegotiatedSection): string {
	const reason = refusal ?? media.unusable;
	return `${media.direction} ${media.type}${reason === undefined ? ` (${describeCodecs(media)})` : `: ${reason}`}`;
}
