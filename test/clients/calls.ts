import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Room, User } from 'sfu-rooms';
import type { Kind, VideoCodec } from '../support/client.js';
import type { Client, Received } from './Client.js';
import type { Offerer } from './table.js';

// A second of the camera, and how long it may take on a machine that is busy with other things.
const frames = 15;
const timeout = 60_000;

const kinds: Kind[] = ['video', 'audio'];

/** A new user who pushes video in this codec and audio, until the test ends. */
export async function startPushing(t: TestContext, client: Client, room: Room, codec: VideoCodec): Promise<User> {
	const user = await room.join({ userId: randomUUID() });
	const { id, offer } = await client.createPusher({ codec });
	t.after(() => client.close(id));
	const { answer } = await user.push(offer);
	await client.acceptAnswer(id, answer);
	return user;
}

/** A new user who pulls others on one RTCPeerConnection, until the test ends. */
export class PullingUser {
	readonly #t: TestContext;
	readonly #client: Client;
	readonly #offerer: Offerer;
	readonly #user: User;
	#id: string | undefined;
	#pulls = 0;

	private constructor(t: TestContext, client: Client, offerer: Offerer, user: User) {
		this.#t = t;
		this.#client = client;
		this.#offerer = offerer;
		this.#user = user;
	}

	static async join(t: TestContext, client: Client, offerer: Offerer, room: Room): Promise<PullingUser> {
		return new PullingUser(t, client, offerer, await room.join({ userId: randomUUID() }));
	}

	/** Pulls the video and the audio of a user, too. */
	async pull({ userId, pushers }: User): Promise<void> {
		this.#pulls++;
		const ofKind = (kind: Kind) => [...pushers.values()].filter((pusher) => pusher.kind === kind);
		const options = { targetUserId: userId, specs: kinds.flatMap(ofKind).map(({ pusherId }) => ({ pusherId })) };
		if (this.#offerer === 'server') {
			const offered = await this.#user.pull(options);
			await offered.answer(await this.#answer(offered.sdp));
		} else {
			const { answer } = await this.#user.pull({ ...options, offer: await this.#offer() });
			await this.#client.acceptAnswer(this.#id!, answer);
		}
	}

	/** Waits until all that was pulled plays. */
	async untilPlaying(): Promise<Received> {
		const deadline = Date.now() + timeout;
		for (;;) {
			const received = await this.#client.received(this.#id!);
			assert.equal(received.fault, '');
			const playing = [
				received.video.filter((decoded) => decoded >= frames),
				received.audio.filter((heard) => heard > 0),
			];
			if (playing.every(({ length }) => length === this.#pulls)) return received;
			if (Date.now() > deadline) {
				const pullers = [...this.#user.pullers.values()].filter((puller) => puller.kind !== 'data');
				const forwarded = await Promise.all(pullers.map((puller) => puller.getStats()));
				assert.fail(`after ${timeout} ms: ${JSON.stringify(received)}, by the server: ${JSON.stringify(forwarded)}`);
			}
			await sleep(200);
		}
	}

	async #offer(): Promise<string> {
		if (this.#id !== undefined) return this.#client.offerAgain(this.#id, { kinds });
		const { id, offer } = await this.#client.createPuller({ kinds });
		this.#opened(id);
		return offer;
	}

	async #answer(offer: string): Promise<string> {
		if (this.#id !== undefined) return this.#client.answerAgain(this.#id, offer);
		const { id, answer } = await this.#client.answerOffer(offer);
		this.#opened(id);
		return answer;
	}

	#opened(id: string): void {
		this.#id = id;
		this.#t.after(() => this.#client.close(id));
	}
}
