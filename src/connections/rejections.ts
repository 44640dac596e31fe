import { describeCodec, type CodecPolicy } from '../media/codecs.js';
import { acceptedRids } from '../sdp/encodings.js';
import { isSending, type Offer, type OfferedHeaderExtension, type OfferedMediaSection } from '../sdp/Offer.js';
import { headerExtensionUris } from '../sdp/rtpParameters.js';

/** An m-line that sends, and that was not taken, or only in part. */
export interface PushRejection {
	/** The mid of the m-line. Undefined if the offer has none. */
	mid: string | undefined;
	/** The reason, for people to read. */
	reason: string;
}

/** Why the packets of an m-line could not be told from those of others (RFC 9143, section 9.2). */
export function whyUnrecognizable(media: OfferedMediaSection): string | undefined {
	const { mid, sources, headerExtensions, codecs } = media;
	const isMid = ({ uri, direction }: OfferedHeaderExtension) => uri === headerExtensionUris.mid && isSending(direction);
	const hasMid = mid !== undefined && headerExtensions.some(isMid);
	if (hasMid || sources.length > 0 || codecs.some((codec) => acceptedRids(media, codec).length > 0)) return undefined;
	return `its packets could not be recognized: it has neither a=ssrc nor the header extension ${headerExtensionUris.mid}`;
}

// A reason has at most so many codecs, since an offer may have 128.
const mostCodecs = 10;

/** Describes the codecs of an m-line, for people to read. */
export function describeCodecs({ codecs }: OfferedMediaSection): string {
	const described = [...new Set(codecs.map(describeCodec))];
	const more = described.length > mostCodecs ? '/…' : '';
	return described.length === 0 ? 'no media codec' : described.slice(0, mostCodecs).join('/') + more;
}

/** Why none of the codecs of an m-line can be taken. */
export function whyNoCodec(media: OfferedMediaSection, policy: CodecPolicy): string {
	const allowed = policy.describe(media.kind ?? 'video');
	return `none of its codecs can be taken: it has ${describeCodecs(media)}, and those that can are ${allowed}`;
}

/** The m-lines of a push on which something that the client sends is not received. */
export function rejections(
	sections: readonly { media: OfferedMediaSection; mid: string | undefined; refusal?: string }[],
): PushRejection[] {
	return sections.flatMap(({ media, mid, refusal }) => {
		const reason = refusal ?? media.unusable ?? inPart(media);
		const isSent = media.type !== 'application' && isSending(media.direction);
		return reason !== undefined && isSent ? [{ mid, reason }] : [];
	});
}

function inPart({ tracks }: OfferedMediaSection): string | undefined {
	return tracks > 1 ? `it has ${tracks} tracks ("Plan B"), of which only the first is taken` : undefined;
}

/** Describes the m-lines of an offer on which nothing can flow, for people to read. */
export const describeUnusable = ({ media }: Offer): string =>
	media.flatMap(({ index, unusable }) => (unusable === undefined ? [] : `; m-line ${index}: ${unusable}`)).join('');
