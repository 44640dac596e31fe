import type { OfferingConnection } from '../connections/OfferingConnection.js';
import type { ServerOffer } from '../connections/ServerOffer.js';
import type { UserConnections } from '../connections/UserConnections.js';
import { isOpen } from '../isOpen.js';
import type { GrowingOperation } from '../Observers.js';
import { quoted } from '../quoted.js';
import { parseOffer } from '../sdp/parseOffer.js';
import { SfuError } from '../SfuError.js';
import { checkPullOptions, findTargets, type PullOptions, type ServerPullOptions } from '../tracks/PullOptions.js';
import { readPushOptions, type PushOptions } from '../tracks/PushOptions.js';
import type { OtherUser, UserContext } from './UserContext.js';
import { audioFirst, type PullResult, type PushResult } from './userCalls.js';

/** The offers and answers of one user: `push`, `pull` and `answer` of a User. */
export class UserNegotiations {
	readonly #user: OtherUser & { readonly closed: boolean };
	readonly #connections: UserConnections;
	readonly #context: UserContext;

	constructor(user: OtherUser & { readonly closed: boolean }, connections: UserConnections, context: UserContext) {
		this.#user = user;
		this.#connections = connections;
		this.#context = context;
	}

	/** @throws {@link SfuError} (rejects) as `User.push()` does */
	push(offer: string, options: PushOptions): Promise<PushResult> {
		return this.#context.observers.run('push', {}, async (operation) => {
			this.#assertOpen();
			const { limits } = this.#context.options;
			const checked = readPushOptions(options, limits);
			const parsed = parseOffer(offer, limits);
			const connection = this.#connections.toAnswer(parsed, options.connectionId);
			operation.connectionId = connection.connectionId;
			const { answer, pushers, rejected } = await connection.answer(parsed, { push: checked });
			return { answer, pushers: pushers.filter(isOpen), connection, rejected };
		});
	}

	/** @throws {@link SfuError} (rejects) as `User.pull()` does */
	pull(options: PullOptions | ServerPullOptions): Promise<PullResult | ServerOffer> {
		return this.#context.observers.run('pull', {}, (operation) => this.#pull(options, operation));
	}

	/** @throws {@link SfuError} (rejects) as `User.answer()` does */
	async answer({ connectionId, answer }: { connectionId: string; answer: string }): Promise<void> {
		const { pendingOffer } = this.#findOffering(connectionId);
		if (!pendingOffer) throw new SfuError('conflict', 'no offer waits for an answer');
		await pendingOffer.answer(answer);
	}

	/** @throws {@link SfuError} as `User.restartIce()` does */
	restartIce(connectionId: string): void {
		this.#findOffering(connectionId).restartIce();
	}

	/**
	 * Another user of the room. Nobody learns from a refusal that a hidden user is there.
	 *
	 * @throws {@link SfuError} `not_found`
	 */
	findTarget(userId: string): OtherUser {
		const target = this.#context.findUser(userId);
		if (!target.permissions.hidden || target === this.#user) return target;
		throw new SfuError('not_found', `no user ${quoted(userId)} in the room`);
	}

	async #pull(
		options: PullOptions | ServerPullOptions,
		operation: GrowingOperation,
	): Promise<PullResult | ServerOffer> {
		this.#assertOpen();
		const { targetUserId, specs, offer, connectionId } = checkPullOptions(options);
		const target = this.findTarget(targetUserId);
		if (offer === undefined) {
			const { media, data } = findTargets(target, specs);
			const connection = this.#connections.toOffer();
			operation.connectionId = connection.connectionId;
			return connection.pull({ media: audioFirst(media), data });
		}
		const parsed = parseOffer(offer, this.#context.options.limits);
		const known = this.#connections.find(parsed, connectionId);
		const targets = findTargets(target, specs, (pusherId) => known?.hasPulled(pusherId) ?? false);
		const connection = this.#connections.toAnswer(parsed, connectionId);
		operation.connectionId = connection.connectionId;
		const { answer, pullers } = await connection.answer(parsed, { pull: targets });
		return { answer, pullers: pullers.filter(isOpen), connection };
	}

	#findOffering(connectionId: string): OfferingConnection {
		this.#assertOpen();
		const { offering } = this.#connections;
		if (offering?.connectionId === connectionId) return offering;
		throw new SfuError('not_found', `the user has no connection ${quoted(connectionId)} for which the server offers`);
	}

	#assertOpen(): void {
		if (this.#user.closed) throw new SfuError('closed', 'the user has left the room');
	}
}
