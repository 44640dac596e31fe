import { parseScalabilityMode } from 'mediasoup';
import type { MediaKind, RtpParameters } from 'mediasoup/types';
import { findCodec, type CodecPolicy } from '../media/codecs.js';
import { acceptedRids, acceptedSources, isSimulcastCodec } from '../sdp/encodings.js';
import type { Offer, OfferedCodec, OfferedMediaSection } from '../sdp/Offer.js';
import { headerExtensionUris } from '../sdp/rtpParameters.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { CheckedPushOptions, PushMediaOptions } from '../tracks/PushOptions.js';

/** What an m-line of a connection carries. */
export interface Section {
	readonly mid: string | undefined;
	/**
	 * What is received on it. A closed one stays while the client goes on offering it, so that what was stopped here is
	 * not taken for something new.
	 */
	readonly pusher: Pusher | undefined;
	/** What is sent on it. */
	readonly puller: Puller | undefined;
}

type RtpMedia = OfferedMediaSection & { kind: MediaKind };

/** An m-line to receive, with the codec to take. */
export interface PlannedPush {
	media: RtpMedia;
	codec: OfferedCodec;
	options: PushMediaOptions;
}

/** An m-line to send a pusher on, with the codec that both have. */
export interface PlannedPull {
	media: RtpMedia;
	pusher: Pusher;
	codec: OfferedCodec;
}

/** What an m-line shall carry. */
export interface PlannedSection extends Section {
	readonly media: OfferedMediaSection;
	/** To be made, in place of `pusher`. */
	push?: PlannedPush;
	/** To be made, in place of `puller`. */
	pull?: PlannedPull;
	/** What is said anew of `pusher`. */
	details?: PushMediaOptions;
}

/** What an offer leads to. Nothing has been done yet. */
export interface Plan {
	readonly sections: readonly PlannedSection[];
	/** What no m-line carries any more. */
	readonly removed: readonly (Pusher | Puller)[];
}

export const sends = ({ kind, direction }: OfferedMediaSection): boolean =>
	kind !== undefined && (direction === 'sendonly' || direction === 'sendrecv');

/** The SSRCs of streams, those of RTX as well. */
export const ssrcsOf = (streams: readonly { ssrc?: number | undefined; rtxSsrc?: number | undefined }[]): number[] =>
	streams.flatMap(({ ssrc, rtxSsrc }) => [ssrc ?? [], rtxSsrc ?? []].flat());

export const receives = ({ kind, direction }: OfferedMediaSection): boolean =>
	kind !== undefined && (direction === 'recvonly' || direction === 'sendrecv');

/**
 * What an offer leads to when the client wants to push: its m-lines that begin to send are received, each with the
 * preferred one of its codecs that are allowed.
 *
 * @throws {@link SfuError} `unsupported` when nothing that begins to send can be taken, or not in the codecs that its
 *   options name; `invalid_argument` when there are options for what sends nothing, or they name codecs that are none
 */
export function planPush(
	offer: Offer,
	sections: readonly Section[],
	codecs: CodecPolicy,
	options: CheckedPushOptions,
): Plan {
	const planned = keep(offer, sections, codecs, options.media);
	const starting = planned.filter(({ media, pusher, push }) => sends(media) && !pusher && !push);
	for (const section of starting) {
		const push = plannedPush(section.media, codecs, options.media);
		if (push) section.push = push;
	}
	for (const [mid, mediaOptions] of options.media) giveDetails(planned, mid, mediaOptions);
	checkSources(planned);
	const isFirst = sections.length === 0;
	const hasData = offer.media.some(({ data }) => data);
	if (((isFirst && !hasData) || starting.length > 0) && !planned.some(({ push }) => push)) {
		throw new SfuError('unsupported', `the offer sends nothing that can be taken; it has: ${describe(offer)}`);
	}
	return { sections: planned, removed: removed(planned, sections) };
}

/**
 * What an offer leads to when the client wants to pull: each of `targets` that is not sent yet takes the next m-line of
 * its kind that receives. Those that do not send as well come first.
 *
 * @throws {@link SfuError} `invalid_argument` when there are fewer m-lines than pushers, `unsupported` when none of them
 *   has a codec in common
 */
