import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';

import { faultOf, installWorker, temporaryBeside, workerName } from './locate.mjs';

/** @typedef {import('./locate.mjs').Mediasoup} Mediasoup */

/**
 * Lets mediasoup's own install script download the worker that mediasoup's authors built. Says why there is none, or
 * nothing when it is in place.
 *
 * @param {Mediasoup} mediasoup
 * @param {number} timeout in milliseconds
 * @returns {string | undefined}
 */
export function installPrebuilt({ folder, place }, timeout) {
	const { env } = process;
	if (
		(env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD || env.MEDIASOUP_LOCAL_DEV) &&
		!env.MEDIASOUP_FORCE_WORKER_PREBUILT_DOWNLOAD
	) {
		return 'skipped, as mediasoup is told by its environment variables';
	}
	// The script writes into the current directory: it gets one of its own, so that nobody meets a worker that is still
	// being written. It lies beside the place because the temporary directory may forbid to execute.
	const scratch = temporaryBeside(place);
	fs.mkdirSync(scratch, { recursive: true });
	try {
		const { error, stdout, stderr } = spawnSync(
			process.execPath,
			[path.join(folder, 'npm-scripts.mjs'), 'postinstall'],
			{
				cwd: scratch,
				// After a failed download the script would build with Python and what Python downloads: not with this one.
				// Nor at once because of where npm got the package that is being installed just now.
				env: { ...env, PYTHON: 'false', npm_package_resolved: undefined },
				encoding: 'utf8',
				timeout,
				killSignal: 'SIGKILL',
				maxBuffer: Infinity,
			},
		);
		if (error) {
			return 'code' in error && error.code === 'ETIMEDOUT' ? `not there after ${timeout / 1000} s` : error.message;
		}
		const worker = path.join(scratch, 'worker', 'out', 'Release', workerName);
		const fault = faultOf(worker);
		if (!fault) {
			installWorker(worker, place);
			return undefined;
		}
		return reasonIn(stdout + stderr) ?? fault;
	} finally {
		fs.rmSync(scratch, { recursive: true, force: true });
	}
}

/**
 * What the script says about the download that failed, without colours, its name and the address.
 *
 * @param {string} output
 */
function reasonIn(output) {
	const reason = /downloadPrebuiltWorker\(\) \| (?!got|checking)(.*)/.exec(stripVTControlCharacters(output))?.[1];
	return reason?.replace(/FetchError: request to \S+ failed, reason: /, '');
}
