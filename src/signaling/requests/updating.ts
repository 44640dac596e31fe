import { SfuError } from '../../index.js';
import { checkData } from '../schemas.js';
import type { RequestHandler } from './RequestContext.js';

/** Handlers of the requests about the user itself. */
export const updating: Record<string, RequestHandler> = {
	updateUser: async (data, { memberOf, authorize }) => {
		const request = checkData.updateUser(data);
		const { roomId, userId, userName, metadata } = request;
		const { user } = memberOf(request);
		const details = { ...(userName !== undefined && { userName }), ...(metadata !== undefined && { metadata }) };
		await authorize({ action: 'updateUser', roomId, userId, details }, data);
		if (user.closed) throw new SfuError('closed', 'the user has left meanwhile');
		user.update(details, 'client');
		return () => ({ code: 0, message: 'updateUser success' });
	},
};
