import { SfuError, type AppClient, type AppMessage, type SfuErrorCode, type User } from '../index.js';
import { errorCodes, type AppMessageData } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import { checkData } from './schemas.js';
import type { ClientResponse, MemberSession } from './SignalingClient.js';

interface AppDeliveryOptions<Message> {
	user: User;
	roomId: string;
	/** The session that speaks for the user, `undefined` while its socket is lost. */
	session: () => MemberSession<Message> | undefined;
	encode: (message: AppMessage, data: AppMessageData) => Message;
}

/** Something for a client that has not got the response to its join yet. */
interface Waiting<Message> {
	with: (session: MemberSession<Message>) => void;
	lost: () => void;
}

/** An app that sends more than this to a client before its join is answered loses the first of it. */
const mostWaiting = 1000;

/**
 * Brings the app's own messages and requests to the client of a user. Those that come before the response to the join wait for
 * it. While the socket is lost, messages are lost, and requests fail.
 */
export class AppDelivery<Message> implements AppClient {
	readonly #options: AppDeliveryOptions<Message>;
	readonly #waiting: Waiting<Message>[] = [];
	#state: 'joining' | 'listening' | 'lost' = 'joining';

	constructor(options: AppDeliveryOptions<Message>) {
		this.#options = options;
		options.user.once('closed', () => {
			this.lost();
		});
	}

	/** A client joins: what comes from now on waits for the response. */
	joining(): void {
		this.#state = 'joining';
	}

	/** The client has got the response to its join. */
	listen(): void {
		const session = this.#options.session();
		if (!session || this.#state !== 'joining') return;
		this.#state = 'listening';
		for (const { with: use } of this.#waiting.splice(0)) use(session);
	}

	/** The socket is lost, or the user has left. */
	lost(): void {
		this.#state = 'lost';
		for (const { lost } of this.#waiting.splice(0)) lost();
	}

	send(message: AppMessage): void {
		this.#reach({
			with: ({ client }) => {
				client.send(this.#options.encode(message, this.#dataOf(message)));
			},
			lost: () => undefined,
		});
	}

	async request(message: AppMessage, timeout: number): Promise<unknown> {
		const response = await new Promise<ClientResponse>((resolve, reject) => {
			this.#reach({
				with: (session) => {
					this.#ask(session, message, timeout).then(resolve, reject);
				},
				lost: () => {
					reject(this.#unreachable());
				},
			});
		});
		if (!response.ok) throw failure(response);
		return checkData.appResponse(response.data).data;
	}

	/** @throws {@link SfuError} (rejects) */
	async #ask({ client }: MemberSession<Message>, message: AppMessage, timeout: number): Promise<ClientResponse> {
		const { user } = this.#options;
		let cancel: (() => void) | undefined;
		let timer: NodeJS.Timeout | undefined;
		try {
			const request = client.request('appRequest', this.#dataOf(message), { timeout });
			cancel = request.cancel;
			user.once('closed', cancel);
			const late = new Promise<never>((_, reject) => {
				timer = setTimeout(() => {
					reject(new SfuError('timeout', `no answer within ${timeout} ms`));
				}, timeout);
			});
			return await Promise.race([request.response, late]);
		} catch (error) {
			const code = error instanceof SfuError ? error.code : undefined;
			throw code === 'closed' || code === 'conflict' ? this.#unreachable() : error;
		} finally {
			clearTimeout(timer);
			if (cancel) {
				user.off('closed', cancel);
				cancel();
			}
		}
	}

	#reach(use: Waiting<Message>): void {
		const session = this.#options.session();
		if (this.#state === 'listening' && session) use.with(session);
		else if (this.#state === 'joining') {
			if (this.#waiting.length >= mostWaiting) this.#waiting.shift()?.lost();
			this.#waiting.push(use);
		} else use.lost();
	}

	#dataOf({ name, data }: AppMessage): AppMessageData {
		return { roomId: this.#options.roomId, name, ...(data !== undefined && { data }) };
	}

	#unreachable(): SfuError {
		if (this.#options.user.closed) return new SfuError('closed', 'the user has left the room');
		return new SfuError('unavailable', 'the socket of the client is lost');
	}
}

/** Several codes share a number. Of those, clients mean the first one. */
const codes = new Map<number, SfuErrorCode>(
	(['conflict', 'unavailable', ...(Object.keys(errorCodes) as SfuErrorCode[])] as const).reduceRight(
		(known: [number, SfuErrorCode][], code) => [...known, [errorCodes[code], code]],
		[],
	),
);

/** The error that a client fails with. */
function failure({ errorCode, errorReason = '' }: ClientResponse): SfuError {
	const code = (errorCode === undefined ? undefined : codes.get(errorCode)) ?? 'internal';
	return new SfuError(code, `the client failed: ${quoted(errorReason)}`);
}
