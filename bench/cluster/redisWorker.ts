/** A process that loads Redis: it publishes, or receives and counts, or measures the delay of a few subjects. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import type * as BusModule from '../../src/cluster/redisBus.js';
import { loadBundle } from '../loadBundle.js';
import type { Way } from './redisLoad.js';

export interface Subject {
	name: string;
	/** How many messages a second it has in the whole cluster. */
	rate: number;
	bytes: number;
	/** The servers that have subscribed to it. */
	subscribers: number[];
	/** Whether the delay of its messages is measured. */
	isProbed: boolean;
}

export interface Plan {
	role: 'publish' | 'drain' | 'probe';
	port: number;
	subjects: Subject[];
	/** How many servers subscribe. */
	nodes: number;
	way: Way;
}

export interface Result {
	published: number;
	delivered: number;
	failed: number;
	bytes: number;
	/** In s. */
	cpu: number;
	/** In ms. */
	delays: number[];
}

const prefix = 'sfu-rooms:';
let result: Result;
let cpuBefore: NodeJS.CpuUsage;
function reset(): void {
	result = { published: 0, delivered: 0, failed: 0, bytes: 0, cpu: 0, delays: [] };
	cpuBefore = process.cpuUsage();
}
reset();

/** In ms, the same in all processes of the machine. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Servers that read whatever comes. To parse it would take the processor from Redis. */
async function drain({ port, subjects, nodes }: Plan): Promise<void> {
	for (let node = 0; node < nodes; node++) {
		const own = subjects.filter(({ subscribers }) => subscribers.includes(node)).map(({ name }) => prefix + name);
		const socket = connect({
			port,
			host: '127.0.0.1',
			onread: {
				buffer: Buffer.alloc(65_536),
				callback: (bytes) => {
					result.bytes += bytes;
					return true;
				},
			},
		});
		await once(socket, 'connect');
		const words = ['SUBSCRIBE', ...own].map((word) => `$${word.length}\r\n${word}\r\n`);
		if (own.length > 0) socket.write(`*${words.length}\r\n${words.join('')}`);
	}
}

async function busOf(port: number) {
	const { redisBus } = (await loadBundle('cluster/redisBus.ts')) as typeof BusModule;
	return redisBus(new Redis(port, '127.0.0.1', { lazyConnect: true }));
}

async function probe({ port, subjects }: Plan): Promise<void> {
	const bus = await busOf(port);
	for (const { name, isProbed } of subjects) {
		if (!isProbed) continue;
		await bus.subscribe(name, (message) => {
			result.delays.push(now() - Buffer.from(message.buffer, message.byteOffset, 8).readDoubleLE());
		});
	}
}

async function publish({ port, subjects, way }: Plan): Promise<(share: number) => void> {
	const bus = await busOf(port);
	const plain = new Redis(port, '127.0.0.1');
	await bus.publish('none', Buffer.alloc(8));
	const send = (name: string, message: Buffer): Promise<unknown> =>
		way === 'redisBus' ? bus.publish(name, message) : plain.publish(prefix + name, message);
	const messages = subjects.map(({ bytes }) => Buffer.alloc(bytes, 'x'));
	/** How much of the next message of each subject is due. */
	const due = subjects.map(() => Math.random());
	let share = 0;
	let last = now();
	setInterval(() => {
		const passed = (now() - last) / 1000;
		last += passed * 1000;
		for (const [index, { name, rate, subscribers, isProbed }] of subjects.entries()) {
			for (due[index]! += rate * share * passed; due[index]! >= 1; due[index]!--) {
				const message = messages[index]!;
				message.writeDoubleLE(now());
				const delivered = subscribers.length + Number(isProbed);
				// ioredis copies what it sends when it is sent.
				send(name, Buffer.from(message)).then(
					() => {
						result.published++;
						result.delivered += delivered;
					},
					() => result.failed++,
				);
			}
		}
	}, 2);
	return (wanted) => (share = wanted);
}

process.once('message', (plan: Plan) => {
	const start = { publish, drain, probe }[plan.role];
	void start(plan).then((setRate) => {
		process.on('message', (message: number | 'result') => {
			if (message !== 'result') setRate?.(message);
			else {
				const { user, system } = process.cpuUsage(cpuBefore);
				process.send!({ ...result, cpu: (user + system) / 1e6 });
				reset();
			}
		});
		process.send!('ready');
	});
});
