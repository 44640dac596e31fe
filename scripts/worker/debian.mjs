import { spawnSync } from 'node:child_process';
import process from 'node:process';

/** Whether this system's packages can be asked for and installed the Debian way. */
export function hasDebianPackages() {
	return ['dpkg-query', 'apt-get'].every((tool) => spawnSync(tool, ['--version']).status === 0);
}

/**
 * The packages among the given ones that are not installed.
 *
 * @param {string[]} packages
 */
export function missingPackages(packages) {
	// The exit status is 1 as soon as one is unknown; the others are listed all the same.
	const { stdout } = spawnSync('dpkg-query', ['--show', '--showformat=${Package} ${db:Status-Status}\n', ...packages], {
		encoding: 'utf8',
	});
	const installed = new Set(stdout.split('\n'));
	return packages.filter((name) => !installed.has(`${name} installed`));
}

export function isRoot() {
	return process.getuid?.() === 0;
}

/**
 * What a person types to install these packages.
 *
 * @param {string[]} packages
 */
export function installCommand(packages) {
	return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/**
 * Installs packages, as root. Throws with the end of apt-get's output when it fails.
 *
 * @param {string[]} packages
 */
export function installPackages(packages) {
	// An update fails when any one of the configured sources cannot be had: the others may well do.
	aptGet('update');
	const { ok, output } = aptGet('install', '-y', '--no-install-recommends', ...packages);
	if (!ok) {
		throw new Error(
			`apt-get could not install ${packages.join(' ')}:\n${output.trim().split('\n').slice(-20).join('\n')}`,
		);
	}
}

/** @param {string[]} options */
function aptGet(...options) {
	const { status, stdout, stderr } = spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...options], {
		env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
		encoding: 'utf8',
		maxBuffer: Infinity,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	return { ok: status === 0, output: stdout + stderr };
}
