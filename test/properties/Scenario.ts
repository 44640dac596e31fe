import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnyPuller, AnyPusher, PusherDetails, Room, Sfu, SfuError, User, UserDetails } from 'sfu-rooms';
import type { AppRequestSuccess, AutoPullSuccess, JoinSuccess, ProtooAdapter, PushSuccess } from 'sfu-rooms/protoo';
import { OfferingPeer, type OfferedSection, type Profile, type SectionKind } from './OfferingPeer.js';
import { RoomClient, type Settling, type View } from './RoomClient.js';
import { mediaPullers } from '../support/parted.js';

const changes = [
	'both',
	'audio',
	'video',
	'pause',
	'resume',
	'stopLast',
	'recycle',
	'restart',
	'newSsrc',
	'again',
	'stopFirst',
] as const;

const garbage = ['noJson', 'null', 'array', 'noMethod', 'noId', 'unknownMethod', 'noData', 'duplicate', 'response'];

const nat = fc.nat({ max: 7 });
const slot = fc.nat({ max: 4 });
const roomId = fc.constantFrom('x', 'x', 'x', 'y');
const userId = fc.constantFrom('ann', 'bob', 'cas', 'dee');

/** What may be said of a pusher; now and then too much. */
const details: fc.Arbitrary<PusherDetails> = fc.record(
	{
		source: fc.constantFrom(null, 'camera', 'screen', '__proto__', 'x'.repeat(257)),
		metadata: fc.constantFrom(null, 0, '', false, [1, null], { muted: true }, { muted: false }, 'x'.repeat(4096)),
	},
	{ requiredKeys: [] },
);
/** What may be said of a user; now and then too much. */
const userDetails: fc.Arbitrary<UserDetails> = fc.record(
	{
		userName: fc.constantFrom('', 'Ann', 'Bob', '__proto__', 'x'.repeat(257)),
		metadata: fc.constantFrom(null, 0, '', false, [1, null], { hand: 'up' }, 'x'.repeat(4096)),
	},
	{ requiredKeys: [] },
);
const isTooMuchOfUser = ({ userName = '', metadata }: UserDetails) =>
	userName.length > 256 || JSON.stringify(metadata ?? null).length > 4096;

const isTooMuch = ({ source, metadata }: PusherDetails) =>
	String(source).length > 256 || JSON.stringify(metadata ?? null).length > 4096;

// Mostly as a client should.
const settling = fc.constantFrom<Settling[]>(
	...(['receive', 'receive', 'receive', 'byRequest', 'byRequest'] as const),
	...(['inactive', 'reject', 'refuse', 'garbage', 'later'] as const),
);

const step = fc.oneof(
	{ weight: 7, arbitrary: fc.record({ act: fc.constant('join'), slot, roomId, userId }) },
	{
		weight: 6,
		arbitrary: fc.record({
			act: fc.constant('push'),
			slot,
			nth: nat,
			change: fc.constantFrom(...changes),
			says: fc.array(details, { maxLength: 3 }),
			channels: fc.uniqueArray(nat, { maxLength: 3 }),
		}),
	},
	{ weight: 6, arbitrary: fc.record({ act: fc.constant('pull'), slot, nth: nat, target: nat, specs: nat }) },
	{ weight: 4, arbitrary: fc.record({ act: fc.constant('pullOffered'), slot, target: nat, specs: nat }) },
	{ weight: 3, arbitrary: fc.record({ act: fc.constantFrom('autoPull', 'restartIce'), slot }) },
	{ weight: 3, arbitrary: fc.record({ act: fc.constantFrom('settling', 'settle'), slot, how: settling }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constant('answer'), slot, which: fc.constantFrom('own', 'none') }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constantFrom('unpush', 'unpull'), slot, nth: nat }) },
	{
		weight: 3,
		arbitrary: fc.record({
			act: fc.constantFrom('pausePusher', 'resumePusher', 'pausePuller', 'resumePuller'),
			slot,
			nth: nat,
		}),
	},
	{ weight: 3, arbitrary: fc.record({ act: fc.constant('updatePusher'), slot, nth: nat, details }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constant('appUpdate'), nth: nat, details }) },
	{ weight: 3, arbitrary: fc.record({ act: fc.constant('updateUser'), slot, details: userDetails }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constant('appUpdateUser'), roomId, userId, details: userDetails }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constantFrom('appSend', 'appAsk'), roomId, userId }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constantFrom('appMessage', 'appRequest'), slot, data: userDetails }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constant('text'), slot }) },
	{ weight: 3, arbitrary: fc.record({ act: fc.constant('lose'), slot }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constant('closeSocket'), slot }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constant('leave'), slot }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constant('garbage'), slot, frame: fc.constantFrom(...garbage) }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constant('kick'), roomId, userId }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constantFrom('appPause', 'appResume', 'appClose'), nth: nat }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constant('closeRoom'), roomId }) },
	{ weight: 2, arbitrary: fc.record({ act: fc.constant('pass'), grace: fc.constantFrom(0.1, 0.6, 1.1, 2) }) },
	{ weight: 4, arbitrary: fc.record({ act: fc.constant('connected'), nth: fc.nat({ max: 3 }) }) },
	{ weight: 1, arbitrary: fc.record({ act: fc.constantFrom('closed', 'failed'), nth: nat }) },
	{
		weight: 2,
		arbitrary: fc.record({ act: fc.constantFrom('openChannel', 'closeChannel'), nth: fc.nat({ max: 999 }) }),
	},
	{ weight: 1, arbitrary: fc.record({ act: fc.constant('workerDies'), sure: fc.nat({ max: 3 }) }) },
);

