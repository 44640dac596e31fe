import { anOffer } from '../../test/support/offers.js';
import { headerExtensionUris } from '../../src/sdp/rtpParameters.js';
import type { Identity, Remote, Ssrcs } from './Server.js';

/** A description as the client would have written it. */
export function describe(sdp: string, { usernameFragment, password, fingerprint }: Identity): string {
	return sdp
		.replace(/^a=ice-ufrag:.*\r$/gm, `a=ice-ufrag:${usernameFragment}\r`)
		.replace(/^a=ice-pwd:.*\r$/gm, `a=ice-pwd:${password}\r`)
		.replace(/^a=fingerprint:.*\r$/gm, `a=fingerprint:sha-256 ${fingerprint}\r`);
}

/** The offer of Chromium to push. */
export const pushOffer = (client: Identity, video: boolean): string =>
	describe(anOffer(video ? 'chromium-sendonly-audio-video' : 'chromium-sendonly-audio'), client);

/** The offer of Chromium to pull. */
export const pullOffer = (client: Identity): string => describe(anOffer('chromium-recvonly-video-audio'), client);

const find = (sdp: string, pattern: RegExp): string | undefined => pattern.exec(sdp)?.[1];

/** Reads where the server is from its description. */
export function remoteOf(sdp: string): Remote {
	const uri = headerExtensionUris.transportCc.replaceAll('.', '\\.');
	return {
		usernameFragment: find(sdp, /^a=ice-ufrag:(\S+)/m) ?? '',
		password: find(sdp, /^a=ice-pwd:(\S+)/m) ?? '',
		port: Number(find(sdp, /^a=candidate:\S+ 1 udp \d+ \S+ (\d+)/im)),
		transportCc: Number(find(sdp, new RegExp(`^a=extmap:(\\d+)\\S* ${uri}`, 'm')) ?? 0),
	};
}

/** Reads the first SSRC of each kind. */
export function ssrcsOf(sdp: string): Ssrcs {
	const of = (kind: string) => Number(find(sdp, new RegExp(`^m=${kind} (?:(?!^m=)[^])*?^a=ssrc:(\\d+)`, 'm')) ?? 0);
	return { audio: of('audio'), video: of('video') };
}
