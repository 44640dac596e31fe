import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Connection, User } from '../index.js';
import { iceOf, withIce, writeFragment, type FragmentIce } from './sdpFragment.js';

/** What every session begins with. */
export interface SessionStart {
	/** Its id, which nobody can guess. */
	sessionId: string;
	user: User;
	/** The bearer token that it was opened with. */
	token: string | undefined;
	/** The offer that it was opened with. */
	offer: string;
}

/** A user that has come by HTTP, and its RTCPeerConnection. It ends when one of them does. */
export abstract class HttpSession {
	readonly sessionId: string;
	readonly user: User;
	/** The SDP answer. */
	readonly answer: string;
	/** Only a hash of the token is kept. */
	readonly #token: Buffer | undefined;
	#offer: string;
	#tag = newTag();
	/** What the last ICE restart was answered with. */
	#fragment: string | undefined;
	#restarts: Promise<unknown> = Promise.resolve();

	constructor({ sessionId, user, token, offer }: SessionStart, connection: Connection, answer: string) {
		this.sessionId = sessionId;
		this.user = user;
		this.answer = answer;
		this.#token = hashed(token);
		this.#offer = offer;
		connection.once('closed', ({ reason }) => {
			user.close(reason === 'dtlsClosed' ? 'left' : 'disconnected');
		});
	}

	/** The entity tag of its ICE session (RFC 9725, section 4.3.1). */
	get entityTag(): string {
		return this.#tag;
	}

	/** Whether a token is the one that it was opened with. */
	isOf(token: string | undefined): boolean {
		const given = hashed(token);
		if (!this.#token || !given) return this.#token === given;
		return timingSafeEqual(this.#token, given);
	}

	/** Whether credentials are those of the ICE session that the client is in. */
	hasIce({ usernameFragment, password }: FragmentIce): boolean {
		const current = iceOf(this.#offer);
		return current?.usernameFragment === usernameFragment && current.password === password;
	}

	/** What the restart to the present credentials was answered with, for a client to which the answer was lost. */
	get lastFragment(): string | undefined {
		return this.#fragment;
	}

	/**
	 * Restarts ICE. Restarts are done one after the other. One that fails leaves the session as it is.
	 *
	 * @returns the SDP fragment for the client
	 */
	restartIce(ice: FragmentIce): Promise<string> {
		const restart = this.#restarts.then(async () => {
			const offer = withIce(this.#offer, ice);
			const fragment = writeFragment(await this.answerRestart(offer));
			this.#offer = offer;
			this.#tag = newTag();
			this.#fragment = fragment;
			return fragment;
		});
		const ended = () => undefined;
		this.#restarts = restart.then(ended, ended);
		return restart;
	}

	/** Ends it. */
	close(reason?: string): void {
		this.user.close(reason);
	}

	/** Answers the offer, which restarts ICE. */
	protected abstract answerRestart(offer: string): Promise<string>;
}

const newTag = (): string => `"${randomBytes(9).toString('base64url')}"`;

const hashed = (token: string | undefined): Buffer | undefined =>
	token === undefined ? undefined : createHash('sha256').update(token).digest();
