import type { Logger } from '../Logger.js';
import { toSfuError } from '../media/callWorker.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { BitrateLimits } from './BitrateLimits.js';

/** What audio takes of a limit beside video, in bit/s for each track. */
const audioBitrate = 60_000;

/**
 * Asks a client to send no more video than anybody takes. A client can only be told one limit for all that it sends on a
 * connection, so there is none while somebody takes all of one of its videos.
 */
export class UplinkDemand {
	readonly #bitrates: BitrateLimits;
	readonly #logger: Logger;
	readonly #pushers = new Set<Pusher>();

	constructor(bitrates: BitrateLimits, logger: Logger) {
		this.#bitrates = bitrates;
		this.#logger = logger;
	}

	/** Follows what is demanded of a pusher, until it closes. */
	add(pusher: Pusher): void {
		const follow = () => void this.#follow();
		this.#pushers.add(pusher);
		pusher.pullSource.demand.on('changed', follow);
		pusher.on('paused', follow).on('resumed', follow);
		pusher.once('closed', () => {
			this.#pushers.delete(pusher);
			follow();
		});
		follow();
	}

	async #follow(): Promise<void> {
		const sending = [...this.#pushers].filter(({ paused }) => !paused);
		const videos = sending.filter(({ kind }) => kind === 'video');
		const demanded = videos.reduce((sum, { pullSource }) => sum + pullSource.demand.bitrate, 0);
		const audio = (sending.length - videos.length) * audioBitrate;
		try {
			await this.#bitrates.setDemanded(
				videos.length > 0 && Number.isFinite(demanded) ? Math.round(demanded + audio) : 0,
			);
		} catch (error) {
			// The connection tells that it has closed.
			if (toSfuError(error).code === 'closed') return;
			this.#logger.warn('a client could not be asked to send less', { error });
		}
	}
}
