import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { startRedis } from '../../test/support/redis.js';
import type { Report, Row } from '../report.js';
import type { Plan, Result, Subject } from './redisWorker.js';
import type { Stream } from './simulate.js';

/** In ms. */
const worstDelay = 50;
/** How much more each step sends. */
const growth = 1.6;
/** The first step delivers so many messages a second. */
const firstDeliveries = 20_000;
const [stepTime, fullTime] = [3000, 10_000];

/** How a message is published: by the script of `redisBus()`, or by a plain PUBLISH. */
export type Way = 'redisBus' | 'PUBLISH';

/** A process of the load. */
class Process {
	readonly #child: ChildProcess;

	constructor(role: Plan['role'], plan: Omit<Plan, 'role'>) {
		const file = fileURLToPath(new URL('redisWorker.ts', import.meta.url));
		this.#child = fork(file, { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
		this.#child.send({ role, ...plan });
	}

	async ready(): Promise<this> {
		await once(this.#child, 'message');
		return this;
	}

	/** @returns what it has counted since the last call */
	async result(): Promise<Result> {
		this.#child.send('result');
		return ((await once(this.#child, 'message')) as [Result])[0];
	}

	/** Publishes so much of all that happens in the cluster. */
	rate(share: number): void {
		this.#child.send(share);
	}

	end(): void {
		this.#child.kill('SIGKILL');
	}
}

/** The subjects of the simulated messages, so many of each kind that each has its subscribers. */
function subjectsOf(streams: readonly Stream[], nodes: number): Subject[] {
	return streams.flatMap(({ name, published, delivered, bytesIn }, stream) => {
		const fanOut = delivered / published;
		const isEverywhere = name.startsWith('alive') || name.startsWith('open ');
		const count = isEverywhere ? 1 : 200;
		return Array.from({ length: count }, (_, index) => {
			// Together they have the mean.
			const subscribers = Math.min(Math.floor(fanOut + (index + 0.5) / count), nodes);
			const first = Math.floor(Math.random() * nodes);
			return {
				name: `s${stream}.${index}`,
				rate: published / count,
				bytes: Math.max(Math.round(bytesIn / published), 8),
				// Neighbours do as well as others do.
				subscribers: Array.from({ length: subscribers }, (_unused, offset) => (first + offset) % nodes),
				isProbed: index < 4,
			};
		});
	});
}

const quantile = (sorted: readonly number[], share: number) =>
	sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN;

/** Puts the messages of a simulated cluster on a real Redis. */
export async function loadRedis({ details }: Report): Promise<{
	rows: Row[];
	versions: Record<string, string>;
	details: { spread: string; deliveries: number; steps: object[] };
}> {
	const { streams, nodes, spread } = details as { streams: Stream[]; nodes: number; spread: string };
	const subjects = subjectsOf(streams, nodes);
	const deliveries = subjects.reduce((sum, { rate, subscribers }) => sum + rate * subscribers.length, 0);
	const rows: Row[] = [];
	const steps: object[] = [];
	let version = '';
	for (const way of ['redisBus', 'PUBLISH'] as const) {
		const redis = await startRedis();
		const client = new Redis(redis.port, '127.0.0.1');
		const infoOf = async () => {
			const info = await client.info();
			const read = (name: string) => new RegExp(`${name}:(\\S+)`).exec(info)?.[1] ?? '';
			version = read('redis_version');
			return { cpu: Number(read('used_cpu_user')) + Number(read('used_cpu_sys')), at: performance.now() };
		};
		const plan = { port: redis.port, subjects, nodes, way };
		const drain = await new Process('drain', plan).ready();
		const probe = await new Process('probe', plan).ready();
		const publishers = await Promise.all([1, 2].map(() => new Process('publish', plan).ready()));
		const all = [drain, probe, ...publishers];
		/** @returns whether the delay was within its limit */
		const step = async (share: number, time: number): Promise<boolean> => {
			for (const publisher of publishers) publisher.rate(share / publishers.length);
			await sleep(1000);
			await Promise.all(all.map((one) => one.result()));
			const before = await infoOf();
			await sleep(time);
			const after = await infoOf();
			const [drained, probed, ...told] = await Promise.all(all.map((one) => one.result()));
			const seconds = (after.at - before.at) / 1000;
			const delays = probed!.delays.sort((a, b) => a - b);
			const published = told.reduce((sum, { published: one }) => sum + one, 0) / seconds;
			const delivered = told.reduce((sum, { delivered: one }) => sum + one, 0) / seconds;
			const failed = told.reduce((sum, { failed: one }) => sum + one, 0);
			const cpu = (after.cpu - before.cpu) / seconds;
			const p99 = quantile(delays, 0.99);
			const busiest = Math.max(...told.map((one) => one.cpu)) / seconds;
			rows.push({
				by: way,
				'of the cluster, %': +(share * 100).toFixed(1),
				'published/s': Math.round(published),
				'delivered/s': Math.round(delivered),
				'MB/s from Redis': +(drained!.bytes / seconds / 1e6).toFixed(1),
				'processor of Redis, %': Math.round(cpu * 100),
				'µs a delivery': +((cpu / delivered) * 1e6).toFixed(2),
				'delay p50, ms': +quantile(delays, 0.5).toFixed(1),
				'p99, ms': +p99.toFixed(1),
				failed,
				'processor of a publisher, %': Math.round(busiest * 100),
			});
			console.log(JSON.stringify(rows.at(-1)));
			steps.push({ way, share, cpu, published, delivered, samples: delays.length, drain: drained!.cpu / seconds });
			return p99 <= worstDelay && failed === 0;
		};
		let share = firstDeliveries / deliveries;
		let isWithin = true;
		// All of it for longer, if that is among the steps.
		for (; isWithin; share *= growth) {
			if (share / growth < 1 && share > 1) isWithin = await step(1, fullTime);
			if (isWithin) isWithin = await step(share, stepTime);
		}
		for (const one of all) one.end();
		client.disconnect();
		await redis.end();
	}
	return { rows, versions: { redis: version }, details: { spread, deliveries, steps } };
}
