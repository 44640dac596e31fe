import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { closeReasons, definitions, operations, prefix } from '../../src/metrics/definitions.js';
import { literalsOf, propertiesOf, typeOf } from './declarations.js';
import { readPage, root, rowOf, sectionOf } from './markdown.js';

const page = readPage('docs/observability.md');
const metrics = new Map(
	Object.entries(definitions).map(([name, definition]) => {
		const labels: readonly string[] = 'labels' in definition ? definition.labels : [];
		return [prefix + name, { type: definition.type, labels }];
	}),
);
const known = (name: string) => metrics.has(name.replace(/_(?:bucket|sum|count)$/, '')) || metrics.has(name);
const namesIn = (text: string) => [...text.matchAll(/\bsfu_rooms_\w+/g)].map(([name]) => name);

describe('docs/observability.md', () => {
	it('has every metric, with its type and its labels, and no other', () => {
		for (const [name, { type, labels }] of metrics) {
			assert.deepEqual(rowOf(page, name)?.slice(1, 3), [type, labels.join(', ')], name);
		}
		for (const name of namesIn(page.text)) assert.ok(known(name), name);
	});

	it('has every option of the two entries, and of inspect()', () => {
		const { rows } = sectionOf(page, 'Metrics');
		for (const { name } of propertiesOf(typeOf('metrics', 'MetricsOptions'))) {
			assert.ok(
				rows.some(([first]) => first === name),
				name,
			);
		}
		for (const { name } of propertiesOf(typeOf('tracing', 'TracingOptions'))) assert.ok(page.text.includes(name), name);
		for (const { name, defaultNumber } of propertiesOf(typeOf('core', 'InspectOptions'))) {
			const row = sectionOf(page, 'A picture of everything').rows.find(([first]) => first === name);
			assert.ok(row, name);
			if (defaultNumber !== undefined) assert.equal(row[1], defaultNumber, name);
		}
	});

	it('has every problem of the health, and every operation', () => {
		for (const problem of literalsOf(typeOf('core', 'HealthProblem'))) assert.ok(rowOf(page, problem), problem);
		const documented = sectionOf(page, 'An observer of your own')
			.rows.slice(2)
			.map(([first]) => first);
		assert.deepEqual(documented, operations);
		assert.deepEqual([...literalsOf(typeOf('core', 'OperationName'))].sort(), [...operations].sort());
	});

	it('counts connections by every reason that there is', () => {
		assert.deepEqual([...literalsOf(typeOf('core', 'ConnectionCloseReason'))].sort(), [...closeReasons].sort());
	});

	it('has every attribute of a span', () => {
		const code = readFileSync(join(root, 'src/tracing/SfuTracing.ts'), 'utf8');
		const attributes = [...code.matchAll(/'((?:sfu|error)\.[a-z.]+)'/g)].map(([, name]) => name!);
		assert.ok(attributes.length >= 5);
		for (const name of attributes) assert.ok(rowOf(page, name), name);
	});
});

describe('The dashboard', () => {
	interface Panel {
		id: number;
		title: string;
		targets: { expr: string }[];
	}
	const text = readFileSync(join(root, 'dashboards/grafana.json'), 'utf8');
	const { panels } = JSON.parse(text) as { panels: Panel[] };
	const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

	it('shows every metric, and no other', () => {
		const shown = new Set(namesIn(text).map((name) => (metrics.has(name) ? name : name.replace(/_[a-z]+$/, ''))));
		assert.deepEqual([...shown].sort(), [...metrics.keys()].sort());
	});

	it('groups by labels that the metrics have', () => {
		for (const expression of expressions) {
			const [name = ''] = namesIn(expression);
			const labels = metrics.get(name.replace(/_(?:bucket|count)$/, ''))?.labels ?? metrics.get(name)?.labels ?? [];
			const [, by = ''] = /\bby \(([^)]*)\)/.exec(expression) ?? [];
			for (const label of by.split(', ').filter(Boolean)) {
				assert.ok([...labels, 'instance', 'le'].includes(label), `${expression}: ${label}`);
			}
		}
	});

	it('takes rates of counters alone', () => {
		for (const expression of expressions) {
			const isRate = /\b(?:rate|increase)\(/.test(expression);
			const isCounter = /_total\b|_bucket\b|_count\b/.test(expression);
			assert.equal(isRate, isCounter, expression);
		}
	});

	it('is in the package, and its panels are distinct', () => {
		assert.ok(manifest.files.includes('dashboards'));
		assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
		assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
	});
});
