import { defaultLimits } from '../../src/options.js';
import type { Offer, OfferedMediaSection } from '../../src/sdp/Offer.js';
import { parseOffer } from '../../src/sdp/parseOffer.js';
import { loadOffer } from '../support/offers.js';

/** The offer, within the default limits. */
export const parse = (sdp: string): Offer => parseOffer(sdp, defaultLimits);

/** The m-line at an index of an SDP offer. */
export function mediaAt(sdp: string, index: number): OfferedMediaSection {
	const media = parse(sdp).media[index];
	if (!media) throw new Error(`there is no m-line ${index}`);
	return media;
}

/** Chromium's offer of a microphone and a camera. */
export const chromium = loadOffer('chromium-sendonly-audio-video');

/** Firefox's offer of a microphone and a camera. */
export const firefox = loadOffer('firefox-sendonly-audio-video');
