/**
 * Makes sure that what the tests use besides the worker is there: installs it as root on Debian, or else says what is
 * missing and which tests will be skipped. Never fails.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';

import { hasDebianPackages, installCommand, installPackages, isRoot, missingPackages } from './worker/debian.mjs';

/** For each Debian package its command, and the tests that need it. */
const NEEDS = [
	{ name: 'chromium', command: 'chromium', tests: 'the tests with Chromium' },
	{ name: 'firefox-esr', command: 'firefox-esr', tests: 'the tests with Firefox' },
	{ name: 'nftables', command: 'nft', tests: 'the tests with packet loss' },
	{ name: 'iproute2', command: 'ip', tests: 'the tests that need a network namespace, Firefox among them' },
];

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** @param {string} command */
const runs = (command) => spawnSync(command, ['--version']).error === undefined;

if (hasDebianPackages()) {
	const missing = missingPackages(NEEDS.map(({ name }) => name));
	if (missing.length > 0 && isRoot()) {
		say(`Running ${installCommand(missing)}`);
		try {
			installPackages(missing);
		} catch (error) {
			say(error instanceof Error ? error.message : String(error));
		}
	} else if (missing.length > 0) {
		say(`To install what is missing, run as root: ${installCommand(missing)}`);
	}
}

for (const { name, command, tests } of NEEDS) {
	say(runs(command) ? `${name} is there` : `${name} is missing: ${tests} will be skipped`);
}
