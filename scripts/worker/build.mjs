import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';

import { hasDebianPackages, installCommand, installPackages, isRoot, missingPackages } from './debian.mjs';
import { faultOf, inThisFolder, installWorker, temporaryBeside } from './locate.mjs';

/** @typedef {import('./locate.mjs').Mediasoup} Mediasoup */

/** What build.sh needs. */
const PACKAGES = [
	'flatbuffers-compiler',
	'g++',
	'libabsl-dev',
	'libflatbuffers-dev',
	'libsrtp2-dev',
	'libssl-dev',
	'libuv1-dev',
	'ninja-build',
	'pkgconf',
];

const ALTERNATIVE =
	"Or set MEDIASOUP_WORKER_BIN to a mediasoup-worker that runs here, or SFU_ROOMS_WORKER_SHA256 to the SHA-256 of an archive of mediasoup's that you trust.";

/**
 * Makes sure that the packages for a build are there. Returns those that it installed. It installs none without consent.
 *
 * @param {boolean} mayInstall
 * @param {(line: string) => void} say
 */
export async function provideBuildPackages(mayInstall, say) {
	if (!hasDebianPackages()) {
		throw new Error(
			`This system has no dpkg-query and apt-get: the build is made for Debian and its relatives only.\n${ALTERNATIVE}`,
		);
	}
	const missing = missingPackages(PACKAGES);
	if (missing.length > 0) {
		const command = installCommand(missing);
		if (!isRoot() || !(mayInstall || (await isAgreed(command)))) {
			throw new Error(
				[
					`The build needs Debian packages that are not installed. As root, run\n\n\t${command}\n`,
					mayInstall
						? 'and start this again, or start it as root: then --install-packages does that.'
						: 'and start this again, or start it as root with --install-packages.',
					ALTERNATIVE,
				].join('\n'),
			);
		}
		say(`Running ${command}`);
		installPackages(missing);
	}
	return missing;
}

/**
 * Asks in a terminal whether a command may be run. Without a terminal nobody has agreed.
 *
 * @param {string} command
 */
async function isAgreed(command) {
	if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
	const terminal = createInterface({ input: process.stdin, output: process.stdout });
	try {
		const answer = await terminal.question(`The build needs Debian packages. Run this now?\n\n\t${command}\n\n[y/N] `);
		return /^y(es)?$/i.test(answer.trim());
	} finally {
		terminal.close();
	}
}

/**
 * Builds a worker from mediasoup's sources into its place, and keeps a copy.
 *
 * @param {Mediasoup} mediasoup
 * @param {string} cache
 * @param {(line: string) => void} say
 */
export function buildWorker({ folder, place }, cache, say) {
	// Before the build, which takes long: the place may not be writable.
	fs.mkdirSync(path.dirname(place), { recursive: true });
	const built = temporaryBeside(place);
	try {
		const { status } = spawnSync('bash', [inThisFolder('build.sh'), folder, built], {
			stdio: ['ignore', 'inherit', 'inherit'],
		});
		if (status !== 0) {
			throw new Error(`The build failed: see above.\n${ALTERNATIVE}`);
		}
		const fault = faultOf(built);
		if (fault) {
			throw new Error(`The worker that was built ${fault}.\n${ALTERNATIVE}`);
		}
		installWorker(built, place);
		try {
			installWorker(built, cache);
			say(`Kept a copy in ${cache}`);
		} catch (error) {
			say(`Kept no copy for the next time: ${error instanceof Error ? error.message : String(error)}`);
		}
	} finally {
		fs.rmSync(built, { force: true });
	}
}
