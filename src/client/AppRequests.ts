import { errorCodes, type AppMessageData, type AppResponse } from '../protocol/index.js';
import { RoomError } from './RoomError.js';

/** Answers a request of the app. */
export type AppRequestHandler = (data: unknown) => unknown;

/** What the page answers to the app on the server. */
export class AppRequests {
	readonly #handlers = new Map<string, AppRequestHandler>();

	/** @returns a function that takes it away */
	handle(name: string, handler: AppRequestHandler): () => void {
		this.#handlers.set(name, handler);
		return () => {
			if (this.#handlers.get(name) === handler) this.#handlers.delete(name);
		};
	}

	async answer({ name, data }: AppMessageData): Promise<AppResponse> {
		const handler = this.#handlers.get(name);
		if (!handler) throw new RoomError('appRequest', errorCodes.not_found, `there is nobody to answer ${name}`);
		return { data: await handler(data) };
	}
}
