import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Registry } from 'prom-client';

/** A metric as Prometheus reads it. A counter is named without `_total`. */
export interface Family {
	name: string;
	type: string;
	help: string;
	samples: [name: string, labels: Record<string, string>, value: number][];
}

const python = '/usr/bin/python3';

/** For node:test's `skip`: why Prometheus' parser is not here, or false. */
export const noParser = missing();

function missing(): string | false {
	try {
		execFileSync(python, ['-c', 'import prometheus_client'], { stdio: 'ignore' });
		return false;
	} catch {
		return 'needs python3-prometheus-client, which is not installed: node scripts/clients.mjs';
	}
}

/** What Prometheus reads at a scrape. */
export function parse(text: string): Family[] {
	const script = join(import.meta.dirname, 'parse.py');
	return JSON.parse(execFileSync(python, [script], { input: text, encoding: 'utf8' })) as Family[];
}

/** The samples of a scrape by their names and labels: `sfu_rooms_pushers{kind="audio"}`. */
export async function scrape(registry: Registry): Promise<ReadonlyMap<string, number>> {
	const samples = parse(await registry.metrics()).flatMap((family) => family.samples);
	return new Map(
		samples.map(([name, labels, value]) => {
			const told = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
			return [told.length > 0 ? `${name}{${told.map(([key, text]) => `${key}="${text}"`).join(',')}}` : name, value];
		}),
	);
}
