import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { consoleLogger, limited } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { Bus } from './Bus.js';
import type { IoredisClient, NodeRedisClient, RedisClient } from './redisClients.js';

type Argument = string | Buffer;
type BufferListener = (message: Buffer, channel: Buffer) => void;

/** How a bus uses Redis. */
export interface RedisBusOptions {
	/** What all channels begin with, before a colon and the subject. Default: `sfu-rooms`. */
	prefix?: string;
	/** How long Redis may take to publish a message or to make a subscription, in ms. Default: 1,000. */
	timeout?: number;
}

/** One connection, of either client. It is never used again once it is lost. */
interface Connection {
	connect(): Promise<unknown>;
	disconnect(): unknown;
	command(...args: Argument[]): Promise<unknown>;
	subscribe(channels: string[]): Promise<unknown>;
	unsubscribe(channel: string): Promise<unknown>;
}
type Connections = Record<'publisher' | 'subscriber', Connection>;
type Open = (message: (channel: string, bytes: Buffer) => void, lost: (error?: Error) => void) => Connection;

const logger = limited(consoleLogger);
const nothing = () => undefined;

// In ms. The delays are those between two attempts to connect, before their jitter.
const [checkInterval, firstDelay, longestDelay] = [500, 50, 1000];

// A Redis that was stopped reads later what had arrived, even from connections that were closed meanwhile.
const publishInTime = `local now = redis.call('TIME')
if now[1] * 1000 + now[2] / 1000 > tonumber(ARGV[2]) then return redis.error_reply('LATE the message has expired') end
return redis.call('PUBLISH', ARGV[1], ARGV[3])`;

/**
 * A bus over the pub/sub of Redis 5 or later, with two connections of its own. They are made with the options of the app's
 * client, which is neither used nor changed; one that is lost, or on which Redis is silent, is made again, for as long as that
 * takes. A message to which Redis gets later than `timeout` is not delivered. The user of Redis needs the commands EVAL,
 * PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PING and TIME.
 *
 * @param client - of ioredis 5 or later (`new Redis()`, or `new Cluster()`, which has to stay open: it knows the nodes) or of
 *   node-redis 5 or later (`createClient()`)
 * @throws `SfuError` `invalid_argument` if it is neither, or an option is malformed
 */
export function redisBus(client: RedisClient, { prefix = 'sfu-rooms', timeout = 1000 }: RedisBusOptions = {}): Bus {
	if (!(timeout > 0)) throw new SfuError('invalid_argument', 'timeout must be a positive number of ms');
	return new RedisBus(opener(client, timeout), `${prefix}:`, timeout);
}

function opener(client: RedisClient, timeout: number): Open {
	if ('nodes' in client && typeof client.nodes === 'function') {
		return (...handlers) => {
			// What one node publishes, the subscribers of all nodes get.
			const nodes = client.nodes('master');
			const node = nodes[Math.floor(Math.random() * nodes.length)];
			if (!node) throw new Error('the client knows no node of the cluster at the moment');
			return openIoredis(node, timeout)(...handlers);
		};
	}
	if ('call' in client && typeof client.call === 'function') return openIoredis(client, timeout);
	if ('sendCommand' in client && typeof client.sendCommand === 'function') return openNodeRedis(client, timeout);
	throw new SfuError('invalid_argument', 'the client is neither one of ioredis nor one of node-redis');
}

function openIoredis(client: IoredisClient, timeout: number): Open {
	return (message, lost) => {
		const noRetries = { retryStrategy: null, reconnectOnError: null, enableOfflineQueue: false };
		// What is meant for the app's commands does not suit a subscriber. A silent Redis does not close its end.
		const timeouts = { connectTimeout: timeout, commandTimeout: undefined, socketTimeout: undefined };
		const others = { disconnectTimeout: 0, lazyConnect: true, enableAutoPipelining: false, keyPrefix: '' };
		const redis = client.duplicate({ ...noRetries, ...timeouts, ...others });
		redis.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
			message(channel.toString(), bytes);
		});
		for (const event of ['error', 'close', 'end']) redis.on(event, lost);
		return {
			connect: () => redis.connect(),
			disconnect: () => redis.disconnect(),
			command: (name, ...args) => redis.call(String(name), ...args),
			subscribe: (channels) => redis.call('subscribe', ...channels),
			unsubscribe: (channel) => redis.call('unsubscribe', channel),
		};
	};
}

