/**
 * Makes sure that what the tests use besides the worker is there: installs it as root on Debian, or else says what is
 * missing and which tests will be skipped. Never fails.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

import { hasDebianPackages, installCommand, installPackages, isRoot, missingPackages } from './worker/debian.mjs';

/** Things the tests use: the Debian packages, a command that succeeds when they are there, and the tests that need them. */
const NEEDS = [
	{ packages: ['chromium'], command: ['chromium', '--version'], tests: 'the tests with Chromium' },
	{ packages: ['firefox-esr'], command: ['firefox-esr', '--version'], tests: 'the tests with Firefox' },
	{
		packages: [
			'gstreamer1.0-nice',
			'gstreamer1.0-plugins-bad',
			'gstreamer1.0-plugins-base',
			'gstreamer1.0-plugins-good',
			'gstreamer1.0-plugins-ugly',
			'gir1.2-gst-plugins-bad-1.0',
			'python3-gi',
		],
		command: ['/usr/bin/python3', '-B', 'test/clients/gstreamer_client.py'],
		tests: 'the tests with GStreamer',
	},
	{
		packages: ['python3-aiortc'],
		command: ['/usr/bin/python3', '-B', 'test/clients/aiortc_client.py'],
		tests: 'the tests with aiortc',
	},
	{
		packages: ['python3-prometheus-client'],
		command: ['/usr/bin/python3', '-c', 'import prometheus_client'],
		tests: "the tests with Prometheus' parser",
	},
	{ packages: ['redis-server'], command: ['redis-server', '--version'], tests: 'the tests with Redis' },
	{ packages: ['nats-server'], command: ['/usr/sbin/nats-server', '--version'], tests: 'the tests with NATS' },
	{ packages: ['coturn'], command: ['turnserver', '--version'], tests: 'the tests with a TURN server' },
	{ packages: ['nftables'], command: ['nft', '--version'], tests: 'the tests with packet loss' },
	{
		packages: ['iproute2'],
		command: ['ip', '-Version'],
		tests: 'the tests that need a network namespace, which all clients but Chromium do',
	},
];

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** @param {string[]} command */
const succeeds = ([program = '', ...args]) =>
	spawnSync(program, args, { cwd: path.join(import.meta.dirname, '..'), input: '' }).status === 0;

if (hasDebianPackages()) {
	const missing = missingPackages(NEEDS.flatMap(({ packages }) => packages));
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

for (const { packages, command, tests } of NEEDS) {
	const names = packages.join(' ');
	say(succeeds(command) ? `There: ${names}` : `Missing: ${names}. ${tests} will be skipped`);
}
