#!/usr/bin/env node
import process from 'node:process';
import { parseArgs } from 'node:util';

import { buildWorker, provideBuildPackages } from './build.mjs';
import { cachedWorker, faultOf, findMediasoup, installWorker } from './locate.mjs';
import { installPrebuilt } from './prebuilt.mjs';

const HELP = `Usage: sfu-rooms-worker [--install-packages]

Provides the worker of mediasoup, the program that carries the media. It takes the first of these that runs here:

1. the worker that the environment variable MEDIASOUP_WORKER_BIN names
2. the one that is already where mediasoup looks for it
3. one that an earlier run built, from the cache in $XDG_CACHE_HOME or ~/.cache
4. the one that mediasoup's authors have built, if its SHA-256 is known: this package has those of its mediasoup, and
   SFU_ROOMS_WORKER_SHA256 may have another one; MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL says where else it is
5. one that it builds from the sources in mediasoup's npm package, against Debian's libraries; on two cores that takes
   about 4 minutes

Options:
  --install-packages  install the Debian packages that the build needs and that are missing, with apt-get, as root;
                      without it they are installed only after a question in a terminal
  --help              show this

The exit status is 0 when there is a worker, and 1 otherwise.
`;

const PREBUILT_TIMEOUT = 90_000;

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** @param {boolean} mayInstallPackages */
async function provideWorker(mayInstallPackages) {
	const configured = process.env.MEDIASOUP_WORKER_BIN;
	if (configured) {
		const fault = faultOf(configured);
		if (fault) {
			throw new Error(
				`MEDIASOUP_WORKER_BIN names ${configured}: ${fault}.\nName another worker, or unset it to have one provided.`,
			);
		}
		return `${configured}, as MEDIASOUP_WORKER_BIN says`;
	}

	const mediasoup = findMediasoup();
	const { folder, version, place } = mediasoup;
	say(`mediasoup ${version} in ${folder}`);
	const presentFault = faultOf(place);
	if (!presentFault) {
		return `${place}, already there`;
	}
	say(`Worker in place: ${presentFault}`);

	const cached = cachedWorker(mediasoup);
	const takeCached = () => {
		const fault = faultOf(cached);
		say(`Worker in the cache (${cached}): ${fault ?? 'runs'}`);
		if (!fault) {
			installWorker(cached, place);
		}
		return !fault;
	};
	if (takeCached()) {
		return `${place}, from the cache`;
	}

	say("Looking for mediasoup's prebuilt worker");
	const prebuiltFault = await installPrebuilt(mediasoup, PREBUILT_TIMEOUT);
	if (!prebuiltFault) {
		return `${place}, mediasoup's prebuilt`;
	}
	say(`Prebuilt worker: ${prebuiltFault}`);

	// The libraries that a cached worker lacked may just have come.
	if ((await provideBuildPackages(mayInstallPackages, say)).length > 0 && takeCached()) {
		return `${place}, from the cache`;
	}
	say("Building the worker from mediasoup's sources. On two cores this takes about 4 minutes.");
	buildWorker(mediasoup, cached, say);
	return `${place}, built from the sources`;
}

try {
	const { values } = parseArgs({
		options: { 'install-packages': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
	});
	if (values.help) {
		process.stdout.write(HELP);
	} else {
		say(`The worker is ready: ${await provideWorker(values['install-packages'])}`);
	}
} catch (error) {
	process.stderr.write(`sfu-rooms-worker: ${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
