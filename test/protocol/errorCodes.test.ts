import assert from 'node:assert/strict';
import { it } from 'node:test';
import { errorCodes } from 'sfu-rooms/protoo';

it('errorCodes are those of protocol.md', () => {
	assert.deepEqual(errorCodes, {
		// Malformed or invalid data.
		invalid_argument: 400,
		// Not allowed.
		forbidden: 403,
		// No such room, user, pusher or method.
		not_found: 404,
		// Nothing in the SDP that we can take.
		unsupported: 406,
		// Wrong state.
		conflict: 409,
		closed: 409,
		// Too large.
		too_large: 413,
		// Too many or too fast.
		limit_exceeded: 429,
		// Our fault.
		internal: 500,
		// No media worker at the moment.
		unavailable: 503,
		timeout: 503,
	});
});