export type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Steps, and how long each has before the next: some turns of the microtask queue, or until all is quiet. */
export const steps = (maxLength: number) =>
	fc.array(fc.record({ step, wait: fc.oneof(fc.constant('quiet' as const), fc.nat({ max: 40 })) }), {
		maxLength,
		size: 'max',
	});

/** What the scenario is played on: fake media with a fake clock, or the real thing. */
export interface Stage {
	sfu: Sfu;
	adapter: ProtooAdapter;
	profiles: readonly Profile[];
	/** The grace of a lost socket, in ms. */
	grace: number;
	emptyRoomTimeout: number;
	/** Lets some turns pass. */
	turns: (count: number) => Promise<void>;
	/** Lets time pass. */
	pass: (ms: number) => void | Promise<void>;
	now: () => number;
	/** Waits until nothing is under way any more and `check` passes. */
	quiet: (check: () => void) => Promise<void>;
	/** Checks what the workers hold against what they should; only at quiet points. */
	checkHeld: () => void;
	transport?: (nth: number, state: 'connected' | 'closed' | 'failed') => void;
	/** Some client opens a data channel in-band, or closes one; after the second one time has passed. */
	openChannel?: (nth: number) => void;
	closeChannel?: (nth: number) => void | Promise<void>;
	workerDies?: () => void;
	/** What has been logged that should not be. */
	problems: string[];
}

const key = ({ roomId, userId }: { roomId: string; userId: string }) => `${roomId}/${userId}`;

/** Plays steps, and compares what clients know with what is so. */
export class Scenario {
	readonly #stage: Stage;
	readonly #clients: (RoomClient | undefined)[] = [];
	readonly #all: RoomClient[] = [];
	readonly #peers: OfferingPeer[][] = [];
	readonly #ownPushers: string[][] = [];
	readonly #lostUntil = new Map<string, number>();
	readonly #tokens = new Map<string, string>();
	readonly #users: { user: User; joined: number; left: number }[] = [];
	readonly #violations: string[] = [];
	readonly #log: string[] = [];
	/** Texts since the last quiet point, and who must have each. */
	#texts: { text: string; from: RoomClient; sender: View; to: { client: RoomClient; view: View }[] }[] = [];
	/** The app's messages since the last quiet point, and who must have each. */
	#sent: { text: string; to: { client: RoomClient; view: View }[] }[] = [];
	readonly #removeHandler: () => void;
	#made = 0;
	#calm = true;

