import type { Router } from 'mediasoup/types';
import { SfuError } from '../../SfuError.js';
import type { Carried } from './hostPipes.js';
import type { Arrived } from './IncomingPipes.js';

interface Place<Out extends Carried> {
	router: Router;
	arriving: Promise<Arrived<Out>>;
	leases: number;
}

/** What has come to a router, for one who needs it. */
export interface ArrivalLease<Out extends Carried> {
	readonly producer: Out;
	readonly router: Router;
	/** Lets it flow, if it does not flow yet. */
	readonly start: () => void;
	/** Gives it back. Calling it again does nothing. */
	release: () => void;
}

/** Something of another server that comes here when somebody needs it, once, and stays as long as anybody does. */
export class OnDemand<Out extends Carried> {
	readonly #arrived: (producer: Out) => void;
	#place: Place<Out> | undefined;
	#producer: Out | undefined;

	/** @param arrived - called with what has come, before those who need it have it */
	constructor(arrived: (producer: Out) => void) {
		this.#arrived = arrived;
	}

	/** What is here at the moment. */
	get producer(): Out | undefined {
		return this.#producer;
	}

	/**
	 * @param router - where it comes to, unless it is here already
	 * @param bring - brings it there
	 * @throws {@link SfuError} (rejects) `unavailable`, and the errors of `bring`
	 */
	async lease(router: Router, bring: () => Promise<Arrived<Out>>): Promise<ArrivalLease<Out>> {
		const place = (this.#place ??= this.#begin(router, bring));
		place.leases++;
		let released = false;
		const release = () => {
			if (released) return;
			released = true;
			place.leases--;
			if (place.leases === 0) this.#end(place);
		};
		try {
			const { producer, start } = await place.arriving;
			if (producer.closed) throw new SfuError('unavailable', 'another server is not reached at the moment');
			return { producer, router: place.router, start, release };
		} catch (error) {
			release();
			throw error;
		}
	}

	/** Ends it for everybody. */
	end(): void {
		if (this.#place) this.#end(this.#place);
	}

	#begin(router: Router, bring: () => Promise<Arrived<Out>>): Place<Out> {
		const place: Place<Out> = { router, arriving: bring(), leases: 0 };
		place.arriving.then(
			({ producer, close }) => {
				if (this.#place !== place) {
					close();
					return;
				}
				this.#producer = producer;
				producer.observer.once('close', () => {
					this.#forget(place);
				});
				this.#arrived(producer);
			},
			() => {
				this.#forget(place);
			},
		);
		return place;
	}

	#end(place: Place<Out>): void {
		if (this.#place !== place) return;
		this.#forget(place);
		place.arriving.then(
			({ close }) => {
				close();
			},
			() => undefined,
		);
	}

	#forget(place: Place<Out>): void {
		if (this.#place !== place) return;
		this.#place = undefined;
		this.#producer = undefined;
	}
}
