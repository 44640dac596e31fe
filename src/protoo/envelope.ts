import { SfuError } from '../index.js';
import type {
	FailureMessage,
	NotificationMessage,
	Notifications,
	RequestMessage,
	SuccessMessage,
} from '../protocol/index.js';

/** A received message of protoo 4. `data` is unchecked. */
export type Incoming =
	| { type: 'request'; id: number; method: string; data: unknown }
	| { type: 'notification'; method: string; data: unknown }
	| { type: 'response'; id: number; ok: boolean; data: unknown };

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

/** Finds the id of a request that is not to be parsed, where every client writes it: before the data. */
export function readId(text: string): number | undefined {
	const start = text.slice(0, 200);
	const [, id] = /"request"\s*:\s*true/.test(start) ? (/"id"\s*:\s*(\d{1,10})\b/.exec(start) ?? []) : [];
	return id !== undefined && isId(Number(id)) ? Number(id) : undefined;
}

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
		return isId(id) && typeof ok === 'boolean' ? { type: 'response', id, ok, data } : undefined;
	}
	if (notification === true) return isMethod(method) ? { type: 'notification', method, data } : undefined;
	return undefined;
}

/** Encodes a request. */
export const writeRequest = (id: number, method: string, data: object): string =>
	JSON.stringify({ request: true, id, method, data } satisfies RequestMessage);

/** Encodes the response to a request that succeeded. */
export const writeSuccess = (id: number, data: object): string =>
	JSON.stringify({ response: true, id, ok: true, data } satisfies SuccessMessage);

/** Encodes the response to a request that failed. */
export const writeFailure = (id: number, errorCode: number, errorReason: string): string =>
	JSON.stringify({ response: true, id, ok: false, errorCode, errorReason } satisfies FailureMessage);

/** Encodes a notification. */
export const writeNotification = <Method extends keyof Notifications>(
	method: Method,
	data: Notifications[Method],
): string => JSON.stringify({ notification: true, method, data } satisfies NotificationMessage);
