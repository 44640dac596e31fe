import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import { SfuError } from '../SfuError.js';

/**
 * Calls the worker on behalf of an object. Rejects with `closed` if the object has closed meanwhile.
 *
 * @param what - the object's name in the message, such as "the pusher"
 */
export async function callWorker<Result>(
	owner: { readonly closed: boolean },
	what: string,
	ask: () => Promise<Result>,
): Promise<Result> {
	const gone = (cause?: unknown) => new SfuError('closed', `${what} has been closed`, { cause });
	const isClosed = () => owner.closed;
	if (isClosed()) throw gone();
	try {
		const result = await ask();
		if (isClosed()) throw gone();
		return result;
	} catch (error) {
		throw isClosed() ? gone(error) : toSfuError(error);
	}
}

/** Whether the worker could not open one more socket, which the operator must know of. */
export const isExhausted = (error: unknown): boolean =>
	error instanceof Error && /too many open files|port bind failed|no (?:more )?available ports?/i.test(error.message);

/** Maps an error of mediasoup to an SfuError. A worker or a router may close during any call, and that is no fault. */
export function toSfuError(error: unknown): SfuError {
	if (error instanceof SfuError) return error;
	if (error instanceof WorkerClosedError) {
		return new SfuError('unavailable', 'the media worker is gone', { cause: error });
	}
	if (error instanceof NotFoundError) {
		return new SfuError('closed', 'it was closed meanwhile', { cause: error });
	}
	if (error instanceof UnsupportedError) {
		return new SfuError('unsupported', 'the media is not supported', { cause: error });
	}
	if (isExhausted(error)) {
		return new SfuError('unavailable', 'the media worker has no file descriptors or ports left', { cause: error });
	}
	return new SfuError('internal', 'internal error', { cause: error });
}
