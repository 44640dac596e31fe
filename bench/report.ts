import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { basename } from 'node:path';
import { version as mediasoup } from 'mediasoup';

/** A row of a table. */
export type Row = Record<string, string | number>;

/** A curve for each value of the column `series`: the column `y` against the column `x`. */
export interface Plot {
	title: string;
	x: string;
	y: string;
	series: string;
	/** How the axis of `x` counts. Default: `log`, for sizes that double. */
	scale?: 'log' | 'value';
}

/** What a benchmark has measured, where, when and by which command. */
export interface Report {
	/** The mark of the table in the documentation. */
	name: string;
	date: string;
	command: string;
	machine: { cpu: string; cores: number; memory: number; system: string };
	versions: Record<string, string>;
	rows: Row[];
	plots: Plot[];
	/** What does not fit into a table: each sample. */
	details?: unknown;
}

export interface Measured {
	name: string;
	rows: Row[];
	plots?: Plot[];
	/** Of what takes part beside Node and mediasoup. */
	versions?: Record<string, string>;
	details?: unknown;
}

/**
 * Prints the table of a benchmark.
 *
 * @param file - where the report is written as JSON, which `bench/page.ts` puts into the documentation
 */
export function report({ name, rows, plots = [], versions, details }: Measured, file?: string): void {
	console.table(rows);
	if (file === undefined) return;
	const [script = '', ...options] = process.argv.slice(1);
	const all: Report = {
		name,
		date: new Date().toISOString(),
		command: ['node', ...process.execArgv, `bench/${basename(script)}`, ...options].join(' '),
		machine: {
			cpu: os.cpus()[0]?.model ?? 'an unknown processor',
			cores: os.cpus().length,
			memory: os.totalmem(),
			system: `${os.type()} ${os.release()}`,
		},
		versions: { node: process.version, mediasoup, ...versions },
		rows,
		plots,
		details,
	};
	writeFileSync(file, `${JSON.stringify(all, null, '\t')}\n`);
}

export const readReport = (file: string): Report => JSON.parse(readFileSync(file, 'utf8')) as Report;
