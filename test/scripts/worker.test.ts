// Takes 30 s.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { faultOf, findMediasoup } from '../../scripts/worker/locate.mjs';
import { archiveName, platformOf } from '../../scripts/worker/prebuilt.mjs';

/*
 * The provider runs as its users run it, from a package of theirs that is made for each test: with this repository's
 * scripts and mediasoup's install script, but with programs that only do as if in the place of workers, of the build and
 * of Debian's package tools.
 */

const repository = path.join(import.meta.dirname, '..', '..');
const nobody = 65534;
const isRoot = process.getuid?.() === 0;
const run = promisify(execFile);
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

let home: string;
let place: string;
let cache: string;
let programs: string;

beforeEach(() => {
	home = fs.mkdtempSync(path.join(os.tmpdir(), 'sfu rooms worker '));
	fs.chmodSync(home, 0o755);
	const modules = path.join(home, 'node_modules');
	const mediasoup = path.join(modules, 'mediasoup');
	place = path.join(mediasoup, 'worker', 'out', 'Release', 'mediasoup-worker');
	cache = path.join(home, 'cache');
	programs = path.join(home, 'bin');
	fs.mkdirSync(mediasoup, { recursive: true });
	fs.mkdirSync(programs);
	const { folder } = findMediasoup();
	for (const file of ['package.json', 'npm-scripts.mjs']) {
		fs.copyFileSync(path.join(folder, file), path.join(mediasoup, file));
	}
	for (const dependency of ['node-fetch', 'tar']) {
		fs.symlinkSync(path.join(repository, 'node_modules', dependency), path.join(modules, dependency));
	}
	fs.cpSync(path.join(repository, 'scripts', 'worker'), path.join(modules, 'sfu-rooms', 'scripts', 'worker'), {
		recursive: true,
	});
	makeDebianTools({ missing: [] });
	// In the place of build.sh: it gets the script, mediasoup's folder and where to write.
	makeProgram(path.join(programs, 'bash'), `cp "${makeWorker('built')}" "$3"`);
});

afterEach(() => {
	fs.rmSync(home, { recursive: true, force: true });
});

interface Result {
	status: number;
	stdout: string;
	stderr: string;
}

async function provide(
	args: string[] = [],
	{ uid, ...variables }: { uid?: number; [variable: string]: string | number | undefined } = {},
): Promise<Result> {
	const cli = path.join(home, 'node_modules', 'sfu-rooms', 'scripts', 'worker', 'cli.mjs');
	const env = {
		PATH: `${programs}:/usr/bin:/bin`,
		HOME: home,
		XDG_CACHE_HOME: cache,
		MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: '1',
		...variables,
	} as unknown as NodeJS.ProcessEnv;
	try {
		const node = uid === undefined ? process.execPath : nodeForAll();
		return { status: 0, ...(await run(node, [cli, ...args], { env, cwd: home, ...(uid && { uid }) })) };
	} catch (error) {
		const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
		return { status: code, stdout, stderr };
	}
}

/** A node that other users can run, too: the folder of this one may be closed to them. */
function nodeForAll(): string {
	const copy = path.join(programs, 'node-for-all');
	fs.mkdirSync(programs, { recursive: true });
	fs.copyFileSync(process.execPath, copy, fs.constants.COPYFILE_FICLONE);
	return copy;
}

function makeProgram(file: string, script: string): string {
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	return file;
}

/** Makes what passes for a worker that runs. The name tells it from others. */
function makeWorker(name: string, file = path.join(home, 'workers', name)): string {
	return makeProgram(file, `# ${name}\nexit 41`);
}

function assertWorkerInPlace(name: string): void {
	assert.equal(faultOf(place), undefined);
	assert.match(fs.readFileSync(place, 'utf8'), new RegExp(`^# ${name}$`, 'm'));
	assert.deepEqual(fs.readdirSync(path.dirname(place)), ['mediasoup-worker'], 'nothing is left beside the worker');
}

/** Makes a dpkg-query for which all packages are installed but these, and an apt-get that writes down how it is run. */
function makeDebianTools({ missing }: { missing: string[] }): void {
	makeProgram(
		path.join(programs, 'dpkg-query'),
		`[ "$1" = --version ] && exit
		for name; do
			case " ${missing.join(' ')} " in
			*" $name "*) ;;
			*) echo "$name installed" ;;
			esac
		done
		exit ${missing.length > 0 ? 1 : 0}`,
	);
	makeProgram(path.join(programs, 'apt-get'), `[ "$1" = --version ] || echo "$@" >> "${home}/apt-get.log"`);
}

