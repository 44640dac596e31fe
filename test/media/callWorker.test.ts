import assert from 'node:assert/strict';
import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import { describe, it } from 'node:test';
import { toSfuError } from '../../src/media/callWorker.js';
import { SfuError } from '../../src/SfuError.js';

describe("An error of mediasoup's", () => {
	const cases = {
		unavailable: new WorkerClosedError('worker closed'),
		closed: new NotFoundError('transport not found'),
		unsupported: new UnsupportedError('no such codec'),
		internal: new Error('anything else'),
	};
	for (const [code, cause] of Object.entries(cases)) {
		it(`${cause.constructor.name} is ${code}, and does not show in the message`, () => {
			const error = toSfuError(cause);
			assert.ok(error instanceof SfuError);
			assert.equal(error.code, code);
			assert.equal(error.cause, cause);
			assert.ok(!error.message.includes(cause.message));
		});
	}

	it('of ours stays what it is', () => {
		const error = new SfuError('conflict', 'no');
		assert.equal(toSfuError(error), error);
	});

	it('may be anything that was thrown', () => {
		assert.equal(toSfuError(undefined).code, 'internal');
		assert.equal(toSfuError('text').cause, 'text');
	});
});
