import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * The address that the SFU announces. Firefox gathers candidates only where there is a default route, and never from
 * loopback: scripts/namespace.sh makes an interface with an address and such a route, which browsers and SFU share.
 */
export const mediaAddress = process.env.SFU_TEST_ADDRESS ?? '127.0.0.1';

/**
 * Where media comes and goes by UDP alone, for links that are narrowed and packets that are dropped. Firefox nominates each
 * pair of candidates that answers, and the worker sends to the one that was nominated last, be it of TCP.
 */
export const overUdp = { ip: mediaAddress, protocols: ['udp' as const] };

const noNamespace = 'needs the network namespace of scripts/test.mjs';

/** For node:test's `skip`: why Firefox cannot reach the SFU here, or false. */
export const firefoxCannotConnect = mediaAddress === '127.0.0.1' && `Firefox has no loopback candidate: ${noNamespace}`;

/** For node:test's `skip`: why a link cannot be narrowed here, or false. */
export const cannotShape =
	(process.env.SFU_TEST_NAMESPACE !== '1' && `a narrow link ${noNamespace}`) ||
	(!existsSync('/usr/sbin/tc') && 'a narrow link needs tc, which is not installed');

/**
 * Lets no more than so many kbit/s through to a UDP port of this host, until `stop()`. What is sent between two addresses
 * of one host goes over its loopback interface. What waits longer than 200 ms is dropped.
 */
export function limitIncoming({ kilobits, udpPort }: { kilobits: number; udpPort: number }) {
	// The rule must never reach the network of the machine itself.
	if (cannotShape) throw new Error(cannotShape);
	if (udpPort === 0) throw new Error('not connected yet');
	const tc = (...commands: string[]) => {
		for (const command of commands) execFileSync('/usr/sbin/tc', command.split(' '));
	};
	const queue = (rate: number) => `dev lo parent 1:3 handle 30: tbf rate ${rate}kbit burst 2kb latency 200ms`;
	tc(
		// What no filter sends to the class is not limited.
		'qdisc add dev lo root handle 1: htb default 0',
		'class add dev lo parent 1: classid 1:3 htb rate 1gbit quantum 60000',
		`qdisc add ${queue(kilobits)}`,
		`filter add dev lo parent 1: protocol ip u32 match ip protocol 17 0xff match ip dport ${udpPort} 0xffff flowid 1:3`,
	);
	return {
		change(rate: number) {
			tc(`qdisc change ${queue(rate)}`);
		},
		stop() {
			tc('qdisc del dev lo root');
		},
	};
}

/** For node:test's `skip`: why packets cannot be dropped here, or false. */
export const cannotDropPackets =
	(process.env.SFU_TEST_NAMESPACE !== '1' && `packet loss ${noNamespace}`) ||
	(!existsSync('/usr/sbin/nft') && 'packet loss needs nft, which is not installed');

/**
 * Drops a share of the UDP packets that arrive at a port, until `stop()`. On input, because a packet dropped on output
 * fails the sender's system call.
 *
 * @param options - `of`: whether the port is that where they arrive, or that from which they are sent; default: the former
 */
export function dropIncoming({
	percent,
	udpPort,
	of = 'receiver',
}: {
	percent: number;
	udpPort: number;
	of?: 'receiver' | 'sender';
}) {
	// The rule must never reach the network of the machine itself.
	if (cannotDropPackets) throw new Error(cannotDropPackets);
	if (udpPort === 0) throw new Error('not connected yet');
	const table = `sfu_test_${udpPort}`;
	const nft = (commands: string) => execFileSync('/usr/sbin/nft', [commands]);
	nft(`table inet ${table} {
		chain input {
			type filter hook input priority 0;
			udp ${of === 'sender' ? 'sport' : 'dport'} ${udpPort} ${percent < 100 ? `numgen random mod 100 < ${percent}` : ''} drop
		}
	}`);
	return {
		stop() {
			nft(`delete table inet ${table}`);
		},
	};
}
