import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mediaAddress } from './namespace.js';

/** The address of the TURN server, and of what it relays. It is on a network of its own, in a namespace of its own. */
export const turnAddress = '10.78.0.2';
const ourAddress = '10.78.0.1';

/** For node:test's `skip`: why there is no TURN server here, or false. */
export const noTurn =
	(!existsSync('/usr/bin/turnserver') && 'needs coturn, which is not installed: node scripts/clients.mjs') ||
	(process.env.SFU_TEST_NAMESPACE !== '1' && 'a TURN server needs the network namespace of scripts/test.mjs');

const running = new Set<ChildProcess>();
process.once('exit', () => {
	for (const child of running) child.kill('SIGKILL');
});

/** Waits for its network, and becomes coturn. */
const script = `
	echo there
	read -r
	ip link set lo up
	ip address add ${turnAddress}/24 dev turn1
	ip link set turn1 up
	ip route add default via ${ourAddress}
	exec turnserver "$@"
`;

/** Starts coturn with a secret for time-limited credentials, one veth away from this namespace. */
export async function startTurnServer(secret: string) {
	// The network of the machine itself must never change.
	if (noTurn) throw new Error(noTurn);
	const folder = await mkdtemp(join(tmpdir(), 'sfu-turn-'));
	const log: string[] = [];
	const child = spawn('unshare', ['--net', 'bash', '-euc', script, 'turn', ...coturnOptions(secret, folder)], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	running.add(child);
	const ended = once(child, 'exit');
	child.stdout.on('data', (data: Buffer) => log.push(data.toString()));
	await once(child.stdout, 'data');
	const ip = (command: string) => execFileSync('ip', command.split(' '));
	ip(`link add turn0 type veth peer name turn1 netns ${child.pid}`);
	ip(`address add ${ourAddress}/24 dev turn0`);
	ip('link set turn0 up');
	child.stdin.write('\n');
	await untilListening(log);
	return {
		urls: `turn:${turnAddress}:3478?transport=udp`,
		/** What it has written. */
		get log() {
			return log.join('');
		},
		async stop() {
			child.kill('SIGKILL');
			await ended;
			running.delete(child);
			await rm(folder, { recursive: true });
		},
	};
}

const coturnOptions = (secret: string, folder: string) => [
	...['-n', '--verbose', '--log-file=stdout', '--no-cli', '--no-tls', '--no-dtls', '--no-rfc5780'],
	...['--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=test'],
	...[`--listening-ip=${turnAddress}`, `--relay-ip=${turnAddress}`, `--allowed-peer-ip=${mediaAddress}`],
	...[`--userdb=${join(folder, 'turndb')}`, `--pidfile=${join(folder, 'pid')}`],
];

async function untilListening(log: string[]): Promise<void> {
	const deadline = Date.now() + 30_000;
	for (;;) {
		const socket = connect(3478, turnAddress);
		const isThere = await once(socket, 'connect').then(
			() => true,
			() => false,
		);
		socket.destroy();
		if (isThere) return;
		if (Date.now() > deadline) throw new Error(`the TURN server does not listen: ${log.join('')}`);
		await sleep(50);
	}
}