	constructor(stage: Stage) {
		this.#stage = stage;
		const follow = ({ room }: { room: Room }) => {
			room.on('userJoined', ({ user }) => {
				const entry = { user, joined: 1, left: 0 };
				assert.ok(!this.#users.some((other) => other.user === user), 'joined twice');
				this.#users.push(entry);
				user.on('closed', () => entry.left++);
			});
		};
		stage.sfu.on('roomOpened', follow);
		this.#removeHandler = stage.sfu.handle('echo', ({ data }) => data);
	}

	async play(steps: readonly { step: Step; wait: number | 'quiet' }[]): Promise<void> {
		try {
			for (const { step, wait } of steps) {
				this.#log.push(JSON.stringify(step));
				const done = this.#do(step, this.#calm && wait === 'quiet');
				if (typeof done === 'object') await done;
				if (wait === 'quiet') await this.#quiet();
				else await this.#stage.turns(wait);
				this.#calm = wait === 'quiet';
			}
			await this.#end();
		} catch (error) {
			const happened = this.#log.slice(-120).join('\n');
			throw new Error(`${String(error)}\n--- what happened\n${happened}\n---`, { cause: error });
		} finally {
			this.#removeHandler();
		}
	}

	/** After all have left and their rooms are closed nothing is there any more. */
	async #end(): Promise<void> {
		const { sfu, adapter, grace, emptyRoomTimeout } = this.#stage;
		await this.#quiet();
		this.#log.push('the end');
		for (const [index, client] of this.#all.entries()) {
			if (!client.open) continue;
			if (client.view && index % 2 === 0) void client.request('leave', membership(client.view));
			else client.close(1000);
		}
		await this.#stage.pass(grace + 1);
		await this.#quiet();
		for (const room of sfu.rooms.values()) assert.deepEqual([...room.users.keys()], [], 'all have left');
		await this.#stage.pass(emptyRoomTimeout + 1);
		await this.#quiet(() => {
			assert.deepEqual([...sfu.rooms.keys()], [], 'the rooms are closed');
		});
		for (const client of this.#all) if (client.open) client.close(1000);
		await this.#quiet(() => {
			assert.equal(adapter.sockets, 0, 'the sockets are closed');
		});
		for (const { joined, left } of this.#users) assert.deepEqual([joined, left], [1, 1]);
	}

	#quiet(more?: () => void): Promise<void> {
		return this.#stage
			.quiet(() => {
				this.#check();
				more?.();
			})
			.then(() => {
				this.#texts = [];
				this.#sent = [];
			});
	}

	#check(): void {
		const { sfu, problems, checkHeld } = this.#stage;
		assert.deepEqual(this.#violations, []);
		assert.deepEqual(problems, [], 'nothing is logged');
		const spoken = new Set<string>();
		for (const client of this.#all) {
			const { view, name, open } = client;
			if (!open) continue;
			const room = sfu.rooms.get(view?.roomId ?? '');
			const user = room?.users.get(view?.userId ?? '');
			// A pull by an offer waits while another offer does.
			const waiting = client.unanswered.filter((request) => !user?.pendingOffer || !request.startsWith('pull '));
			assert.deepEqual(waiting, [], `${name} waits for answers`);
			if (!view) continue;
			assert.ok(room && user, `${name} believes to be ${key(view)}, who is not there`);
			assert.ok(!spoken.has(key(view)), `two sockets speak for ${key(view)}`);
			spoken.add(key(view));
			checkView(name, view, room, user);
			if (!view.resumed && !user.pendingOffer) checkSending(client, user);
		}
		for (const room of sfu.rooms.values()) {
			for (const user of room.users.values()) {
				const id = key({ roomId: room.roomId, userId: user.userId });
				const inGrace = (this.#lostUntil.get(id) ?? 0) > this.#stage.now();
				assert.ok(spoken.has(id) || inGrace, `nobody speaks for ${id}, nor is it to come back`);
			}
		}
		for (const { user } of this.#users) {
			if (!user.closed) continue;
			assert.deepEqual(
				[user.pushers, user.pullers, user.connections].map((all) => [...all.values()]),
				[[], [], []],
				`${user.userId} has left, and all that was of it`,
			);
		}
		for (const { text, from, sender, to } of this.#texts) {
			// Those who have been there all the time, and knew a sender who has been there, too.
			for (const { client, view } of from.view === sender ? to : []) {
				if (client.view === view) assert.ok(view.texts.has(text), `${client.name} got the text "${text}"`);
			}
			assert.ok(!sender.texts.has(text), 'nobody is told his own text');
		}
		for (const { text, to } of this.#sent) {
			for (const { client, view } of to) {
				if (client.open && client.view === view)
					assert.ok(view.texts.has(text), `${client.name} got "${text}" of the app`);
			}
		}
		checkHeld();
	}

	#client(slot: number): RoomClient {
		const known = this.#clients[slot];
		if (known?.open) return known;
		const client = new RoomClient(
			`${'ABCDE'[slot] ?? ''}${++this.#made}`,
			(socket) => {
				this.#stage.adapter.accept(socket);
			},
			this.#log,
			(violation) => this.#violations.push(violation),
		);
		this.#clients[slot] = client;
		this.#all.push(client);
		return client;
	}

	#do(step: Step, alone: boolean): void | Promise<void> {
		const { sfu } = this.#stage;
		const act = step as Record<string, unknown> & { act: string; slot: number; nth: number };
		const pushers = () => [...sfu.rooms.values()].flatMap((room) => [...room.users.values()].flatMap(pushersOf));
		const holdings = () =>
			JSON.stringify(
				[...sfu.rooms.values()].map((room) =>
					[...room.users.values()].map((user) => [
						user.userId,
						pushersOf(user).map(({ pusherId, paused, source, metadata }) => [pusherId, paused, source, metadata]),
						pullersOf(user).map(({ pullerId, paused }) => [pullerId, paused]),
						user.connections.length,
					]),
				),
			);
		/** What cannot fail when nothing else goes on. */
		const mustSucceed = (promise: Promise<{ ok: boolean; errorReason?: string }>, unless = false) => {
			if (!alone) return;
			const before = holdings();
			void promise.then(({ ok }) => {
				if (!ok && holdings() !== before) {
					this.#violations.push(`${act.act} failed and changed something: ${before} → ${holdings()}`);
				}
			});
			if (unless) return;
			void promise.then(({ ok, errorReason }) => {
				if (!ok) this.#violations.push(`${act.act} failed: ${String(errorReason)}`);
			});
		};
		switch (act.act) {
			case 'join': {
				const client = this.#client(act.slot);
				const { roomId, userId } = act as unknown as { roomId: string; userId: string };
				// Every other client knows the token of whoever was this user last, as the same client does.
				const resumeToken = act.slot % 2 ? this.#tokens.get(key({ roomId, userId })) : undefined;
				const join = client.request('join', { roomId, userId, userName: `the ${userId}`, resumeToken });
				void join.then(({ ok, data }) => {
					if (ok) this.#tokens.set(key({ roomId, userId }), (data as JoinSuccess).resumeToken);
				});
				mustSucceed(join, client.view !== undefined);
				break;
			}
			case 'push':
				this.#push(act as unknown as PushStep, mustSucceed);
				break;
			case 'pull':
				this.#pull(act.slot, act.nth, Number(act.target), Number(act.specs), mustSucceed);
				break;
			case 'pullOffered': {
				const client = this.#client(act.slot);
				const { targetUserId, specs, there } = this.#specs(act.slot, Number(act.target), Number(act.specs));
				const { roomId, userId } = membership(client.view);
				const outstanding = sfu.rooms.get(roomId)?.users.get(userId)?.pendingOffer;
				const pulled = client.request('pull', { roomId, userId, targetUserId, specs });
				mustSucceed(pulled, !there || outstanding !== undefined || client.settling !== 'receive');
				break;
			}
			case 'autoPull': {
				const client = this.#client(act.slot);
				const { view } = client;
				const pulled = client.request('pull', { ...membership(view), autoPull: true });
				if (view) view.follows = alone ? { connectionId: undefined, without: new Set() } : undefined;
				void pulled.then(({ data }) => {
					const { connectionId } = (data ?? {}) as Partial<AutoPullSuccess>;
					if (view?.follows) view.follows.connectionId = connectionId;
				});
				mustSucceed(pulled, !view);
				break;
			}
			case 'restartIce':
			case 'answer': {
				const client = this.#client(act.slot);
				const { roomId, userId } = membership(client.view);
				const connections = sfu.rooms.get(roomId)?.users.get(userId)?.connections ?? [];
				const connectionId = act.which === 'none' ? 'none' : (connections.at(-1)?.connectionId ?? 'none');
				const data = { roomId, userId, connectionId };
				const sdp = { type: 'answer', sdp: 'v=0' };
				mustSucceed(client.request(act.act, act.act === 'answer' ? { ...data, sdp } : data), true);
				break;
			}
			case 'settling':
				this.#client(act.slot).settling = act.how as Settling;
				break;
			case 'settle':
				this.#client(act.slot).settle(act.how as Settling);
				break;
			case 'unpush':
			case 'pausePusher':
			case 'resumePusher': {
				const client = this.#client(act.slot);
				const own = this.#own(act.slot);
				const pusherId = own[act.nth % Math.max(own.length, 1)] ?? 'none';
				const data = act.act === 'unpush' ? { pusherIds: [pusherId] } : { pusherId };
				void client.request(act.act, { ...membership(client.view), ...data });
				break;
			}
			case 'updatePusher': {
				const client = this.#client(act.slot);
				const own = this.#own(act.slot);
				const pusherId = own[act.nth % Math.max(own.length, 1)] ?? 'none';
				const details = act.details as PusherDetails;
				const { roomId, userId } = membership(client.view);
				const user = sfu.rooms.get(roomId)?.users.get(userId);
				const isThere = user !== undefined && pushersOf(user).some((pusher) => pusher.pusherId === pusherId);
				mustSucceed(
					client.request(act.act, { roomId, userId, pusherId, ...details }),
					!client.view || !isThere || isTooMuch(details),
				);
				break;
			}
			case 'updateUser': {
				const client = this.#client(act.slot);
				const details = act.details as UserDetails;
				const update = client.request(act.act, { ...membership(client.view), ...details });
				mustSucceed(update, !client.view || isTooMuchOfUser(details));
				break;
			}
			case 'appMessage':
				this.#client(act.slot).notify(act.act, {
					...membership(this.#client(act.slot).view),
					name: 'n',
					data: act.data,
				});
				break;
			case 'appRequest': {
				const client = this.#client(act.slot);
				const { view } = client;
				const answer = client.request(act.act, { ...membership(view), name: 'echo', data: act.data });
				mustSucceed(answer, !view);
				void answer.then(({ ok, data }) => {
					if (ok) assert.equal(JSON.stringify((data as AppRequestSuccess).data), JSON.stringify(act.data));
				});
				break;
			}
			case 'unpull':
			case 'pausePuller':
			case 'resumePuller': {
				const client = this.#client(act.slot);
				const own = [...(client.view?.pullers ?? [])];
				const pullerId = own[act.nth % Math.max(own.length, 1)] ?? 'none';
				const data = act.act === 'unpull' ? { pullerIds: [pullerId] } : { pullerId };
				mustSucceed(client.request(act.act, { ...membership(client.view), ...data }), own.length === 0);
				break;
			}
			case 'text': {
				const client = this.#client(act.slot);
				const text = `text ${++this.#made}`;
				const { view } = client;
				if (view) {
					const to = this.#all.flatMap((other) =>
						other !== client && other.view?.roomId === view.roomId && this.#calm
							? [{ client: other, view: other.view }]
							: [],
					);
					this.#texts.push({ text, from: client, sender: view, to });
				}
				client.notify('textMessage', { ...membership(view), message: text });
				break;
			}
			case 'lose':
			case 'closeSocket': {
				const client = this.#clients[act.slot];
				if (!client?.open) break;
				const lost = act.act === 'lose';
				for (const membership of [client.view ?? [], client.joining].flat()) {
					if (lost) this.#lostUntil.set(key(membership), this.#stage.now() + this.#stage.grace);
				}
				client.close(lost ? 1006 : 1000);
				break;
			}
			case 'leave': {
				const client = this.#client(act.slot);
				mustSucceed(client.request('leave', membership(client.view)), !client.view);
				break;
			}
			case 'garbage':
				this.#garbage(this.#client(act.slot), String(act.frame));
				break;
			case 'kick':
				sfu.rooms.get(String(act.roomId))?.users.get(String(act.userId))?.kick('thrown out');
				break;
			case 'closeRoom':
				sfu.rooms.get(String(act.roomId))?.close('over');
				break;
			case 'appUpdateUser': {
				const user = sfu.rooms.get(String(act.roomId))?.users.get(String(act.userId));
				const details = act.details as UserDetails;
				if (!isTooMuchOfUser(details)) user?.update(details);
				else if (user) {
					const code = (details.userName ?? '').length > 256 ? 'invalid_argument' : 'too_large';
					assert.throws(
						() => {
							user.update(details);
						},
						{ code },
					);
				}
				break;
			}
			case 'appSend':
				this.#appSend(sfu.rooms.get(String(act.roomId)));
				break;
			case 'appAsk': {
				const user = sfu.rooms.get(String(act.roomId))?.users.get(String(act.userId));
				const made = ++this.#made;
				void user?.request('echo', made).then(
					(answer) => {
						if (answer !== made) this.#violations.push(`${user.userId} answered ${String(answer)}`);
					},
					(error: unknown) => {
						const { code } = error as SfuError;
						if (!['unavailable', 'closed', 'timeout', 'limit_exceeded'].includes(code)) this.#violations.push(code);
					},
				);
				break;
			}
			case 'appPause':
			case 'appResume':
			case 'appClose':
			case 'appUpdate': {
				const all = pushers();
				const pusher = all[act.nth % Math.max(all.length, 1)];
				const details = act.details as PusherDetails;
				if (act.act === 'appClose') pusher?.close();
				else if (act.act === 'appUpdate') this.#update(pusher, details);
				else void (act.act === 'appPause' ? pusher?.pause() : pusher?.resume())?.catch(() => undefined);
				break;
			}
			case 'pass':
				return this.#stage.pass(Number(act.grace) * this.#stage.grace);
			case 'connected':
			case 'closed':
			case 'failed':
				this.#stage.transport?.(act.nth, act.act);
				break;
			case 'openChannel':
				this.#stage.openChannel?.(act.nth);
				break;
			case 'closeChannel':
				return this.#stage.closeChannel?.(act.nth);
			case 'workerDies':
				if (act.sure === 0) this.#stage.workerDies?.();
				break;
			default:
				assert.fail(`no such step: ${act.act}`);
		}
	}

	/** Those whose clients are there all the time get it, and nobody twice. */
	#appSend(room: Room | undefined): void {
		if (!room) return;
		const made = `${++this.#made}`;
		const to = this.#all.flatMap((client) =>
			client.open && client.view?.roomId === room.roomId && this.#calm ? [{ client, view: client.view }] : [],
		);
		this.#sent.push({ text: `app ${made}`, to });
		room.send('told', made);
	}

	#update(pusher: AnyPusher | undefined, details: PusherDetails): void {
		if (!isTooMuch(details)) pusher?.update(details);
		else if (pusher)
			assert.throws(
				() => {
					pusher.update(details);
				},
				{ name: 'SfuError' },
			);
	}

	/** What a client has pushed, if it is still there. */
	#own(slot: number): string[] {
		return [...(this.#ownPushers[slot] ?? []), ...(this.#clients[slot]?.ownData ?? [])];
	}

	#peer(slot: number, nth: number): OfferingPeer {
		const { profiles } = this.#stage;
		const own = (this.#peers[slot] ??= []);
		// More often one that there is already.
		const index = nth % (own.length + 1);
		const made = ++this.#made;
		return (own[index] ??= new OfferingPeer(profiles[(slot + made) % profiles.length]!, made));
	}

	#push(
		{ slot, nth, change, says, channels }: PushStep,
		mustSucceed: (promise: Promise<{ ok: boolean; errorReason?: string }>, unless?: boolean) => void,
	): void {
		const client = this.#client(slot);
		const peer = this.#peer(slot, nth);
		const isNew = peer.sections.length === 0;
		const media = isNew && !adds(change) ? changed(peer, 'both') : changed(peer, change);
		const addsData = channels.length > 0 && !hasData(media);
		const sections = addsData ? [...media, peer.section('data', 'inactive')] : media;
		const sending = sections.filter(({ kind, direction, stopped }) => {
			return kind !== 'data' && direction.startsWith('send') && !stopped;
		});
		const announced = hasData(sections) ? channels : [];
		const pushed = client.request('push', {
			...membership(client.view),
			sdp: { type: 'offer', sdp: peer.offer(sections) },
			media: sending.slice(0, says.length).map(({ mid }, index) => ({ mid, ...says[index] })),
			data: announced.map((id, index) => ({ id, label: `channel ${id}`, ...says[index] })),
		});
		void pushed.then(({ ok, data }) => {
			if (!ok) return;
			peer.sections = sections;
			(this.#ownPushers[slot] ??= []).unshift(...(data as PushSuccess).pushers.map(({ pusherId }) => pusherId));
		});
		mustSucceed(pushed, !client.view || !isNew || this.#own(slot).length > 12 || says.some(isTooMuch));
	}

	#pull(
		slot: number,
		nth: number,
		target: number,
		count: number,
		mustSucceed: (promise: Promise<{ ok: boolean; errorReason?: string }>, unless?: boolean) => void,
	): void {
		const client = this.#client(slot);
		const peer = this.#peer(slot, nth);
		const { targetUserId, specs, there } = this.#specs(slot, target, count);
		const isNew = peer.sections.length === 0;
		const wanted = specs.filter(({ type }, index) => {
			return type !== 'data' || (!hasData(peer.sections) && specs.findIndex((spec) => spec.type === type) === index);
		});
		const sections = [...peer.sections, ...wanted.map(({ type }) => peer.section(type, 'recvonly'))];
		const pulled = client.request('pull', {
			...membership(client.view),
			targetUserId,
			specs,
			sdp: { type: 'offer', sdp: peer.offer(sections) },
		});
		void pulled.then(({ ok }) => {
			if (ok) peer.sections = sections;
		});
		// Two clients may have no codec in common; audio they all have.
		const canSucceed = specs.some(({ type }) => type === 'audio') || specs.every(({ type }) => type === 'data');
		mustSucceed(pulled, !there || !isNew || !canSucceed);
	}

	/** What a client may want to pull, and whether all of it is there. */
	#specs(slot: number, target: number, count: number) {
		const client = this.#client(slot);
		const { sfu } = this.#stage;
		const users = client.view ? [...client.view.users.keys(), client.view.userId] : ['nobody'];
		const targetUserId = users[target % users.length] ?? '';
		const known = [...(client.view?.users.get(targetUserId)?.pushers.keys() ?? this.#own(slot))];
		// So that the last come first at times, as data channels do.
		if (count % 3 === 2) known.reverse();
		const room = sfu.rooms.get(client.view?.roomId ?? '');
		const targetUser = room?.users.get(targetUserId);
		const pushers = new Map<string, AnyPusher>(
			(targetUser ? pushersOf(targetUser) : []).map((pusher) => [pusher.pusherId, pusher]),
		);
		const specs: { pusher_id: string; type: SectionKind }[] = [...new Set(known)]
			.slice(0, count % 4 === 0 ? 1 : count)
			.map((pusherId) => ({
				pusher_id: pusherId,
				type: pushers.get(pusherId)?.kind ?? 'video',
			}));
		if (specs.length === 0) specs.push({ pusher_id: 'none', type: 'video' });
		return { targetUserId, specs, there: specs.every(({ pusher_id }) => pushers.has(pusher_id)) };
	}

	#garbage(client: RoomClient, frame: string): void {
		const id = 1_000_000 + ++this.#made;
		const json = (message: object) => JSON.stringify(message);
		switch (frame) {
			case 'noJson':
				client.send('{"request":true,');
				break;
			case 'null':
				client.send('null');
				break;
			case 'array':
				client.send('[1]');
				break;
			case 'noMethod':
				client.send(json({ request: true, id }), id, 1);
				break;
			case 'noId':
				client.send(json({ request: true, method: 'join' }));
				break;
			case 'unknownMethod':
				client.send(json({ request: true, id, method: '__proto__', data: {} }), id, 1);
				break;
			case 'noData':
				client.send(json({ request: true, id, method: 'push' }), id, 1);
				break;
			case 'duplicate':
				client.send(json({ request: true, id, method: 'pull', data: {} }), id, 1);
				client.send(json({ request: true, id, method: 'pull', data: {} }), id, 1);
				break;
			case 'response':
				client.send(json({ response: true, id, ok: true, data: {} }));
				break;
		}
	}
}

