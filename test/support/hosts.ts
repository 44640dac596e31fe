import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cannotDropPackets } from './namespace.js';

/** The address of the test itself, where Redis and the clients are. All hosts reach it. */
export const testAddress = '10.78.0.254';

/** For node:test's `skip`: why there can be no hosts here, or false. */
export const noHosts = cannotDropPackets;

const bridge = 'sfu-hosts';

// What a test leaves behind that fails in an unforeseen way.
const running = new Set<ChildProcess>();
process.once('exit', () => {
	for (const child of running) child.kill('SIGKILL');
});

/** A rule that drops packets. */
export interface Cut {
	/** How many packets it has dropped. */
	readonly dropped: number;
	/** Drops no more. */
	stop(): void;
}

/** Which packets are dropped: those that arrive from an address. */
export interface Dropped {
	from: string;
	/** Only TCP from and to this port. Default: everything. */
	tcpPort?: number;
	/** Default: all. */
	percent?: number;
}

let lastTable = 0;

/**
 * A machine with an address of its own: a network namespace, with a cable to the switch to which all of them and the test are
 * connected.
 */
export class Host {
	readonly address: string;
	readonly #holder: ChildProcess;

	/** @param number - of the address; each host of a test needs another one */
	static async start(number: number): Promise<Host> {
		// The rules must never reach the network of the machine itself.
		if (noHosts) throw new Error(noHosts);
		if (number === 1) {
			ip('link', 'add', bridge, 'type', 'bridge');
			ip('address', 'add', `${testAddress}/24`, 'dev', bridge);
			ip('link', 'set', bridge, 'up');
		}
		// The namespace lives as long as this process does.
		const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep infinity'], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		running.add(holder);
		holder.once('exit', () => running.delete(holder));
		await once(holder.stdout, 'data');
		const host = new Host(`10.78.0.${number}`, holder);
		const cable = `sfu-host${number}`;
		ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid));
		ip('link', 'set', cable, 'master', bridge, 'up');
		host.run('/usr/sbin/ip', 'address', 'add', `${host.address}/24`, 'dev', 'eth0');
		for (const name of ['lo', 'eth0']) host.run('/usr/sbin/ip', 'link', 'set', name, 'up');
		return host;
	}

	private constructor(address: string, holder: ChildProcess) {
		this.address = address;
		this.#holder = holder;
	}

	/** A command and its arguments, so that it runs on this host. */
	command(...command: string[]): [program: string, ...args: string[]] {
		return ['nsenter', `--net=/proc/${this.#holder.pid}/ns/net`, ...command];
	}

	/** Runs a command on this host. @returns what it prints */
	run(...command: string[]): string {
		const [program, ...args] = this.command(...command);
		return execFileSync(program, args, { encoding: 'utf8' });
	}

	/** Drops packets when they arrive, until `stop()`. On input, so that no system call fails at the sender. */
	drop({ from, tcpPort, percent = 100 }: Dropped): Cut {
		const table = `cut_${++lastTable}`;
		const ports = tcpPort === undefined ? [''] : [`tcp sport ${tcpPort}`, `tcp dport ${tcpPort}`];
		const share = percent < 100 ? `numgen random mod 100 < ${percent}` : '';
		const rules = ports.map((port) => `ip saddr ${from} ${port} ${share} counter name dropped drop`);
		this.run(
			'/usr/sbin/nft',
			`table inet ${table} {
				counter dropped { }
				chain input {
					type filter hook input priority 0;
					${rules.join('\n')}
				}
			}`,
		);
		const count = () => {
			const { nftables } = JSON.parse(
				this.run('/usr/sbin/nft', '--json', 'list', 'counter', 'inet', table, 'dropped'),
			) as { nftables: { counter?: { packets: number } }[] };
			return nftables.find(({ counter }) => counter)!.counter!.packets;
		};
		let last: number | undefined;
		return {
			get dropped() {
				return last ?? count();
			},
			stop: () => {
				if (last !== undefined) return;
				last = count();
				this.run('/usr/sbin/nft', 'delete', 'table', 'inet', table);
			},
		};
	}

	/** Ends it. Its processes must have ended before. */
	async close(): Promise<void> {
		const exit = once(this.#holder, 'exit');
		this.#holder.kill('SIGKILL');
		await exit;
	}
}

const ip = (...args: string[]) => execFileSync('/usr/sbin/ip', args);
