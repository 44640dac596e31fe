import type { SfuError } from '../SfuError.js';
import type { PullTargets } from '../tracks/PullOptions.js';
import type { AnyPusher } from '../tracks/tracks.js';
import type { ServerOffer } from './ServerOffer.js';

/** Pushers that shall come with the next offer of the server. */
export interface PullRequest extends PullTargets {
	/** The call that waits for the offer. There is none for a change in the room. */
	readonly caller?: Caller;
}

/** A call that waits for an offer. */
export interface Caller {
	readonly resolve: (offer: ServerOffer) => void;
	readonly reject: (error: SfuError) => void;
}

/** The pull requests that wait for an offer of the server. */
export class PullRequests {
	#waiting: PullRequest[] = [];

	get isEmpty(): boolean {
		return this.#waiting.length === 0;
	}

	add(request: PullRequest): void {
		this.#waiting.push(request);
	}

	/** Adds pushers that no call asks for. */
	follow(pushers: readonly AnyPusher[]): void {
		for (const pusher of pushers) {
			this.add(
				pusher.kind === 'data' ? { media: [], data: [{ pusher, negotiated: false }] } : { media: [pusher], data: [] },
			);
		}
	}

	/** Takes the requests of the next offer. One offer answers one call; changes in the room come along. */
	take(): PullRequest[] {
		const asked = this.#waiting.find(({ caller }) => caller);
		const taken = this.#waiting.filter((request) => !request.caller || request === asked);
		this.#waiting = this.#waiting.filter((request) => !taken.includes(request));
		return taken;
	}

	/** Rejects all calls, because there will be no offer. */
	reject(error: SfuError): void {
		for (const { caller } of this.#waiting.splice(0)) caller?.reject(error);
	}
}