export function planPull(
	offer: Offer,
	sections: readonly Section[],
	targets: readonly Pusher[],
	codecs: CodecPolicy,
): Plan {
	const planned = keep(offer, sections, codecs);
	const pulled = new Set(planned.map(({ puller }) => puller?.pusherId));
	const wanted = targets.filter(({ pusherId }) => !pulled.has(pusherId));
	const assigned = (['video', 'audio'] as const).flatMap((kind) => {
		const ofKind = wanted.filter((pusher) => pusher.kind === kind);
		const free = planned.filter(({ media, puller }) => media.kind === kind && receives(media) && !puller);
		if (ofKind.length > free.length) {
			throw new SfuError(
				'invalid_argument',
				`specs name ${ofKind.length} ${kind} pushers to send, but the offer receives ${kind} on ${free.length} free m-lines`,
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
		const codec = findCodec(media.codecs, pusher.kind, pusher.codecCapabilities);
		if (codec) section.pull = { media: { ...media, kind: pusher.kind }, pusher, codec };
	}
	checkSources(planned);
	if (assigned.length > 0 && assigned.every(({ section }) => !section.pull)) {
		const missing = assigned.map(
			({ pusher, section: { media } }) =>
				`pusher ${pusher.pusherId} sends ${pusher.media.codec}, the offer has ${codecNames(media)}`,
		);
		throw new SfuError('unsupported', `no codec in common: ${missing.join('; ')}`);
	}
	return { sections: planned, removed: removed(planned, sections) };
}

function giveDetails(planned: readonly PlannedSection[], mid: string, options: PushMediaOptions): void {
	const section = planned.find((candidate) => candidate.mid === mid);
	const isOpen = section?.pusher && !section.pusher.closed;
	if (!section || !(isOpen || sends(section.media))) {
		throw new SfuError('invalid_argument', `media names mid ${quoted(mid)}, on which the offer sends nothing`);
	}
	checkScalabilityMode(section, mid, options);
	if (!section.push && isOpen) section.details = options;
}

/** SDP does not say it, and so it is only known from the start, for what it can be. */
function checkScalabilityMode(
	{ pusher, push }: PlannedSection,
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
		// Without it the worker sees no layers of AV1, and would send nothing of a stream that is said to have some.
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

/** Nothing new may have an SSRC of what goes on. */
function checkSources(planned: readonly PlannedSection[]): void {
	const kept = new Set(
		planned.flatMap(({ pusher }) => (pusher && !pusher.closed ? ssrcsOf(pusher.media.encodings) : [])),
	);
	for (const { push } of planned) {
		const taken = ssrcsOf(push?.media.sources ?? []).find((ssrc) => kept.has(ssrc));
		if (taken !== undefined) {
			throw new SfuError('invalid_argument', `invalid offer: the SSRC ${taken} is that of another m-line`);
		}
	}
}

/** What goes on as it was. An m-line with another mid than before is a new one in the place of the old. */
function keep(
	offer: Offer,
	sections: readonly Section[],
	codecs: CodecPolicy,
	options: CheckedPushOptions['media'] = new Map(),
): PlannedSection[] {
	return offer.media.map((media, index): PlannedSection => {
		const { mid } = media;
		const before = sections[index];
		if (!before || before.mid !== mid || !media.kind) return { media, mid, pusher: undefined, puller: undefined };
		const { pusher, puller } = before;
		const goesOn = pusher && stillPushed(media, pusher);
		const push = pusher && !goesOn && !pusher.closed && sends(media) ? plannedPush(media, codecs, options) : undefined;
		return {
			media,
			mid,
			pusher: goesOn ? pusher : undefined,
			puller: puller && stillPulled(media, puller) ? puller : undefined,
			...(push && { push }),
		};
	});
}

function removed(planned: readonly PlannedSection[], sections: readonly Section[]): (Pusher | Puller)[] {
	const kept = new Set<Pusher | Puller | undefined>(planned.flatMap(({ pusher, puller }) => [pusher, puller]));
	return sections
		.flatMap(({ pusher, puller }) => [pusher ?? [], puller ?? []].flat())
		.filter((carried) => !carried.closed && !kept.has(carried));
}

function stillPushed(media: OfferedMediaSection, pusher: Pusher): boolean {
	if (!sends(media)) return !pusher.closed;
	if (pusher.closed) return true;
	return stillOffered(media, pusher.rtpParameters) && isSameStreams(media, pusher);
}

/**
 * Whether what an m-line sends now are streams of a pusher, be it fewer than before: those that are gone send nothing any
 * more. A new one cannot be added to it.
 */
function isSameStreams(media: OfferedMediaSection, { media: { encodings, payloadType } }: Pusher): boolean {
	const codec = media.codecs.find((offered) => offered.payloadType === payloadType);
	if (!codec) return false;
	if (encodings.some(({ rid }) => rid !== undefined)) {
		const rids = acceptedRids(media, codec);
		// What had one stream alone need not name it.
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

function plannedPush(
	media: OfferedMediaSection,
	codecs: CodecPolicy,
	mediaOptions: CheckedPushOptions['media'],
): PlannedPush | undefined {
	const { kind, index, mid, sources, rids } = media;
	if (mid === undefined && sources.length === 0) {
		throw new SfuError('invalid_argument', `invalid offer: m-line ${index} has neither a=mid nor a=ssrc`);
	}
	if (!kind) return undefined;
	const options = (mid === undefined ? undefined : mediaOptions.get(mid)) ?? {};
	const policy = options.codecs ? codecs.narrow(options.codecs, kind) : codecs;
	const accepted = policy.select(media.codecs, kind);
	const simulcast = rids.length > 1 ? accepted.find(isSimulcastCodec) : undefined;
	const codec = simulcast ?? accepted[0];
	if (!codec && options.codecs) {
		throw new SfuError(
			'unsupported',
			`none of the codecs ${options.codecs.join(', ')} can be taken: m-line ${index} offers ${codecNames(media)}`,
		);
	}
	return codec && { media: { ...media, kind }, codec, options };
}

const codecNames = ({ codecs }: OfferedMediaSection): string =>
	[...new Set(codecs.map(({ name }) => name))].join('/') || 'no media codec';

const describe = ({ media }: Offer): string =>
	media.map((section) => `${section.direction} ${section.type} (${codecNames(section)})`).join(', ');
