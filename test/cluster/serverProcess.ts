/**
 * A server of a cluster in a process of its own, which does what test/support/serverProcesses.ts asks of it. It has one
 * argument: ServerSettings as JSON.
 */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type JoinOptions, type PushOptions, type Room, type RoomOptions, Sfu, SfuError, type User } from 'sfu-rooms';
import { redisBus } from 'sfu-rooms/cluster';
import { labelOf } from '../support/parted.js';
import type { ServerAnswer, ServerCall, ServerSettings } from '../support/serverProcesses.js';

/** The methods of a class, by name. */
type MethodOf<Class> = {
	[Name in keyof Class]: Class[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Class];

const settings = JSON.parse(process.argv[2]!) as ServerSettings;
const { redisPort, redisHost = '127.0.0.1', sentinelPort, name, workers, listenIp } = settings;

const answer = (message: ServerAnswer) => process.send!(message);
const tell = (roomId: string, text: string) => answer({ kind: 'told', at: Date.now(), roomId, text });
const log = (level: string) => (message: string, details?: unknown) => {
	answer({ kind: 'logged', level, message, details: describe(details) });
};

/** Not everything in the details of a message can be sent. */
function describe(details: unknown): string {
	return JSON.stringify([details], (_, value: unknown) => (value instanceof Error ? String(value) : value));
}

// The bus tells there that Redis is gone.
console.warn = () => undefined;
const redis = new Redis(
	sentinelPort === undefined
		? { host: redisHost, port: redisPort }
		: { sentinels: [{ host: redisHost, port: sentinelPort }], name: 'sfu', sentinelRetryStrategy: () => 100 },
);
redis.on('error', () => undefined);
const sfu = await Sfu.create({
	workers: { count: workers },
	// Nobody ever connects in most of the tests.
	webRtc: { connectTimeout: 600_000, layersSettleTime: 500, listen: [{ ip: listenIp }] },
	logger: { debug: () => undefined, info: () => undefined, warn: log('warn'), error: log('error') },
	cluster: {
		bus: redisBus(redis),
		secret: 'a secret that only the servers of these tests know',
		name,
		listen: { ip: listenIp },
	},
});
const cluster = sfu.cluster!;

cluster.on('nodeJoined', ({ node }) => tell('', `${node.name} joined`));
cluster.on('nodeLost', ({ node, reason }) => tell('', `${node.name} is lost: ${reason}`));
sfu.on('workerDied', () => tell('', 'worker died'));
sfu.on('workerReplaced', () => tell('', 'worker replaced'));
sfu.on('roomOpened', ({ room }) => {
	follow(room);
});

/** Tells what happens in a room, in words. */
function follow(room: Room): void {
	const say = (text: string) => tell(room.roomId, text);
	room.on('userJoined', ({ user }) => {
		say(`${user.userId} joined`);
		if (user.isRemote) return;
		user.on('closed', ({ reason }) => say(`${user.userId} closed here: ${reason}`));
		user.on('layersWanted', ({ pusher, encodings }) => {
			say(`${user.userId} ${pusher.kind} wanted: ${encodings.map(({ active }) => Number(active)).join(' ')}`);
		});
		user.on('pullerClosed', ({ puller, reason }) => {
			say(`${user.userId} receives ${puller.kind} of ${puller.targetUserId} no more: ${reason}`);
		});
	});
	room.on('userLeft', ({ user, reason }) => say(`${user.userId} left: ${reason}`));
	room.on('userRenamed', ({ user, before }) => say(`${before} is ${user.userName}`));
	room.on('permissionsChanged', ({ user }) => say(`${user.userId} may push: ${JSON.stringify(user.permissions.push)}`));
	room.on('pusherAdded', ({ user, pusher }) => say(`${user.userId} has ${labelOf(pusher)}`));
	room.on('pusherPaused', ({ user, pusher, cause }) => say(`${user.userId} ${labelOf(pusher)} paused by ${cause}`));
	room.on('pusherResumed', ({ user, pusher, cause }) => say(`${user.userId} ${labelOf(pusher)} resumed by ${cause}`));
	room.on('pusherChanged', ({ user, pusher }) => {
		say(`${user.userId} ${labelOf(pusher)} is ${pusher.source} ${JSON.stringify(pusher.metadata)}`);
	});
	room.on('pusherClosed', ({ user, pusher, reason }) => say(`${user.userId} ${labelOf(pusher)} closed: ${reason}`));
	room.on('textMessage', ({ userId, message }) => say(`${userId}: ${message}`));
	room.on('draining', () => say('draining'));
	room.on('closed', ({ reason }) => say(`closed: ${reason}`));
}

function roomOf(roomId: string): Room {
	const room = sfu.rooms.get(roomId);
	if (!room) throw new Error(`${name} has no room ${roomId}`);
	return room;
}

function userOf(roomId: string, userId: string): User {
	const user = roomOf(roomId).users.get(userId);
	if (!user) throw new Error(`${name} has no user ${userId} in ${roomId}`);
	return user;
}

/** Where a user is. */
const ownerOf = (user: User): string =>
	user.isRemote ? (cluster.nodes.get((user as User & { nodeId: string }).nodeId)?.name ?? 'unknown') : name;

/** Calls a method, if what it returns can be sent. */
async function callMethod(object: object, method: string, args: unknown[]): Promise<unknown> {
	const result: unknown = await (object as Record<string, (...args: unknown[]) => unknown>)[method]!(...args);
	return typeof result === 'object' && result !== null && method !== 'getStats' ? undefined : result;
}

const commands = {
	about: () => ({
		nodeId: cluster.nodeId,
		connected: cluster.connected,
		udpPort: cluster.nodes.get(cluster.nodeId)!.address.port,
		workerPids: sfu.workers.map(({ pid }) => pid),
		/** The other servers and this one, and whether they are drained. */
		nodes: Object.fromEntries([...cluster.nodes.values()].map(({ name, draining }) => [name, draining])),
	}),
	open: async (roomId: string, options?: RoomOptions) => {
		await sfu.getOrCreateRoom(roomId, options);
	},
	/** @param at - the moment to join at, in ms since the epoch */
	join: async (roomId: string, options: JoinOptions, at = 0) => {
		const room = await sfu.getOrCreateRoom(roomId);
		if (at > Date.now() + 2) await sleep(at - Date.now() - 2);
		while (Date.now() < at);
		await room.join(options);
	},
	/** The room as this server sees it. */
	view: (roomId: string) => {
		const room = roomOf(roomId);
		const users = [...room.users.values()].map((user) => ({
			userId: user.userId,
			userName: user.userName,
			owner: ownerOf(user),
			pushers: [...user.pushers.values()].map((pusher) => ({
				pusherId: pusher.pusherId,
				kind: pusher.kind,
				source: pusher.source,
				metadata: pusher.metadata,
				pausedBy: [...pusher.pausedBy],
			})),
			receives: user.pullers.size,
		}));
		return { locked: room.locked, draining: room.draining, bans: [...room.bans], users };
	},
	/** Where the users of a room are. */
	owners: (roomId: string) =>
		Object.fromEntries([...roomOf(roomId).users.values()].map((user) => [user.userId, ownerOf(user)])),
	push: async (roomId: string, userId: string, offer: string, options: PushOptions = {}) => {
		const { answer } = await userOf(roomId, userId).push(offer, options);
		return answer;
	},
	/** Receives all that another user sends. */
	pull: async (roomId: string, userId: string, targetUserId: string, offer: string) => {
		const specs = [...userOf(roomId, targetUserId).pushers.keys()].map((pusherId) => ({ pusherId }));
		const { answer, pullers } = await userOf(roomId, userId).pull({ targetUserId, specs, offer });
		return { answer, count: pullers.length };
	},
	room: (roomId: string, method: MethodOf<Room>, ...args: unknown[]) => callMethod(roomOf(roomId), method, args),
	user: (roomId: string, userId: string, method: MethodOf<User>, ...args: unknown[]) =>
		callMethod(userOf(roomId, userId), method, args),
	/** @param label - of the data channel, or the kind of the track */
	pusher: (roomId: string, userId: string, label: string, method: string, ...args: unknown[]) => {
		const pusher = [...userOf(roomId, userId).pushers.values()].find((one) => labelOf(one) === label);
		if (!pusher) throw new Error(`${name} has no ${label} of ${userId}`);
		return callMethod(pusher, method, args);
	},
	suggest: (roomId: string) => cluster.suggestNode(roomId).name,
	drain: (timeout?: number) => sfu.drain(timeout === undefined ? {} : { timeout }),
	/** How many objects the workers hold. */
	held: async () => {
		const dumps = await sfu.dump();
		return dumps.flatMap(({ channelMessageHandlers }) => channelMessageHandlers.channelRequestHandlers).length;
	},
	/** Closes everything. Then the process ends by itself. */
	close: () => {
		sfu.close();
		redis.disconnect();
	},
};
export type Commands = typeof commands;

process.on('message', ({ id, command, args }: ServerCall) => {
	new Promise((resolve) => {
		resolve((commands[command] as (...args: unknown[]) => unknown)(...args));
	}).then(
		(result) => answer({ kind: 'result', id, result }),
		(error: unknown) => {
			const code = error instanceof SfuError ? error.code : undefined;
			answer({ kind: 'failed', id, code, message: String(error) });
		},
	);
});
process.once('disconnect', () => process.exit());
// Only what the library and Redis leave open keeps the process alive.
process.channel!.unref();
answer({ kind: 'ready' });
