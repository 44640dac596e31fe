import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnyPusher, Permissions, Room, User } from 'sfu-rooms';
import { AnsweringPeer } from '../support/answers.js';
import { anOffer, fromAnotherClient } from '../support/offers.js';

// Whatever clients and app do: nobody pushes or receives what its permissions deny, and nobody who is muted is heard.

const userIds = ['ann', 'bob', 'cas'];
const sources = [undefined, 'microphone', 'camera', 'screen'];
const pushes: Permissions['push'][] = [
	true,
	false,
	{ kinds: ['audio'] },
	{ sources: ['camera', 'audio'] },
	{ maxPushers: 1 },
];
const pulls: [name: string, pull: Permissions['pull']][] = [
	['all', true],
	['nothing', false],
	['audio', ({ pusher }) => pusher.kind === 'audio'],
	['of ann', ({ target }) => target.userId === 'ann'],
];

const userId = fc.constantFrom(...userIds);
const nat = fc.nat({ max: 9 });
export const step = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			act: fc.constantFrom('push', 'pushAgain', 'pushOtherSsrcs', 'pushByPull', 'pull', 'autoPull'),
			userId,
			source: fc.constantFrom(...sources),
			nth: nat,
		}),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			act: fc.constantFrom('pause', 'resume', 'rename', 'clientResume', 'pausePuller', 'resumePuller', 'rejoin'),
			userId,
			source: fc.constantFrom(...sources),
			nth: nat,
		}),
	},
	{
		weight: 3,
		arbitrary: fc.record({
			act: fc.constant('permit'),
			userId,
			push: fc.constantFrom(...pushes),
			pull: fc.constantFrom(...pulls),
		}),
	},
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Written down here once more, so that the core is not asked about itself. */
function mayPush({ permissions: { push } }: User, { kind, source }: AnyPusher): boolean {
	if (kind === 'data' || typeof push === 'boolean') return push === true;
	const named = source ?? kind;
	return (push.kinds?.includes(kind) ?? true) && (push.sources?.includes(named) ?? true);
}

/** What the worker holds. */
interface Held {
	/** Whether nothing of a pusher flows. */
	isPaused(pusher: AnyPusher): boolean | Promise<boolean>;
	/** The tracks that are sent to clients. */
	consumers(): number | Promise<number>;
}

export class Play {
	readonly #room: Room;
	readonly #held: Held;
	readonly #offers = new Map<User, string>();
	/** The sources that the app has muted, by user id. */
	readonly #muted = new Set<string>();
	/** What the app lets a user not receive, by user id and pusher id. */
	readonly #heldBack = new Set<string>();
	/** Those without a source that were there when another such one was muted: that one was meant alone. */
	#notMeant = new Set<AnyPusher>();

	constructor(room: Room, held: Held) {
		this.#room = room;
		this.#held = held;
	}

	async user(id: string): Promise<User> {
		const known = this.#room.users.get(id);
		if (known) return known;
		const user = await this.#room.join({ userId: id });
		const peer = new AnsweringPeer();
		user.on('offer', ({ offer }) => void offer.answer(peer.answer(offer.sdp)).catch(() => undefined));
		return user;
	}

