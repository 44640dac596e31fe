import type { MediaKind, RtpParameters } from 'mediasoup/types';
import { idleOpus } from '../media/remap/PayloadTypeTable.js';
import { isReceiving } from '../sdp/Offer.js';
import type { AnsweredMediaSection, ExpectedMediaSection } from '../sdp/parseAnswer.js';
import type { MediaSectionToOffer } from '../sdp/writeOffer.js';
import type { Puller } from '../tracks/Puller.js';

/** An m-line of a session in which the server offers. */
export type OfferingSection = TrackSection | DataSection;

interface AnySection {
	readonly mid: string;
	/** The client has rejected it. It may be used again with another mid. */
	readonly rejected: boolean;
}

/** An m-line of a track. */
export interface TrackSection extends AnySection {
	readonly kind: MediaKind;
	/** The puller that is sent on it. */
	readonly puller: Puller | undefined;
	/** The parameters of the puller that is sent on it, or was the last one. */
	readonly parameters: RtpParameters;
}

/** The m-line of all data channels. */
export interface DataSection extends AnySection {
	readonly kind: 'data';
	readonly puller?: undefined;
}

/**
 * The first m-line of a session. It is the BUNDLE tag, and browsers lose their transport when they reject it. They accept
 * this one, since all clients have Opus and PCMU (RFC 7874, section 3). The first audio track takes its place.
 */
export const firstSection: OfferingSection = {
	mid: '0',
	kind: 'audio',
	puller: undefined,
	parameters: {
		codecs: [
			{ mimeType: 'audio/opus', payloadType: idleOpus, clockRate: 48000, channels: 2 },
			{ mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000, channels: 1 },
		],
	},
	rejected: false,
};

/** The m-line as the SDP of an offer has it. */
export function toOffer(section: OfferingSection): MediaSectionToOffer {
	const { mid, rejected } = section;
	if (section.kind === 'data') return { mid, kind: section.kind, rejected };
	const { kind, puller, parameters } = section;
	const send = puller && !puller.closed && { parameters, streamId: puller.streamId, trackId: puller.pusherId };
	return { mid, kind, parameters, rejected, ...(send && { send }) };
}

/** The m-line that the answer must have. */
export const expectedInAnswer = ({ mid, kind, rejected }: OfferingSection): ExpectedMediaSection => ({
	mid,
	type: kind === 'data' ? 'application' : kind,
	stopped: rejected,
});

/** Whether a client accepts the m-line with its codec. */
export function isAccepted(section: OfferingSection, answered: AnsweredMediaSection | undefined): boolean {
	if (!answered?.accepted) return false;
	if (section.kind === 'data') return true;
	const [codec] = section.parameters.codecs;
	return codec !== undefined && answered.payloadTypes.includes(codec.payloadType);
}

/** The m-line after the client has rejected it. */
export const rejectedSection = (section: OfferingSection): OfferingSection =>
	section.kind === 'data' ? { ...section, rejected: true } : { ...section, puller: undefined, rejected: true };

/** Whether the client receives on an m-line of its answer. */
export const receives = (answered: AnsweredMediaSection | undefined): boolean =>
	answered !== undefined && isReceiving(answered.direction);

/** The bitrate limits that the answer has for the m-lines on which video is sent. */
export const videoLimits = (
	sections: readonly OfferingSection[],
	answered: readonly AnsweredMediaSection[],
): (number | undefined)[] =>
	sections.flatMap(({ kind, puller }, index) =>
		kind === 'video' && puller && receives(answered[index]) ? [answered[index]?.bandwidth] : [],
	);
