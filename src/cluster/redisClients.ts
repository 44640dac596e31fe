type Argument = string | Buffer;
type BufferListener = (message: Buffer, channel: Buffer) => void;

/** What is used of every client of Redis. */
interface AnyClient {
	connect(): Promise<unknown>;
	disconnect(): unknown;
	on(event: 'messageBuffer', listener: (channel: Buffer, message: Buffer) => void): unknown;
	on(event: string, listener: (error?: Error) => void): unknown;
}

/** What is used of a client of ioredis: `new Redis()`. */
export interface IoredisClient extends AnyClient {
	duplicate(options: object): IoredisClient;
	call(command: string, ...args: Argument[]): Promise<unknown>;
}

/** What is used of a client of ioredis: `new Cluster()`. */
export interface IoredisCluster {
	nodes(role: 'master'): IoredisClient[];
}

/** What is used of a client of node-redis: `createClient()`. */
export interface NodeRedisClient extends AnyClient {
	readonly options?: { socket?: object | undefined } | undefined;
	duplicate(options: object): NodeRedisClient;
	sendCommand(args: Argument[]): Promise<unknown>;
	subscribe(channels: string[], listener: BufferListener, asBuffers: true): Promise<unknown>;
	unsubscribe(channel: string, listener: BufferListener, asBuffers: true): Promise<unknown>;
}

/** A client of ioredis or of node-redis. The bus makes connections of its own with its options. */
export type RedisClient = IoredisClient | IoredisCluster | NodeRedisClient;
