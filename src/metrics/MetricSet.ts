import { Counter, Gauge, Histogram, type LabelValues, type Registry } from 'prom-client';
import { SfuError } from '../index.js';
import { quoted } from '../quoted.js';
import { definitions, durationBuckets, operations, prefix, type MetricName, type NameOf } from './definitions.js';
import { EventLoopDelay } from './EventLoopDelay.js';

/** The labels of a series. */
export type Labels = LabelValues<string>;

/** Sets the value of a series. */
export type Tell = (name: NameOf<'gauge' | 'counter'>, labels: Labels, value: number) => void;

/** An Sfu, as far as a registry measures it. */
export interface Measured {
	/** Tells it from other Sfus of the same registry. */
	readonly labels: Labels;
	/** Measures it, without waiting for long. The function that it resolves with tells the values. */
	measure(): Promise<(tell: Tell) => void>;
}

const names = Object.keys(definitions) as MetricName[];

/** Those that are set at a scrape. The durations are noted as they come. */
const scraped = names.filter((name) => definitions[name].type !== 'histogram');

const sets = new WeakMap<Registry, MetricSet>();

/** The metrics in one registry, of all Sfus that it has. They are there as long as it has one. */
export class MetricSet {
	readonly #registry: Registry;
	readonly #metrics = new Map<MetricName, Gauge | Counter | Histogram>();
	readonly #measured = new Map<string, Measured>();
	readonly #delay = new EventLoopDelay();
	#refreshing: Promise<void> | undefined;

	/** @throws {@link SfuError} `conflict` if the registry has metrics with these names that are not of this library */
	static of(registry: Registry): MetricSet {
		const known = sets.get(registry);
		// The app may have cleared its registry.
		if (known?.isRegistered) return known;
		if (known) known.#end();
		const set = new MetricSet(registry);
		sets.set(registry, set);
		return set;
	}

	private constructor(registry: Registry) {
		this.#registry = registry;
		try {
			for (const name of names) this.#metrics.set(name, this.#create(name));
		} catch (error) {
			this.#end();
			throw new SfuError('conflict', 'the registry has other metrics with these names', { cause: error });
		}
	}

	/** Whether the registry still has its metrics. */
	get isRegistered(): boolean {
		return [...this.#metrics.values()].every((metric) => this.#registered(metric));
	}

	/**
	 * Adds an Sfu.
	 *
	 * @returns a function that removes it, and all that was measured of it
	 * @throws {@link SfuError} `conflict` if there is one with the same labels
	 */
	add(measured: Measured): () => void {
		const { sfu = '' } = measured.labels;
		const key = String(sfu);
		if (this.#measured.has(key)) {
			const reason = key === '' ? 'without a name' : `with the name ${quoted(key)}`;
			throw new SfuError('conflict', `the registry has an Sfu ${reason} already: give another \`name\``);
		}
		this.#measured.set(key, measured);
		return () => {
			if (this.#measured.get(key) !== measured) return;
			this.#measured.delete(key);
			if (this.#measured.size === 0) this.#end();
			else this.#forget(measured.labels);
		};
	}

	/** Notes how long something took, in seconds. */
	time(labels: Labels, seconds: number): void {
		const metric = this.#metrics.get('operation_duration_seconds');
		if (metric instanceof Histogram) metric.observe(labels, seconds);
	}

	#create(name: MetricName): Gauge | Counter | Histogram {
		const definition = definitions[name];
		const { type, help } = definition;
		const own = 'labels' in definition ? definition.labels : [];
		const labelNames = name.startsWith('event_loop') ? [] : [...own, 'sfu'];
		const options = { name: prefix + name, help, labelNames, registers: [this.#registry] };
		if (type === 'histogram') return new Histogram({ ...options, buckets: durationBuckets });
		const collect = () => this.#refresh();
		return type === 'gauge' ? new Gauge({ ...options, collect }) : new Counter({ ...options, collect });
	}

	/** The metrics of one scrape are asked for at the same time, and share one measurement. */
	#refresh(): Promise<void> {
		this.#refreshing ??= this.#measure().finally(() => {
			this.#refreshing = undefined;
		});
		return this.#refreshing;
	}

	async #measure(): Promise<void> {
		const measured = await Promise.all([...this.#measured.values()].map((one) => one.measure()));
		for (const name of scraped) this.#metrics.get(name)?.reset();
		const { p99, max } = this.#delay.take();
		this.#tell('event_loop_delay_p99_seconds', {}, p99);
		this.#tell('event_loop_delay_max_seconds', {}, max);
		for (const tellAll of measured) tellAll(this.#tell);
	}

	readonly #tell: Tell = (name, labels, value) => {
		const metric = this.#metrics.get(name);
		if (metric instanceof Gauge) metric.set(labels, value);
		else if (metric instanceof Counter) metric.inc(labels, value);
	};

	/** Removes the durations of an Sfu. What is set at a scrape goes with the next one. */
	#forget({ sfu }: Labels): void {
		const own: Labels = sfu === undefined ? {} : { sfu };
		for (const operation of operations) this.#metrics.get('operation_duration_seconds')?.remove({ ...own, operation });
	}

	#end(): void {
		this.#delay.close();
		for (const metric of this.#metrics.values()) {
			if (this.#registered(metric)) this.#registry.removeSingleMetric(nameOf(metric));
		}
		if (sets.get(this.#registry) === this) sets.delete(this.#registry);
	}

	#registered(metric: Gauge | Counter | Histogram): boolean {
		return this.#registry.getSingleMetric(nameOf(metric)) === metric;
	}
}

/** prom-client has no type for it. */
const nameOf = (metric: Gauge | Counter | Histogram): string => (metric as unknown as { name: string }).name;
