import type { DataProducer, Router } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';
import type { DataLanding, DataSource } from './DataSource.js';
import type { Arrived } from './pipes/IncomingPipes.js';
import { OnDemand } from './pipes/OnDemand.js';

/** A data channel on another server. It comes here when somebody pulls it, and stays as long as anybody does. */
export class RemoteDataSource implements DataSource {
	readonly #bring: (router: Router) => Promise<Arrived<DataProducer>>;
	readonly #arrival = new OnDemand<DataProducer>(() => undefined);
	#closed = false;

	/** @param bring - brings the data channel to a router of this server */
	constructor(bring: (router: Router) => Promise<Arrived<DataProducer>>) {
		this.#bring = bring;
	}

	get producer(): DataProducer | undefined {
		return this.#arrival.producer;
	}

	async land(router: Router): Promise<DataLanding> {
		if (this.#closed) throw new SfuError('not_found', 'the pusher has gone');
		return this.#arrival.lease(router, () => this.#bring(router));
	}

	/** Ends it. Its pusher calls this once. */
	close(): void {
		this.#closed = true;
		this.#arrival.end();
	}
}
