import type { Link, VideoPuller } from './LayerPolicy.js';

/**
 * The way to a client over several connections that no estimate tells of. They compete for the same bandwidth, so one policy
 * looks at all of them.
 */
export class SharedLink implements Link {
	readonly isEstimated = false;
	readonly #links = new Map<VideoPuller, Link>();

	/** The lowest limit of a connection, in bit/s. 0 if none has one. */
	get limit(): number {
		const limits = [...this.#links.values()].map(({ limit }) => limit).filter((limit) => limit > 0);
		return limits.length > 0 ? Math.min(...limits) : 0;
	}

	/** Adds a puller. @param link - the link of its connection */
	add(puller: VideoPuller, link: Link): void {
		this.#links.set(puller, link);
	}

	/** Removes a puller. */
	delete(puller: VideoPuller): void {
		this.#links.delete(puller);
	}

	async measure(): Promise<{ bitrate: number; estimate: undefined }> {
		// All pullers of a connection measure the same.
		const links = new Map([...this.#links].map(([{ connectionId }, link]) => [connectionId, link]));
		const measured = await Promise.all([...links.values()].map((link) => link.measure()));
		return { bitrate: measured.reduce((sum, { bitrate }) => sum + bitrate, 0), estimate: undefined };
	}

	/** Does nothing: there is no estimate. */
	setLeastEstimate(): Promise<void> {
		return Promise.resolve();
	}
}
