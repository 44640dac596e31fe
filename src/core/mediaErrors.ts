import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import { SfuError } from '../SfuError.js';

/** What mediasoup throws, in our terms. Gone is not broken: a worker or a router may close during any call. */
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
	return new SfuError('internal', 'internal error', { cause: error });
}
