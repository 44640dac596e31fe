import { SfuError } from '../index.js';
import type { FailureMessage, NotificationMessage, Notifications, RequestMessage } from '../protocol/index.js';
import { writeJson } from '../signaling/index.js';

/** A received message of protoo 4. `data` is unchecked. */
export type Incoming =
	| { type: 'request'; id: number; method: string; data: unknown }
	| { type: 'notification'; method: string; data: unknown }
	| { type: 'response'; id: number; ok: true; data: unknown }
	| { type: 'response'; id: number; ok: false; errorCode?: number; errorReason?: string };

/** The error of an invalid request that has an id, so that it can be answered. */
export class InvalidRequestError extends SfuError {
	constructor(
		/** The id of the request. */
		readonly id: number,
		message: string,
	) {
		super('invalid_argument', message);
	}
}

const isId = (value: unknown): value is number =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

const isMethod = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * Finds the type and the id of a message that is not to be parsed, where every client writes them: before the data.
 *
 * @returns `undefined` for a notification, and if they are not found
 */
export function readHead(text: string): { type: 'request' | 'response'; id: number } | undefined {
	const head = text.slice(0, 200);
	const [, type] = /"(request|response)"\s*:\s*true/.exec(head) ?? [];
	const [, digits = ''] = /"id"\s*:\s*(\d{1,10})\b/.exec(head) ?? [];
	if (digits === '' || !isId(Number(digits))) return undefined;
	return type === 'request' || type === 'response' ? { type, id: Number(digits) } : undefined;
}

/** Why a client could not do what the server asked. Both are up to the client. */
const reasonOf = ({ errorCode, errorReason }: { errorCode?: unknown; errorReason?: unknown }) => ({
	...(typeof errorCode === 'number' && { errorCode }),
	...(typeof errorReason === 'string' && { errorReason }),
});

/**
 * Reads a message.
 *
 * @returns `undefined` if it is no protoo message
 * @throws {@link InvalidRequestError} if it is an invalid request with an id
 */
export function readMessage(text: string): Incoming | undefined {
	let message: unknown;
	try {
		message = JSON.parse(text);
	} catch {
		return undefined;
	}
	if (typeof message !== 'object' || message === null) return undefined;
	const { request, response, notification, id, ok, method, data } = message as Record<string, unknown>;
	if (request === true) {
		if (!isId(id)) return undefined;
		if (!isMethod(method)) throw new InvalidRequestError(id, 'method must be a string');
		return { type: 'request', id, method, data };
	}
	if (response === true) {
		if (!isId(id) || typeof ok !== 'boolean') return undefined;
		return ok ? { type: 'response', id, ok, data } : { type: 'response', id, ok, ...reasonOf(message) };
	}
	if (notification === true) return isMethod(method) ? { type: 'notification', method, data } : undefined;
	return undefined;
}

/** Encodes a request. */
export const writeRequest = (id: number, method: string, data: object): string =>
	JSON.stringify({ request: true, id, method, data } satisfies RequestMessage);

/** Encodes the response to a request that succeeded. */
export const writeSuccess = (id: number, data: object): string =>
	`{"response":true,"id":${id},"ok":true,"data":${writeJson(data)}}`;

/** Encodes the response to a request that failed. */
export const writeFailure = (id: number, errorCode: number, errorReason: string): string =>
	JSON.stringify({ response: true, id, ok: false, errorCode, errorReason } satisfies FailureMessage);

/** Encodes a notification. */
export const writeNotification = <Method extends keyof Notifications>(
	method: Method,
	data: Notifications[Method],
): string => JSON.stringify({ notification: true, method, data } satisfies NotificationMessage);
