/* global AbortSignal, Buffer, URL, fetch */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { faultOf, inThisFolder, installWorker, temporaryBeside, workerName } from './locate.mjs';

/** @typedef {import('./locate.mjs').Mediasoup} Mediasoup */

const longest = 200 * 1024 * 1024;
const mostRedirects = 5;

/**
 * Downloads the worker that mediasoup's authors built, if its SHA-256 is known. What differs from it is neither unpacked nor
 * run. Says why there is none, or nothing when it is in place.
 *
 * @param {Mediasoup} mediasoup
 * @param {number} timeout in milliseconds
 * @returns {Promise<string | undefined>}
 */
export async function installPrebuilt({ folder, version, place }, timeout) {
	const { env } = process;
	if (
		(env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD || env.MEDIASOUP_LOCAL_DEV) &&
		!env.MEDIASOUP_FORCE_WORKER_PREBUILT_DOWNLOAD
	) {
		return 'skipped, as mediasoup is told by its environment variables';
	}
	const name = archiveName(version, platformOf(process.platform, process.arch, os.release()));
	const digest = (env.SFU_ROOMS_WORKER_SHA256 ?? knownDigests()[name])?.toLowerCase();
	if (digest === undefined) {
		return `no SHA-256 of ${name} is known here; SFU_ROOMS_WORKER_SHA256 may have that of an archive that you trust`;
	}
	// It lies beside the place because the temporary directory may forbid to execute.
	const scratch = temporaryBeside(place);
	fs.mkdirSync(scratch, { recursive: true });
	try {
		const address = `${env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ?? releasesOf(folder)}/${version}/${name}`;
		const archive = await download(address, timeout);
		const found = createHash('sha256').update(archive).digest('hex');
		if (found !== digest) return `its SHA-256 is ${found}, and not ${digest}`;
		fs.writeFileSync(path.join(scratch, 'archive.tgz'), archive);
		const { error, status, stderr } = spawnSync('tar', ['-xzf', 'archive.tgz', workerName], {
			cwd: scratch,
			encoding: 'utf8',
		});
		if (error || status !== 0) return `it could not be unpacked: ${error?.message ?? stderr.trim()}`;
		const worker = path.join(scratch, workerName);
		fs.chmodSync(worker, 0o755);
		const fault = faultOf(worker);
		if (fault) return fault;
		installWorker(worker, place);
		return undefined;
	} catch (error) {
		return reasonOf(error, timeout);
	} finally {
		fs.rmSync(scratch, { recursive: true, force: true });
	}
}

/**
 * The digests of archives by their names: `scripts/pinWorkers.mjs` writes them.
 *
 * @returns {Partial<Record<string, string>>}
 */
function knownDigests() {
	/** @type {unknown} */
	const parsed = JSON.parse(fs.readFileSync(inThisFolder('digests.json'), 'utf8'));
	return /** @type {Record<string, string>} */ (parsed);
}

/**
 * What mediasoup calls a platform in the name of an archive.
 *
 * @param {string} platform
 * @param {string} arch
 * @param {string} release of the kernel
 */
export function platformOf(platform, arch, release) {
	const kernel = platform === 'linux' ? `-kernel${release.split('.')[0]}` : '';
	return `${platform}-${arch}${kernel}`;
}

/**
 * @param {string} version
 * @param {string} platform
 */
export function archiveName(version, platform) {
	return `mediasoup-worker-${version}-${platform}.tgz`;
}

/**
 * Where mediasoup has its releases.
 *
 * @param {string} folder
 */
export function releasesOf(folder) {
	/** @type {unknown} */
	const parsed = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
	const { repository } = /** @type {{ repository: { url: string } }} */ (parsed);
	return `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
}

/**
 * @param {string} address
 * @param {number} timeout in milliseconds
 */
export async function download(address, timeout) {
	const signal = AbortSignal.timeout(timeout);
	let response = await request(address, signal);
	for (let hop = 0; hop < mostRedirects && response.status >= 300 && response.status < 400; hop++) {
		response = await request(new URL(response.headers.get('location') ?? '', response.url).href, signal);
	}
	if (!response.ok) throw new Error(`the server answers ${response.status}`);
	if (Number(response.headers.get('content-length')) > longest) throw new Error(`it is longer than ${longest} bytes`);
	return Buffer.from(await response.arrayBuffer());
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
function request(address, signal) {
	const { protocol, hostname } = new URL(address);
	const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
	if (protocol !== 'https:' && !isLoopback) throw new Error(`${protocol}// is not safe: only https:// is`);
	return fetch(address, { signal, redirect: 'manual' });
}

/**
 * @param {unknown} error
 * @param {number} timeout in milliseconds
 */
function reasonOf(error, timeout) {
	if (!(error instanceof Error)) return String(error);
	if (error.name === 'TimeoutError') return `not there after ${timeout / 1000} s`;
	return error.cause instanceof Error ? error.cause.message : error.message;
}
