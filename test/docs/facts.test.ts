import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { resolveOptions } from '../src/options.js';
import { errorCodes } from '../src/protocol/errorCodes.js';
import { defaultPeerLimits } from '../src/protoo/Peer.js';

const root = join(import.meta.dirname, '..');
const readme = await readFile(join(root, 'README.md'), 'utf8');

/** The cells of all tables' rows, without their backquotes. */
const rows = readme
	.split('\n')
	.filter((line) => line.startsWith('|'))
	.map((line) =>
		line
			.split('|')
			.slice(1, -1)
			.map((cell) => cell.trim().replaceAll('`', '')),
	);
const cellAfter = (name: string) => rows.find(([first]) => first === name)?.[1];

describe('The README', () => {
	it('has every error code, with its number on the wire', () => {
		for (const [code, number] of Object.entries(errorCodes)) assert.equal(cellAfter(code), String(number), code);
	});

	it('has every option, with its default', () => {
		const { webRtc, workers, limits, qualityInterval, emptyRoomTimeout } = resolveOptions({});
		assert.equal(workers.count, availableParallelism());
		const numbers = {
			...webRtc,
			listen: undefined,
			...Object.fromEntries(Object.entries(limits).map(([limit, value]) => [`limits.${limit}`, value])),
			...Object.fromEntries(Object.entries(defaultPeerLimits).map(([limit, value]) => [`limits.${limit}`, value])),
			qualityInterval,
			emptyRoomTimeout,
		};
		for (const [option, value] of Object.entries(numbers)) {
			if (value === undefined) continue;
			const documented = cellAfter(option) ?? cellAfter(`webRtc.${option}`);
			assert.equal(documented, String(value), option);
		}
		for (const option of ['webRtc.listen', 'workers.count', 'workers.binary', 'codecs', 'logger', 'authorize']) {
			assert.ok(cellAfter(option), option);
		}
	});

	it('has every event', async () => {
		const files = [
			'rooms/Sfu',
			'rooms/Room',
			'tracks/Pausable',
			'rooms/UserEvents',
			'connections/Connection',
			'tracks/AnyPusher',
			'tracks/Pusher',
			'tracks/Puller',
			'tracks/DataPusher',
		];
		for (const file of files) {
			const source = await readFile(join(root, `src/${file}.ts`), 'utf8');
			const [, events = ''] = /export type \w+Events = (?:\w+ & )?\{([\s\S]*?)\n\};/.exec(source) ?? [];
			const names = [...events.matchAll(/^\t(\w+): \(/gm)].map(([, name]) => name!);
			assert.ok(names.length > 0, file);
			for (const name of names) assert.ok(readme.includes(`\`${name}\``), `${file}: ${name}`);
		}
	});

	it('has examples that compile', async (t) => {
		const directory = await mkdtemp(join(root, '.readme-'));
		t.after(() => rm(directory, { recursive: true }));
		const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
		assert.equal(examples.length, 3);
		for (const [index, code] of examples.entries()) await writeFile(join(directory, `example${index}.ts`), code);
		await writeFile(
			join(directory, 'tsconfig.json'),
			JSON.stringify({ extends: '../tsconfig.json', include: ['*.ts'], exclude: [] }),
		);
		await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory]).catch(
			(error: unknown) => assert.fail((error as { stdout: string }).stdout),
		);
	});
});