function openNodeRedis(client: NodeRedisClient, timeout: number): Open {
	return (message, lost) => {
		const noRetries = { reconnectStrategy: false, connectTimeout: timeout, socketTimeout: undefined };
		const others = { commandOptions: { timeout: 0 }, pingInterval: 0, maintNotifications: 'disabled' };
		const unset = { commandsQueueMaxLength: undefined, clientSideCache: undefined, emitInvalidate: undefined };
		const socket = { ...client.options?.socket, ...noRetries };
		const redis = client.duplicate({ socket, disableOfflineQueue: true, ...others, ...unset });
		let [isOpen, hasEnded] = [false, false];
		redis.on('connect', () => {
			isOpen = true;
			if (hasEnded) contain(() => redis.disconnect());
		});
		for (const event of ['error', 'end']) redis.on(event, lost);
		const listener: BufferListener = (bytes, channel) => {
			message(channel.toString(), bytes);
		};
		return {
			connect: () => redis.connect(),
			disconnect: () => {
				hasEnded = true;
				// Without a socket yet, it would connect all the same.
				return isOpen && redis.disconnect();
			},
			command: (...args) => redis.sendCommand(args),
			subscribe: (channels) => redis.subscribe(channels, listener, true),
			unsubscribe: (channel) => redis.unsubscribe(channel, listener, true),
		};
	};
}

/** Calls a function, whatever it throws or rejects with. */
function contain(call: () => unknown, failed: (error: unknown) => void = nothing): unknown {
	return new Promise((resolve) => {
		resolve(call());
	}).catch(failed);
}

function listenerFailed(error: unknown): void {
	logger.error('a listener of the bus failed', { error });
}

/** Rejects if the answer takes longer. */
function within<T>(ms: number, answer: Promise<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		// After a pause of this process its timers come first, and only then what has arrived meanwhile.
		const timer = setTimeout(() => setImmediate(reject, new Error(`Redis has not answered within ${ms} ms`)), ms);
		void answer.then(resolve, reject).finally(() => {
			clearTimeout(timer);
		});
	});
}

class RedisBus implements Bus {
	readonly #open: Open;
	readonly #prefix: string;
	readonly #timeout: number;
	readonly #firstAttempt: Promise<unknown>;
	readonly #watchers = new Set<(connected: boolean) => unknown>();
	readonly #subjects = new Map<string, Set<(message: Uint8Array) => unknown>>();
	/** What the subscriber has subscribed to, or is about to. */
	readonly #subscribed = new Map<string, Promise<unknown>>();
	#connections: Connections | undefined;
	#connected = false;
	#isClosed = false;
	#failures = 0;
	#cause = new Error('Redis has not answered yet');
	/** The next attempt or check. */
	#next: NodeJS.Timeout | undefined;
	/** How far the clock of Redis is ahead of `performance.now()` at least, by its latest answers, in ms. */
	#ahead: number[] = [];
	#messageAt = 0;

