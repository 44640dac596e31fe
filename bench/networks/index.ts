import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { executables } from '../../test/support/browsers.js';
import { play } from './play.js';
import { scenarios, systems, videos, type Layers, type System } from './scenarios.js';
import { rowsOf, type Report } from './table.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const choices = [scenarios, videos, systems].map(Object.keys);
const unknown = positionals.filter((word) => !choices.flat().includes(word));
if (unknown.length > 0) throw new Error(`there is no ${unknown.join()}, only ${choices.flat().join()}`);

/** Those of a list that are asked for. Of a list of which none is named, all are. */
const [chosenScenarios, chosenLayers, chosenSystems] = choices.map((names) => {
	const named = names.filter((name) => positionals.includes(name));
	return named.length > 0 ? named : names;
}) as [string[], Layers[], System[]];

const versionOf = (name: string) => {
	const manifest = readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8');
	return (JSON.parse(manifest) as { version: string }).version;
};

const report: Report = {
	date: new Date().toISOString(),
	command: ['bench/networks/run.sh', ...process.argv.slice(2)].join(' '),
	machine: { cores: cpus().length, cpu: cpus()[0]?.model ?? '' },
	versions: {
		node: process.version,
		chromium: execFileSync(executables.Chromium, ['--version'], { encoding: 'utf8' }).trim(),
		mediasoup: versionOf('mediasoup'),
		'mediasoup-client': versionOf('mediasoup-client'),
	},
	runs: [],
};

for (const scenario of chosenScenarios) {
	for (const layers of chosenLayers) {
		for (const system of chosenSystems) {
			const course = await play(scenarios[scenario]!, videos[layers], system);
			report.runs.push({ scenario, layers, system, ...course });
			// After each run, so that those before an error are kept.
			if (values.json !== undefined) {
				const file = resolve(process.env.SFU_BENCH_CALLER ?? '', values.json);
				writeFileSync(file, `${JSON.stringify(report, undefined, '\t')}\n`);
			}
		}
	}
}
console.table(rowsOf(report.runs));
