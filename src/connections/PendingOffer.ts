import type { AnyPusher } from '../tracks/tracks.js';
import type { OfferingSection } from './MediaSection.js';
import type { PullRequest } from './PullRequests.js';
import type { ServerOffer } from './ServerOffer.js';

interface PendingOfferOptions {
	sections: readonly OfferingSection[];
	/** What it was made for. */
	requests: readonly PullRequest[];
	/** How long the client may take to answer, in ms. */
	timeout: number;
}

/** An offer that waits for its answer. */
export class PendingOffer {
	readonly offer: ServerOffer;
	readonly sections: readonly OfferingSection[];
	/** What it adds without a call. */
	readonly followed: readonly AnyPusher[];
	readonly #deadline: NodeJS.Timeout;

	constructor(offer: ServerOffer, { sections, requests, timeout }: PendingOfferOptions) {
		this.offer = offer;
		this.sections = sections;
		this.followed = requests
			.filter(({ caller }) => !caller)
			.flatMap(({ media, data }) => [...media, ...data.map(({ pusher }) => pusher)]);
		this.#deadline = setTimeout(() => {
			offer.expire();
		}, timeout);
	}

	/** It waits no more. */
	settle(): void {
		clearTimeout(this.#deadline);
	}
}