const aptGetRuns = () => {
	const log = path.join(home, 'apt-get.log');
	return fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n') : [];
};

/** Builds a worker, so that the cache has it, and removes it from its place. */
async function fillCache(): Promise<string> {
	const { status, stderr } = await provide();
	assert.equal(status, 0, stderr);
	fs.rmSync(place);
	const [cached = ''] = fs
		.readdirSync(cache, { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('mediasoup-worker'));
	makeProgram(path.join(programs, 'bash'), 'exit 1');
	return path.join(cache, cached);
}

describe('sfu-rooms-worker', () => {
	it('explains itself', async () => {
		const { status, stdout, stderr } = await provide(['--help']);

		assert.equal(status, 0);
		assert.equal(stderr, '');
		for (const word of ['sfu-rooms-worker', '--install-packages', 'MEDIASOUP_WORKER_BIN', 'XDG_CACHE_HOME']) {
			assert.ok(stdout.includes(word), word);
		}
		assert.ok(!fs.existsSync(place), '--help provides nothing');
	});

	for (const argument of ['--instal-packages', 'build']) {
		it(`refuses ${argument}`, async () => {
			const { status, stderr } = await provide([argument]);

			assert.equal(status, 1);
			assert.ok(stderr.includes(argument), stderr);
			assert.ok(!fs.existsSync(place), 'nothing is provided');
		});
	}

	it('says that mediasoup is not installed', async () => {
		fs.rmSync(path.join(home, 'node_modules', 'mediasoup'), { recursive: true });
		const { status, stderr } = await provide();

		assert.equal(status, 1);
		assert.match(stderr, /mediasoup is not installed/);
	});
});

describe('a worker that is there', () => {
	it('is the one that MEDIASOUP_WORKER_BIN names', async () => {
		const real = findMediasoup().place;
		const worker = faultOf(real) === undefined ? real : makeWorker('named');
		const { status, stdout, stderr } = await provide([], { MEDIASOUP_WORKER_BIN: worker });

		assert.equal(status, 0, stderr);
		assert.ok(stdout.includes(worker), stdout);
		assert.ok(!fs.existsSync(place), 'nothing else is provided');
	});

	for (const [fault, script, reason] of [
		['exits with another status', 'exit 40', 'exit status 40'],
		['lacks a library', 'echo libuv.so.1: cannot open >&2; exit 127', 'exit status 127: libuv.so.1: cannot open'],
		['is killed', 'kill -ILL $$', 'SIGILL'],
	] as const) {
		it(`is refused when MEDIASOUP_WORKER_BIN names it and it ${fault}`, async () => {
			makeWorker('present', place);
			const worker = makeProgram(path.join(home, 'broken'), script);
			const { status, stderr } = await provide([], { MEDIASOUP_WORKER_BIN: worker });

			assert.equal(status, 1);
			assert.ok(stderr.includes(`${worker}: does not run: ${reason}.\n`), stderr);
		});
	}

	it('is refused when MEDIASOUP_WORKER_BIN names a file that is not there', async () => {
		const { status, stderr } = await provide([], { MEDIASOUP_WORKER_BIN: path.join(home, 'none') });

		assert.equal(status, 1);
		assert.match(stderr, /none: not there/);
	});

	it('stays in its place', async () => {
		makeWorker('present', place);
		const { status, stdout } = await provide();

		assert.equal(status, 0);
		assert.match(stdout, /already there/);
		assertWorkerInPlace('present');
	});

	it('is replaced when it does not run', async () => {
		makeProgram(place, 'exit 1');
		const { status, stdout } = await provide();

		assert.equal(status, 0);
		assert.match(stdout, /does not run: exit status 1/);
		assertWorkerInPlace('built');
	});
});

describe('the cache', () => {
	it('keeps what was built', async () => {
		await fillCache();
		const { status, stdout } = await provide();

		assert.equal(status, 0);
		assert.match(stdout, /from the cache/);
		assertWorkerInPlace('built');
	});

	it('serves runs at the same time, none of which meets a part of a worker', async () => {
		const cached = await fillCache();
		// Large enough to be seen half copied.
		fs.appendFileSync(cached, Buffer.alloc(64 * 1024 * 1024, '#'));
		const sizes = new Set<number | undefined>();
		const watch = setInterval(() => sizes.add(fs.statSync(place, { throwIfNoEntry: false })?.size), 1);
		const results = await Promise.all([provide(), provide(), provide()]);
		clearInterval(watch);

		assert.deepEqual(
			results.map(({ status, stderr }) => ({ status, stderr })),
			results.map(() => ({ status: 0, stderr: '' })),
		);
		sizes.delete(undefined);
		sizes.delete(fs.statSync(cached).size);
		assert.deepEqual([...sizes], [], 'sizes of parts');
		assertWorkerInPlace('built');
	});

	it('is not used for another mediasoup', async () => {
		await fillCache();
		const manifest = path.join(home, 'node_modules', 'mediasoup', 'package.json');
		fs.writeFileSync(manifest, fs.readFileSync(manifest, 'utf8').replace(/"version": "[^"]+"/, '"version": "3.99.0"'));
		const { status } = await provide();

		assert.equal(status, 1, 'it builds, which fails here');
		assert.ok(!fs.existsSync(place));
	});

	it('is not used after a change of the recipe', async () => {
		await fillCache();
		fs.appendFileSync(
			path.join(home, 'node_modules', 'sfu-rooms', 'scripts', 'worker', 'include', 'srtp.h'),
			'// changed\n',
		);
		const { status } = await provide();

		assert.equal(status, 1, 'it builds, which fails here');
		assert.ok(!fs.existsSync(place));
	});

	it('is not used when its worker does not run', async () => {
		makeProgram(await fillCache(), 'exit 127');
		makeProgram(path.join(programs, 'bash'), `cp "${makeWorker('rebuilt')}" "$3"`);
		const { status, stderr } = await provide();

		assert.equal(status, 0, stderr);
		assertWorkerInPlace('rebuilt');
	});

	it('may be out of reach', async () => {
		fs.writeFileSync(cache, 'a file where the folder should be');
		const { status, stdout } = await provide();

		assert.equal(status, 0);
		assert.match(stdout, /Kept no copy/);
		assertWorkerInPlace('built');
	});

	it('is asked again after packages were installed', { skip: !isRoot && 'not root' }, async () => {
		const library = path.join(home, 'library');
		makeProgram(await fillCache(), `[ -e "${library}" ] || exit 127\n# from the cache\nexit 41`);
		makeDebianTools({ missing: ['libuv1-dev'] });
		makeProgram(path.join(programs, 'apt-get'), `[ "$1" = --version ] || touch "${library}"`);
		const { status, stderr } = await provide(['--install-packages']);

		assert.equal(status, 0, stderr);
		assertWorkerInPlace('from the cache');
	});
});

describe("mediasoup's prebuilt worker", () => {
	let server: Server;
	let address: string;
	let archive: Buffer | 'none' | 'never';
	let redirect: string | undefined;
	const requests: string[] = [];

	before(async () => {
		server = createServer(({ url = '' }, response) => {
			requests.push(url);
			if (redirect !== undefined) {
				response.writeHead(302, { location: redirect }).end();
			} else if (archive === 'none') {
				response.writeHead(404).end();
			} else if (archive !== 'never') {
				response.end(archive);
			}
		}).listen(0, '127.0.0.1');
		await new Promise((resolve) => server.once('listening', resolve));
		address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	});

	after(() => {
		server.closeAllConnections();
		server.close();
	});

	beforeEach(() => {
		requests.length = 0;
	});

	const provideFromServer = (variables: Record<string, string | undefined> = {}) =>
		provide([], {
			SFU_ROOMS_WORKER_SHA256: Buffer.isBuffer(archive) ? sha256(archive) : '0'.repeat(64),
			MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: undefined,
			MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: address,
			...variables,
		});

	async function pack(script: string): Promise<Buffer> {
		const folder = path.join(home, 'prebuilt');
		makeProgram(path.join(folder, 'mediasoup-worker'), script);
		await run('tar', ['-czf', path.join(home, 'prebuilt.tgz'), '-C', folder, 'mediasoup-worker']);
		return fs.readFileSync(path.join(home, 'prebuilt.tgz'));
	}

	it('is put in its place', async () => {
		archive = await pack('# prebuilt\nexit 41');
		const { status, stdout, stderr } = await provideFromServer();

		assert.equal(status, 0, stderr);
		assert.match(stdout, /mediasoup's prebuilt$/m);
		assert.equal(requests.length, 1);
		assertWorkerInPlace('prebuilt');
		assert.ok(!fs.existsSync(cache), 'the cache is for what was built');
	});

	it('is neither unpacked nor run when its SHA-256 is another one', async () => {
		const traces = path.join(home, 'traces');
		archive = await pack(`echo ran >> "${traces}"; exit 41`);
		const { status, stdout } = await provideFromServer({ SFU_ROOMS_WORKER_SHA256: 'A'.repeat(64) });

		assert.equal(status, 0);
		assert.ok(stdout.includes(`Prebuilt worker: its SHA-256 is ${sha256(archive)}, and not ${'a'.repeat(64)}`), stdout);
		assert.ok(!fs.existsSync(traces));
		assertWorkerInPlace('built');
	});

	it('is not even asked for when no SHA-256 of it is known', async () => {
		archive = await pack('exit 41');
		const { status, stdout } = await provideFromServer({ SFU_ROOMS_WORKER_SHA256: undefined });

		assert.equal(status, 0);
		assert.match(
			stdout,
			/Prebuilt worker: no SHA-256 of mediasoup-worker-\S+\.tgz is known here; SFU_ROOMS_WORKER_SHA256/,
		);
		assert.deepEqual(requests, []);
		assertWorkerInPlace('built');
	});

	it('is known by the digest that this package has', async () => {
		archive = await pack('# prebuilt\nexit 41');
		const { version } = findMediasoup();
		const name = archiveName(version, platformOf(process.platform, process.arch, os.release()));
		const digests = path.join(home, 'node_modules', 'sfu-rooms', 'scripts', 'worker', 'digests.json');
		fs.writeFileSync(digests, JSON.stringify({ [name]: sha256(archive) }));
		const { status, stderr } = await provideFromServer({ SFU_ROOMS_WORKER_SHA256: undefined });

		assert.equal(status, 0, stderr);
		assert.deepEqual(requests, [`/${version}/${name}`]);
		assertWorkerInPlace('prebuilt');
	});

	for (const unsafe of ['http://192.0.2.1', 'http://localhost.example', 'ftp://localhost.example']) {
		it(`is not fetched from ${unsafe}`, async () => {
			archive = await pack('exit 41');
			const { status, stdout } = await provideFromServer({ MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: unsafe });

			assert.equal(status, 0);
			assert.match(stdout, /Prebuilt worker: (http|ftp):\/\/ is not safe: only https:\/\/ is/);
			assertWorkerInPlace('built');
		});
	}

	it('is not fetched over plain http after a redirect', async () => {
		archive = await pack('exit 41');
		redirect = 'http://192.0.2.1/worker.tgz';
		const { stdout } = await provideFromServer();
		redirect = undefined;

		assert.match(stdout, /Prebuilt worker: http:\/\/ is not safe/);
		assertWorkerInPlace('built');
	});

	it('is not used when it does not run', async () => {
		archive = await pack('exit 1');
		const { status, stdout } = await provideFromServer();

		assert.equal(status, 0);
		assert.match(stdout, /Prebuilt worker: does not run: exit status 1/);
		assertWorkerInPlace('built');
	});

	it("does not fall through to mediasoup's own build", async () => {
		archive = 'none';
		const log = path.join(home, 'python.log');
		for (const name of ['python', 'python3']) {
			makeProgram(path.join(programs, name), `echo "$@" >> "${log}"`);
		}
		const { status, stdout } = await provideFromServer();

		assert.equal(status, 0);
		assert.equal(requests.length, 1);
		assert.match(stdout, /Prebuilt worker: the server answers 404/);
		assert.ok(!fs.existsSync(log), 'Python was not run');
		assertWorkerInPlace('built');
	});

	it('is given up after a time', async () => {
		archive = 'never';
		const provider = path.join(home, 'node_modules', 'sfu-rooms', 'scripts', 'worker', 'prebuilt.mjs');
		const mediasoup = { folder: path.join(home, 'node_modules', 'mediasoup'), version: '3.27.1', place };
		const { stdout } = await run(
			process.execPath,
			[
				...['--input-type=module', '--eval'],
				`import { installPrebuilt } from ${JSON.stringify(pathToFileURL(provider))};
				console.log(await installPrebuilt(${JSON.stringify(mediasoup)}, 1500));`,
			],
			{ env: { MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: address, SFU_ROOMS_WORKER_SHA256: '0' } },
		);

		assert.equal(stdout, 'not there after 1.5 s\n');
		assert.deepEqual(fs.readdirSync(path.dirname(place)), []);
	});
});

describe('the build', () => {
	const command = /apt-get update && apt-get install -y --no-install-recommends libuv1-dev ninja-build$/m;

	it('runs when nothing else did, and is announced', async () => {
		const { status, stdout, stderr } = await provide();

		assert.equal(status, 0, stderr);
		assert.match(stdout, /about 4 minutes/);
		assert.match(stdout, /built from the sources/);
		assertWorkerInPlace('built');
		assert.deepEqual(aptGetRuns(), []);
	});

	it('fails without a trace', async () => {
		makeProgram(path.join(programs, 'bash'), 'exit 1');
		const { status, stderr } = await provide();

		assert.equal(status, 1);
		assert.match(stderr, /The build failed/);
		assert.deepEqual(fs.readdirSync(path.dirname(place)), []);
		assert.ok(!fs.existsSync(cache));
	});

	it('fails when its worker does not run', async () => {
		makeProgram(path.join(programs, 'bash'), `cp "${makeProgram(path.join(home, 'broken'), 'exit 7')}" "$3"`);
		const { status, stderr } = await provide();

		assert.equal(status, 1);
		assert.match(stderr, /exit status 7/);
		assert.ok(!fs.existsSync(place));
		assert.ok(!fs.existsSync(cache));
	});

	it('names the packages that it needs', async () => {
		makeDebianTools({ missing: ['libuv1-dev', 'ninja-build'] });
		const { status, stderr } = await provide();

		assert.equal(status, 1);
		assert.match(stderr, command);
		assert.match(stderr, /--install-packages/);
		assert.match(stderr, /MEDIASOUP_WORKER_BIN/);
		assert.deepEqual(aptGetRuns(), []);
		assert.ok(!fs.existsSync(place));
	});

	it('installs no packages for an ordinary user', async () => {
		makeDebianTools({ missing: ['libuv1-dev', 'ninja-build'] });
		const { status, stderr } = await provide(['--install-packages'], isRoot ? { uid: nobody } : {});

		assert.equal(status, 1);
		assert.match(stderr, command);
		assert.deepEqual(aptGetRuns(), []);
	});

	it('installs them for root when asked to', { skip: !isRoot && 'not root' }, async () => {
		makeDebianTools({ missing: ['libuv1-dev', 'ninja-build'] });
		const { status, stderr } = await provide(['--install-packages']);

		assert.equal(status, 0, stderr);
		const [update = '', install = '', ...others] = aptGetRuns();
		assert.match(update, / update$/);
		assert.match(install, / install -y --no-install-recommends libuv1-dev ninja-build$/);
		assert.deepEqual(others, []);
		assertWorkerInPlace('built');
	});

	for (const [answer, installs] of [
		['y', true],
		['n', false],
		['', false],
	] as const) {
		const what = installs ? 'installs them' : 'installs nothing';
		it(`${what} when the answer in a terminal is "${answer}"`, { skip: !isRoot && 'not root' }, async () => {
			makeDebianTools({ missing: ['libuv1-dev', 'ninja-build'] });
			const cli = path.join(home, 'node_modules', 'sfu-rooms', 'scripts', 'worker', 'cli.mjs');
			const env = { PATH: `${programs}:/usr/bin:/bin`, HOME: home, MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: '1' };
			// Gives the program a terminal.
			const child = spawn('script', ['-qec', `"${process.execPath}" "${cli}"`, '/dev/null'], { env, cwd: home });
			let output = '';
			child.stdout.on('data', (text: Buffer) => {
				const asked = output.includes('[y/N]');
				output += String(text);
				if (!asked && output.includes('[y/N]')) child.stdin.write(`${answer}\n`);
			});
			const [status] = (await once(child, 'exit')) as [number];
			assert.match(output, /apt-get update && apt-get install -y --no-install-recommends libuv1-dev ninja-build/);
			assert.deepEqual([status, aptGetRuns().length], installs ? [0, 2] : [1, 0], output);
		});
	}

	it('says why packages could not be installed', { skip: !isRoot && 'not root' }, async () => {
		makeDebianTools({ missing: ['libuv1-dev'] });
		makeProgram(
			path.join(programs, 'apt-get'),
			'[ "$1" = --version ] && exit; echo "E: Unable to locate" >&2; exit 100',
		);
		const { status, stderr } = await provide(['--install-packages']);

		assert.equal(status, 1);
		assert.match(stderr, /could not install libuv1-dev/);
		assert.match(stderr, /E: Unable to locate/);
	});

	it('is for Debian only', async () => {
		const { status, stderr } = await provide([], { PATH: path.join(home, 'empty') });

		assert.equal(status, 1);
		assert.match(stderr, /no dpkg-query and apt-get/);
		assert.match(stderr, /MEDIASOUP_WORKER_BIN/);
	});
});
