import type { MediaKind, RtpParameters } from 'mediasoup/types';
import { idleOpus } from '../media/remap/PayloadTypeTable.js';
import type { AnsweredMediaSection, ExpectedMediaSection } from '../sdp/parseAnswer.js';
import type { MediaSectionToOffer } from '../sdp/writeOffer.js';
import type { Puller } from '../tracks/Puller.js';

/** One m-line of a session that we offer. */
export type Slot = MediaSlot | DataSlot;

interface AnySlot {
	readonly mid: string;
	/** The client has rejected it: it may be used again with another mid. */
	readonly rejected: boolean;
}

export interface MediaSlot extends AnySlot {
	readonly kind: MediaKind;
	/** What is sent on it. */
	readonly puller: Puller | undefined;
	/** What is sent on it, or was. */
	readonly parameters: RtpParameters;
}

/** The m-line of all data channels. */
export interface DataSlot extends AnySlot {
	readonly kind: 'data';
	readonly puller?: undefined;
}

/**
 * The first m-line of a session. It names the transport, and browsers lose theirs when they reject it; this one they
 * accept, since all clients have Opus and PCMU (RFC 7874, section 3). The first audio takes its place.
 */
export const firstSlot: Slot = {
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

/** The m-line as SDP tells it. */
export function offeredLine(slot: Slot): MediaSectionToOffer {
	const { mid, rejected } = slot;
	if (slot.kind === 'data') return { mid, kind: slot.kind, rejected };
	const { kind, puller, parameters } = slot;
	const send = puller && !puller.closed && { parameters, streamId: puller.streamId, trackId: puller.pusherId };
	return { mid, kind, parameters, rejected, ...(send && { send }) };
}

/** What an answer must say of it. */
export const offeredFrame = ({ mid, kind, rejected }: Slot): ExpectedMediaSection => ({
	mid,
	type: kind === 'data' ? 'application' : kind,
	stopped: rejected,
});

/** Whether a client takes what is sent on it, by its answer. */
export function accepts(slot: Slot, section: AnsweredMediaSection | undefined): boolean {
	if (!section?.accepted) return false;
	if (slot.kind === 'data') return true;
	const [codec] = slot.parameters.codecs;
	return codec !== undefined && section.payloadTypes.includes(codec.payloadType);
}

/** The same, once the client has rejected it. */
export const stopped = (slot: Slot): Slot =>
	slot.kind === 'data' ? { ...slot, rejected: true } : { ...slot, puller: undefined, rejected: true };