interface PushStep {
	slot: number;
	nth: number;
	change: (typeof changes)[number];
	/** What is said of what is pushed: first of the tracks, and of the data channels. */
	says: PusherDetails[];
	/** The ids of data channels that are announced. */
	channels: number[];
}

const adds = (change: (typeof changes)[number]) => change === 'both' || change === 'audio' || change === 'video';

const hasData = (sections: readonly OfferedSection[]) =>
	sections.some(({ kind, stopped }) => kind === 'data' && !stopped);

const pushersOf = ({ pushers }: User): AnyPusher[] => [...pushers.values()];

const pullersOf = ({ pullers }: User): AnyPuller[] => [...pullers.values()];

const membership = (view: { roomId: string; userId: string } | undefined) => ({
	roomId: view?.roomId ?? 'x',
	userId: view?.userId ?? 'ann',
});

/** The m-lines of the next offer. */
function changed(peer: OfferingPeer, change: (typeof changes)[number]): OfferedSection[] {
	const { sections } = peer;
	const last = sections.length - 1;
	const others = (index: number, changed: (section: OfferedSection) => Partial<OfferedSection>) =>
		sections.map((section, at) => (at === index ? { ...section, ...changed(section) } : section));
	const all = (from: string, to: OfferedSection['direction']) =>
		sections.map((section) =>
			section.direction === from && !section.stopped ? { ...section, direction: to } : section,
		);
	switch (change) {
		case 'both':
			return [...sections, peer.section('video', 'sendonly'), peer.section('audio', 'sendonly')];
		case 'audio':
		case 'video':
			return [...sections, peer.section(change, 'sendonly')];
		case 'pause':
			return all('sendonly', 'inactive');
		case 'resume':
			return all('inactive', 'sendonly');
		case 'stopFirst':
			return others(0, () => ({ stopped: true }));
		case 'stopLast':
			return others(last, () => ({ stopped: true }));
		case 'recycle': {
			const { kind = 'video' } = sections[last] ?? {};
			return sections.length > 1 ? others(last, () => peer.section(kind, 'sendonly')) : [...sections];
		}
		case 'restart':
			peer.restart();
			return [...sections];
		case 'newSsrc':
			return others(last, () => ({ ssrc: peer.nextSsrc() }));
		case 'again':
			return [...sections];
	}
}

