import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/**
 * A mediasoup package and the place where it looks for its worker.
 *
 * @typedef {{ folder: string, version: string, place: string }} Mediasoup
 */

/**
 * Finds mediasoup as installed for this library, or else for the current directory.
 *
 * @returns {Mediasoup}
 */
export function findMediasoup() {
	for (const from of [import.meta.url, path.join(process.cwd(), 'any.js')]) {
		// Not resolve('mediasoup/package.json'), which mediasoup does not export.
		for (const modules of createRequire(from).resolve.paths('mediasoup') ?? []) {
			const manifest = path.join(modules, 'mediasoup', 'package.json');
			if (fs.existsSync(manifest)) {
				const folder = fs.realpathSync(path.dirname(manifest));
				/** @type {unknown} */
				const parsed = JSON.parse(fs.readFileSync(manifest, 'utf8'));
				const { version } = /** @type {{ version: string }} */ (parsed);
				return { folder, version, place: path.join(folder, 'worker', 'out', 'Release', workerName) };
			}
		}
	}
	throw new Error('mediasoup is not installed: run this where the package that depends on it is installed.');
}

export const workerName = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';

/**
 * Says why a worker is of no use, or nothing when it runs. Started with an empty environment, a worker that runs exits
 * with status 41: mediasoup checks its prebuilt workers in the same way.
 *
 * @param {string} worker
 * @returns {string | undefined}
 */
export function faultOf(worker) {
	const { error, status, signal, stderr } = spawnSync(worker, { env: {}, encoding: 'utf8', timeout: 10_000 });
	if (status === 41) {
		return undefined;
	}
	if (error && !fs.existsSync(worker)) {
		return 'not there';
	}
	// Where a shared library is missing, the dynamic linker names it on stderr.
	const [complaint] = error ? [error.message] : stderr.trim().split('\n');
	return ['does not run', signal ?? (status !== null && `exit status ${status}`), complaint].filter(Boolean).join(': ');
}

/**
 * Puts a worker somewhere at once: whoever looks sees the old file or the new one, never a part of it.
 *
 * @param {string} worker
 * @param {string} place
 */
export function installWorker(worker, place) {
	fs.mkdirSync(path.dirname(place), { recursive: true });
	const temporary = temporaryBeside(place);
	try {
		fs.copyFileSync(worker, temporary);
		fs.chmodSync(temporary, 0o755);
		fs.renameSync(temporary, place);
	} finally {
		fs.rmSync(temporary, { force: true });
	}
}

/**
 * A name of our own on the file system of `place`.
 *
 * @param {string} place
 */
export function temporaryBeside(place) {
	return `${place}.${randomUUID()}`;
}

/**
 * Where a worker that was built for this mediasoup on this kind of system is kept.
 *
 * @param {Mediasoup} mediasoup
 */
export function cachedWorker({ version }) {
	const configured = process.env.XDG_CACHE_HOME;
	const caches = configured && path.isAbsolute(configured) ? configured : path.join(os.homedir(), '.cache');
	const key = [version, process.platform, process.arch, distribution(), recipeHash()].join('-');
	return path.join(caches, 'sfu-rooms', key, workerName);
}

/** The distribution and its release: a built worker needs the shared libraries of just that one. */
function distribution() {
	let release = '';
	try {
		release = fs.readFileSync('/etc/os-release', 'utf8');
	} catch {
		return os.release();
	}
	/** @param {string} name */
	const field = (name) => new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(release)?.[1];
	return `${field('ID') ?? 'linux'}-${field('VERSION_ID') ?? field('VERSION_CODENAME') ?? 'rolling'}`;
}

/** Changes whenever a build would be another one. */
function recipeHash() {
	const hash = createHash('sha256');
	for (const name of ['build.sh', ...fs.readdirSync(inThisFolder('include'), { recursive: true }).sort()]) {
		const file = name === 'build.sh' ? inThisFolder(name) : inThisFolder('include', String(name));
		if (fs.statSync(file).isFile()) {
			hash.update(`${String(name)}\0`).update(fs.readFileSync(file));
		}
	}
	return hash.digest('hex').slice(0, 16);
}

/** @param {string[]} names */
export function inThisFolder(...names) {
	return path.join(import.meta.dirname, ...names);
}
