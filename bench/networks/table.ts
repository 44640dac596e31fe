import type { Course } from './play.js';
import { systems, type Layers, type System } from './scenarios.js';
import { beginning } from './sums.js';

/** One scenario with one system. */
export interface Run extends Course {
	scenario: string;
	layers: Layers;
	system: System;
}

/** What `--json` writes. */
export interface Report {
	date: string;
	command: string;
	machine: { cores: number; cpu: string };
	versions: Record<string, string>;
	runs: Run[];
}

export type Row = Record<string, string>;

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** A row for each phase of each run, the systems one below the other. */
export function rowsOf(runs: readonly Run[]): Row[] {
	const names = [...new Set(runs.map(({ scenario, layers }) => `${scenario} ${layers}`))];
	return names.flatMap((name) => {
		const same = runs.filter(({ scenario, layers }) => `${scenario} ${layers}` === name);
		const phases = same[0]?.phases.map(({ phase }) => phase) ?? [];
		return phases.flatMap((_, index) => same.map((run) => rowOf(run, index)));
	});
}

function rowOf({ scenario, layers, system, phases }: Run, index: number): Row {
	const figures = phases[index]!;
	return {
		scenario,
		layers,
		link: figures.phase,
		system: systems[system],
		'frames/s': figures.frames.toFixed(1),
		'frozen, s': figures.frozen.toFixed(1),
		[`concealed, first ${beginning} s`]: percent(figures.concealedFirst),
		'concealed, later': percent(figures.concealedLater),
		'round trip, ms': figures.roundTrip.toFixed(0),
		'kbit/s sent': (figures.bitrate / 1000).toFixed(0),
		changes: String(figures.changes),
		'width at the end': figures.widths.join(' '),
	};
}