/** What has ended is not offered any more. */
function checkSending({ name, sending }: RoomClient, user: User): void {
	for (const { connectionId } of user.connections) {
		const carried = mediaPullers(user).filter((puller) => puller.connectionId === connectionId);
		for (const mid of sending.get(connectionId) ?? []) {
			assert.ok(
				carried.some((puller) => puller.mid === mid),
				`${name} is offered nothing on ${mid} any more`,
			);
		}
	}
}

function checkView(name: string, view: View, room: Room, user: User): void {
	const others = [...room.users.values()].filter((other) => other !== user);
	const facts = others.map((other) => {
		const { userId, userName, metadata = null } = other;
		const known = view.users.get(userId)?.pushers;
		return {
			userId,
			userName,
			metadata,
			pushers: pushersOf(other)
				.map(({ pusherId, paused, source = null, metadata = null }) => ({
					pusherId,
					said: { source, metadata },
					paused: known?.get(pusherId)?.paused === undefined ? undefined : paused,
				}))
				.sort(byId),
		};
	});
	const known = [...view.users].map(([userId, { userName, metadata, pushers }]) => ({
		userId,
		userName,
		metadata,
		pushers: [...pushers].map(([pusherId, { paused, said }]) => ({ pusherId, said, paused })).sort(byId),
	}));
	const byUser = (a: { userId: string }, b: { userId: string }) => a.userId.localeCompare(b.userId);
	assert.deepEqual(known.sort(byUser), facts.sort(byUser), `what ${name} (${key(view)}) knows is so`);
	if (!view.resumed) {
		assert.deepEqual(
			[...view.pullers].sort(),
			pullersOf(user)
				.map(({ pullerId }) => pullerId)
				.sort(),
			`${name} knows what it receives`,
		);
		const { follows } = view;
		if (follows && !user.pendingOffer) {
			const offered = pullersOf(user).filter(({ connectionId }) => connectionId === follows.connectionId);
			const pulled = new Set(offered.map(({ pusherId }) => pusherId));
			const missing = others.flatMap(pushersOf).flatMap(({ pusherId }) => (pulled.has(pusherId) ? [] : pusherId));
			assert.deepEqual(
				missing.filter((id) => !follows.without.has(id)),
				[],
				`${name} gets everything`,
			);
		}
	}
}

const byId = (a: { pusherId: string }, b: { pusherId: string }) => a.pusherId.localeCompare(b.pusherId);
