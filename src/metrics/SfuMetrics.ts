import { register, type Registry } from 'prom-client';
import { SfuError, type Connection, type Sfu, type SfuCounts, type WorkerUsage } from '../index.js';
import { strict, validator } from '../schemas.js';
import { closeReasons } from './definitions.js';
import { MetricSet, type Labels, type Measured, type Tell } from './MetricSet.js';
import { Tally } from './Tally.js';
import { inTime, Transfer, type Transferred } from './Transfer.js';

/** How to measure an Sfu. */
export interface MetricsOptions {
	/** The registry of prom-client that gets the metrics. Default: prom-client's own, `register`. */
	registry?: Registry;
	/** The label `sfu` of all metrics. Several Sfus in one registry need different ones. Default: no such label. */
	name?: string;
	/**
	 * Whether each scrape asks the workers how much each connection sends and receives. It takes one request for each
	 * connection. Default true.
	 */
	transfer?: boolean;
}

const checkOptions = validator<MetricsOptions>(
	strict({ registry: { type: 'object' }, name: { type: 'string', minLength: 1 }, transfer: { type: 'boolean' } }),
	'options',
);

/** How long a scrape waits for the workers, in ms. Prometheus itself gives up after 10 seconds. */
const scrapeTimeout = 2000;

/**
 * The metrics of an Sfu in a registry of prom-client. Operations, failures, closed connections and deaths of workers are counted as
 * they happen; everything else is measured when the registry is scraped, and takes nothing otherwise.
 *
 * @example
 * ```ts
 * import { register } from 'prom-client';
 *
 * new SfuMetrics(sfu);
 * app.get('/metrics', async (_, response) => {
 *   response.type(register.contentType).send(await register.metrics());
 * });
 * ```
 */
export class SfuMetrics {
	/** The registry that has the metrics. */
	readonly registry: Registry;
	readonly #sfu: Sfu;
	readonly #labels: Labels;
	readonly #set: MetricSet;
	readonly #transfer: Transfer | undefined;
	readonly #remove: () => void;
	readonly #unobserve: () => void;
	readonly #tally = new Tally();
	#deaths = 0;
	#closed = false;

	/**
	 * Adds the metrics. They go when the Sfu closes.
	 *
	 * @throws `SfuError` `invalid_argument`, `closed`, `conflict` if the registry has an Sfu with this name already, or
	 *   metrics with the same names that are not of this library
	 */
	constructor(sfu: Sfu, options: MetricsOptions = {}) {
		const { registry = register, name, transfer = true } = checkOptions(options);
		if (sfu.closed) throw new SfuError('closed', 'the Sfu has been closed');
		this.registry = registry;
		this.#sfu = sfu;
		this.#labels = name === undefined ? {} : { sfu: name };
		this.#transfer = transfer ? new Transfer() : undefined;
		this.#set = MetricSet.of(registry);
		const measured: Measured = { labels: this.#labels, measure: () => this.#measure() };
		this.#remove = this.#set.add(measured);
		this.#unobserve = sfu.observe({
			begun: (operation) => ({
				ended: ({ duration, error }) => {
					const { name: operationName, waited } = operation;
					if (error) this.#tally.add('operation_failures_total', { operation: operationName, code: error.code });
					else if (!waited) this.#set.time({ ...this.#labels, operation: operationName }, duration / 1000);
				},
			}),
			messageFailed: ({ method = 'other', error: { code } }) => {
				this.#tally.add('message_failures_total', { method, code });
			},
			connectionClosed: ({ reason }) => {
				this.#tally.add('connections_closed_total', { reason: closeReasons.includes(reason) ? reason : 'other' });
			},
		});
		sfu.on('workerDied', this.#workerDied);
		sfu.once('closed', this.#sfuClosed);
	}

	/** Removes the metrics of this Sfu from the registry. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#remove();
		this.#unobserve();
		this.#sfu.off('workerDied', this.#workerDied);
		this.#sfu.off('closed', this.#sfuClosed);
	}

	readonly #workerDied = () => {
		this.#deaths++;
	};

	readonly #sfuClosed = () => {
		this.close();
	};

	async #measure(): Promise<(tell: Tell) => void> {
		const sfu = this.#sfu;
		const [usage = [], transferred] = await Promise.all([
			inTime(sfu.measureWorkers(), scrapeTimeout),
			this.#transfer?.measure(connectionsOf(sfu), scrapeTimeout),
		]);
		return (tell) => {
			if (this.#closed) return;
			const own: Tell = (name, labels, value) => {
				tell(name, { ...labels, ...this.#labels }, value);
			};
			tellCounts(sfu.counts, own);
			this.#tally.tell(own);
			if (transferred) tellTransfer(transferred, own);
			this.#tellServer(own);
			this.#tellWorkers(usage, own);
		};
	}

	#tellServer(tell: Tell): void {
		const { health, cluster } = this.#sfu;
		tell('ready', {}, Number(health.ready));
		if (!cluster) return;
		tell('cluster_nodes', {}, cluster.nodes.size);
		tell('cluster_bus_connected', {}, Number(cluster.connected));
	}

	#tellWorkers(usage: readonly WorkerUsage[], tell: Tell): void {
		const { workers } = this.#sfu;
		tell('workers', {}, workers.length);
		tell('worker_deaths_total', {}, this.#deaths);
		for (const { index, tracks, isFull } of workers) {
			tell('worker_tracks', { worker: index }, tracks);
			tell('worker_full', { worker: index }, Number(isFull));
		}
		for (const { index, cpuTime, memory } of usage) {
			tell('worker_cpu_seconds_total', { worker: index }, cpuTime / 1000);
			if (memory !== undefined) tell('worker_resident_memory_bytes', { worker: index }, memory);
		}
	}
}

function tellCounts({ connections, pushers, pullers, pipes, ...counts }: SfuCounts, tell: Tell): void {
	tell('rooms', {}, counts.rooms);
	tell('users', {}, counts.users);
	tell('waiting_users', {}, counts.waiting);
	tell('stalled_pushers', {}, counts.stalledPushers);
	for (const [state, value] of Object.entries(connections)) tell('connections', { state }, value);
	for (const [kind, value] of Object.entries({ ...pushers })) tell('pushers', { kind }, value);
	for (const [kind, value] of Object.entries({ ...pullers })) tell('pullers', { kind }, value);
	tell('pipes', { target: 'worker' }, pipes.workers);
	tell('pipes', { target: 'server' }, pipes.servers);
}

function tellTransfer({ total, rate }: Transferred, tell: Tell): void {
	for (const direction of ['received', 'sent'] as const) {
		tell('transfer_bytes_total', { direction }, total[direction]);
		tell('transfer_bytes_per_second', { direction }, rate[direction]);
	}
}

/** Those that have a transport to measure. */
const connectionsOf = ({ rooms }: Sfu): Connection[] =>
	[...rooms.values()]
		.flatMap(({ users }) => [...users.values()])
		.flatMap(({ connections }) => connections)
		.filter(({ state }) => state === 'connected' || state === 'disconnected');
