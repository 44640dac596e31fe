import type { BenchPage } from './network.js';
import type { Video } from './scenarios.js';

/** What the server sends to the one who pulls. */
export interface Sent {
	/** The longest one that a stream reports, in ms. Undefined before the first report. */
	roundTrip: number | undefined;
	/** All that goes to the client, not only media, in bit/s. */
	bitrate: number;
}

/** A call that some system carries: several push, and one pulls all of them. */
export interface Call {
	/** Pushes a video and a microphone from a page. */
	push(page: BenchPage, video: Video): Promise<void>;
	/** Pulls all that has been pushed. @returns the ids of its connections, for `client.stats()` in the page */
	pull(page: BenchPage): Promise<string[]>;
	sent(): Promise<Sent>;
	/** How often the layers of a track have changed, or it was paused or resumed, since it was pulled. */
	changes(): number;
	/** Whether all that was pulled is still there. */
	lasts(): boolean;
	close(): void;
}