	readonly #deliver = (channel: string, message: Uint8Array) => {
		this.#messageAt = performance.now();
		const listeners = this.#subjects.get(channel.slice(this.#prefix.length)) ?? new Set();
		for (const listener of [...listeners]) if (listeners.has(listener)) listener(message);
	};

	constructor(open: Open, prefix: string, timeout: number) {
		this.#open = open;
		this.#prefix = prefix;
		this.#timeout = timeout;
		this.#firstAttempt = Promise.race([this.#connect(), sleep(timeout, undefined, { ref: false })]);
	}

	get connected(): boolean {
		return this.#connected;
	}

	close(): Promise<void> {
		this.#isClosed = true;
		this.#connected = false;
		this.#watchers.clear();
		this.#subjects.clear();
		this.#disconnect();
		return Promise.resolve();
	}

	async publish(subject: string, message: Uint8Array): Promise<void> {
		const bytes = Buffer.from(message);
		const [channel, last] = [this.#prefix + subject, performance.now() + this.#timeout];
		await this.#ask(({ publisher }) => {
			const deadline = String(last + Math.max(...this.#ahead));
			return within(this.#timeout, publisher.command('eval', publishInTime, '0', channel, deadline, bytes));
		});
	}

	async subscribe(subject: string, listener: (message: Uint8Array) => unknown): Promise<() => void> {
		// The same function may subscribe twice.
		const own = (message: Uint8Array) => contain(() => listener(message), listenerFailed);
		const listeners = this.#subjects.get(subject) ?? new Set();
		this.#subjects.set(subject, listeners.add(own));
		const unsubscribe = () => {
			listeners.delete(own);
			if (listeners.size > 0 || this.#subjects.get(subject) !== listeners) return;
			this.#subjects.delete(subject);
			if (!this.#subscribed.delete(subject)) return;
			contain(() => this.#connections?.subscriber.unsubscribe(this.#prefix + subject));
		};
		try {
			await this.#ask(({ subscriber }) => within(this.#timeout, this.#subscribeOnce(subscriber, subject)));
		} catch (error) {
			unsubscribe();
			throw error;
		}
		return unsubscribe;
	}

	onConnected(listener: (connected: boolean) => unknown): () => void {
		const own = (connected: boolean) => contain(() => listener(connected), listenerFailed);
		this.#watchers.add(own);
		return () => this.#watchers.delete(own);
	}

	async #ask(question: (connections: Connections) => Promise<unknown>): Promise<void> {
		try {
			await this.#firstAttempt;
			if (!this.#connections || !this.#connected) throw this.#cause;
			await question(this.#connections);
		} catch (cause) {
			if (this.#isClosed) throw new SfuError('closed', 'the bus has been closed');
			throw new SfuError('unavailable', 'Redis is unavailable', { cause });
		}
	}

	async #connect(): Promise<void> {
		let connections: Connections | undefined;
		const lost = (error = new Error('Redis has closed a connection')) => {
			this.#lose(connections, error);
		};
		try {
			const [publisher, subscriber] = [this.#open(nothing, lost), this.#open(this.#deliver, lost)];
			this.#connections = connections = { publisher, subscriber };
			this.#ahead = [];
			// To connect takes several round trips, and maybe several sentinels.
			await within(this.#timeout * 5, Promise.all([publisher.connect(), subscriber.connect()]));
			await Promise.all([this.#readClock(publisher), this.#subscribeAgain(subscriber)]);
			if (this.#connections !== connections) return;
			this.#failures = 0;
			this.#checkLater(connections);
			this.#tell(true);
		} catch (error) {
			lost(error as Error);
		}
	}

	#checkLater(connections: Connections): void {
		const check = async () => {
			const { publisher, subscriber } = connections;
			const ping = within(this.#timeout, subscriber.command('ping')).catch((error: unknown) => {
				// The answer may be behind many messages.
				if (performance.now() - this.#messageAt > this.#timeout) throw error;
			});
			await Promise.all([this.#readClock(publisher), ping]);
			if (this.#connections === connections) this.#checkLater(connections);
		};
		this.#next = setTimeout(() => {
			check().catch((error: unknown) => {
				this.#lose(connections, error as Error);
			});
		}, checkInterval);
	}

	#lose(connections: Connections | undefined, error: Error): void {
		if (connections !== this.#connections || this.#isClosed) return;
		if (this.#failures === 0) logger.warn('the connection to Redis failed', { error });
		this.#cause = error;
		this.#disconnect();
		const delay = Math.min(firstDelay * 2 ** this.#failures++, longestDelay);
		this.#next = setTimeout(() => void this.#connect(), delay * (0.5 + Math.random() / 2));
		this.#tell(false);
	}

	#disconnect(): void {
		clearTimeout(this.#next);
		const ended = Object.values(this.#connections ?? {});
		this.#connections = undefined;
		this.#subscribed.clear();
		for (const connection of ended) contain(() => connection.disconnect());
	}

	#tell(connected: boolean): void {
		if (connected === this.#connected) return;
		this.#connected = connected;
		for (const watcher of [...this.#watchers]) watcher(connected);
	}

	async #readClock(publisher: Connection): Promise<void> {
		const answer = (await within(this.#timeout, publisher.command('time'))) as [unknown, unknown];
		const [seconds, microseconds] = answer.map((number) => Number(String(number))) as [number, number];
		this.#ahead = [...this.#ahead.slice(-7), seconds * 1000 + microseconds / 1000 - performance.now()];
	}

	#subscribeOnce(subscriber: Connection, subject: string): Promise<unknown> {
		const known = this.#subscribed.get(subject);
		if (known) return known;
		const subscribed = subscriber.subscribe([this.#prefix + subject]);
		this.#subscribed.set(subject, subscribed);
		subscribed.catch(() => {
			if (this.#subscribed.get(subject) === subscribed) this.#subscribed.delete(subject);
		});
		return subscribed;
	}

	async #subscribeAgain(subscriber: Connection): Promise<void> {
		const subjects = [...this.#subjects.keys()];
		if (subjects.length === 0) return;
		const subscribed = subscriber.subscribe(subjects.map((subject) => this.#prefix + subject));
		for (const subject of subjects) this.#subscribed.set(subject, subscribed);
		await within(this.#timeout * 5, subscribed);
	}
}
