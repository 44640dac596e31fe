import { anOffer, editMedia, sections } from '../support/offers.js';

/** The payload type of a codec, and that of its RTX. */
function payloadTypes(sdp: string, codec: RegExp) {
	const payloadType = codec.exec(sdp)?.[1] ?? '';
	const rtx = new RegExp(`^a=fmtp:(\\d+) apt=${payloadType}\r$`, 'm').exec(sdp)?.[1] ?? '';
	return [payloadType, rtx];
}

const videoCodecs = {
	VP8: /^a=rtpmap:(\d+) VP8\/90000/m,
	H264: /^a=fmtp:(\d+) .*packetization-mode=1;profile-level-id=42e01f/m,
};

/** Chromium's offer of a camera and a microphone, in this order, the video in one codec; each from another client. */
export function sendingOffer(codec: keyof typeof videoCodecs = 'H264') {
	const sdp = reversed(anOffer('chromium-sendonly-audio-video'));
	const chosen = payloadTypes(sdp, videoCodecs[codec]);
	return editMedia(sdp, 0, (video) => video.replace(/^(m=video \d+ \S+) .*/, `$1 ${chosen.join(' ')}`));
}

/** Chromium's offer to receive a video and an audio track; each from another client. */
export const receivingOffer = () => anOffer('chromium-recvonly-video-audio');

/** The same offer with its m-lines the other way round. */
export function reversed(sdp: string) {
	const [session = '', ...media] = sections(sdp);
	return [session, ...media.reverse()].join('');
}

/** The same offer without the m-lines of a kind. */
export const without = (kind: 'audio' | 'video', sdp: string) =>
	sections(sdp)
		.filter((section) => !section.startsWith(`m=${kind}`))
		.join('');
