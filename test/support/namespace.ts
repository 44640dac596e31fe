import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * The address that the SFU announces. Firefox gathers candidates only where there is a default route, and never from
 * loopback: scripts/namespace.sh makes an interface with an address and such a route, which browsers and SFU share.
 */
export const mediaAddress = process.env.SFU_TEST_ADDRESS ?? '127.0.0.1';

const noNamespace = 'needs the network namespace of scripts/test.mjs';

/** For node:test's `skip`: why Firefox cannot reach the SFU here, or false. */
export const firefoxCannotConnect = mediaAddress === '127.0.0.1' && `Firefox has no loopback candidate: ${noNamespace}`;

/** For node:test's `skip`: why packets cannot be dropped here, or false. */
export const cannotDropPackets =
	(process.env.SFU_TEST_NAMESPACE !== '1' && `packet loss ${noNamespace}`) ||
	(!existsSync('/usr/sbin/nft') && 'packet loss needs nft, which is not installed');

/**
 * Drops a share of the UDP packets that arrive at a port, until `stop()`. On input, because a packet dropped on output
 * fails the sender's system call.
 */
export function dropIncoming({ percent, udpPort }: { percent: number; udpPort: number }) {
	// The rule must never reach the network of the machine itself.
	if (cannotDropPackets) throw new Error(cannotDropPackets);
	if (udpPort === 0) throw new Error('not connected yet');
	const table = `sfu_test_${udpPort}`;
	const nft = (commands: string) => execFileSync('/usr/sbin/nft', [commands]);
	nft(`table inet ${table} {
		chain input {
			type filter hook input priority 0;
			udp dport ${udpPort} ${percent < 100 ? `numgen random mod 100 < ${percent}` : ''} drop
		}
	}`);
	return {
		stop() {
			nft(`delete table inet ${table}`);
		},
	};
}
