/**
 * Writes the SHA-256 of each worker that mediasoup's authors have built for the installed version, so that
 * `sfu-rooms-worker` takes these and no others. Run it where mediasoup's releases can be reached, whenever the version of
 * mediasoup changes, and compare what it prints with what the page of the release says.
 *
 *     node scripts/pinWorkers.mjs
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import { findMediasoup } from './worker/locate.mjs';
import { archiveName, download, releasesOf } from './worker/prebuilt.mjs';

const platforms = ['linux-x64-kernel6', 'linux-arm64-kernel6', 'darwin-x64', 'darwin-arm64', 'win32-x64'];

const { folder, version } = findMediasoup();
const base = process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ?? releasesOf(folder);
/** @type {Record<string, string>} */
const digests = {};
for (const platform of platforms) {
	const name = archiveName(version, platform);
	try {
		const archive = await download(`${base}/${version}/${name}`, 120_000);
		digests[name] = createHash('sha256').update(archive).digest('hex');
		process.stdout.write(`${digests[name]}  ${name}\n`);
	} catch (error) {
		process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
	}
}
if (Object.keys(digests).length === 0) process.exit(1);
fs.writeFileSync(
	path.join(import.meta.dirname, 'worker', 'digests.json'),
	`${JSON.stringify(digests, undefined, '\t')}\n`,
);