	async do(step: Step): Promise<void> {
		const user = await this.user(step.userId);
		if ('push' in step) {
			user.setPermissions({ push: step.push, pull: step.pull[1] });
			return;
		}
		const { act, source, nth } = step;
		const pusher = [...user.pushers.values()].at(nth % Math.max(user.pushers.size, 1));
		const puller = [...user.pullers.values()].at(nth % Math.max(user.pullers.size, 1));
		const media = { '0': source === undefined ? {} : { source } };
		const name = (of: AnyPusher) => `${user.userId} ${of.kind} ${of.source ?? ''}`;
		switch (act) {
			case 'push':
			case 'pushAgain':
			case 'pushOtherSsrcs': {
				if (act === 'push') {
					this.#offers.set(user, anOffer('chromium-sendonly-audio-video').replaceAll('a=sendonly', 'a=sendrecv'));
				}
				const offer = this.#offers.get(user);
				if (!offer) return;
				if (act === 'pushOtherSsrcs') this.#offers.set(user, withOtherSsrcs(offer));
				await user.push(this.#offers.get(user) ?? offer, { media });
				return;
			}
			case 'pushByPull':
			case 'pull': {
				const target = await this.user(userIds[nth % userIds.length] ?? 'ann');
				const specs = [...target.pushers.keys()].map((pusherId) => ({ pusherId }));
				const known = this.#offers.get(user);
				const offer = act === 'pushByPull' && known ? withOtherSsrcs(known) : anOffer('chromium-recvonly-video-audio');
				if (act === 'pushByPull' && known) this.#offers.set(user, offer);
				await user.pull({ targetUserId: target.userId, specs, offer });
				return;
			}
			case 'autoPull':
				user.autoPull();
				return;
			case 'pause':
				if (!pusher) return;
				this.#muted.add(name(pusher));
				if (pusher.source === undefined) {
					for (const other of user.pushers.values()) if (other !== pusher) this.#notMeant.add(other);
				}
				return pusher.pause();
			case 'resume':
				if (!pusher) return;
				// It takes back all that mutes this one, and other pushers may be paused by the same.
				this.#muted.clear();
				return pusher.resume();
			case 'clientResume':
				return pusher?.resume('client');
			case 'rename':
				pusher?.update({ source: source ?? null }, 'client');
				return;
			case 'pausePuller':
				if (!puller) return;
				this.#heldBack.add(`${user.userId} ${puller.pusherId}`);
				return puller.pause();
			case 'resumePuller':
				if (!puller) return;
				this.#heldBack.delete(`${user.userId} ${puller.pusherId}`);
				return puller.resume();
			case 'rejoin':
				user.close();
		}
	}

	async check(): Promise<void> {
		for (const user of this.#room.users.values()) {
			const { push, pull } = user.permissions;
			const tracks = [...user.pushers.values()];
			for (const pusher of tracks) {
				assert.ok(mayPush(user, pusher), `${user.userId} pushes ${pusher.kind} ${String(pusher.source)}`);
				if (this.#notMeant.has(pusher)) continue;
				if (!this.#muted.has(`${user.userId} ${pusher.kind} ${pusher.source ?? ''}`)) continue;
				assert.ok(pusher.pausedBy.includes('app'), `${user.userId} is muted`);
				assert.equal(pusher.closed || (await this.#held.isPaused(pusher)), true, 'in the worker, too');
			}
			if (typeof push === 'object') assert.ok(tracks.length <= (push.maxPushers ?? Infinity), 'so many it may push');
			for (const puller of user.pullers.values()) {
				const target = this.#room.users.get(puller.targetUserId);
				const pusher = target?.pushers.get(puller.pusherId);
				assert.ok(target && pusher, 'what is pulled is there');
				const may = typeof pull === 'boolean' ? pull : pull({ user, target, pusher });
				assert.ok(may, `${user.userId} receives ${puller.kind} of ${target.userId}`);
				if (this.#heldBack.has(`${user.userId} ${puller.pusherId}`)) assert.ok(puller.pausedBy.includes('app'));
			}
		}
		const pulled = [...this.#room.users.values()].flatMap(({ pullers }) => [...pullers.values()]);
		assert.equal(await this.#held.consumers(), pulled.length, 'and nothing else is sent');
	}
}

function withOtherSsrcs(offer: string): string {
	const kept = ['a=fingerprint:', 'o='].map((start) => new RegExp(`^${start}.*$`, 'm').exec(offer)?.[0] ?? '');
	return fromAnotherClient(offer)
		.replace(/^a=fingerprint:.*$/gm, kept[0] ?? '')
		.replace(/^o=.*$/m, kept[1] ?? '');
}
