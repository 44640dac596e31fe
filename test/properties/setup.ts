import type { Logger } from 'sfu-rooms';
import { profile } from './OfferingPeer.js';

export const chromium = profile('chromium', 'chromium-sendonly-audio-video', 'chromium-recvonly-video-audio');
export const firefox = profile('firefox', 'firefox-sendonly-audio-video', 'firefox-recvonly-video-audio');

/** Keeps what an operator would be bothered with. */
export function watchful() {
	const problems: string[] = [];
	const ignore = () => undefined;
	const keep = (message: string, details: unknown) => {
		const { cause } = details instanceof Error ? details : {};
		problems.push([message, details instanceof Error ? details.stack : details, cause ?? ''].join(' '));
	};
	const logger: Logger = { debug: ignore, info: ignore, warn: keep, error: keep };
	return { logger, problems };
}
