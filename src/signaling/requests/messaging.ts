import { checkData } from '../schemas.js';
import type { RequestHandler } from './RequestContext.js';

/** Handlers of the app's own messages and requests, from clients. */
export const messaging = {
	/** It comes as a notification alone. */
	appMessage: (data, { memberOf }) => {
		const message = checkData.appMessage(data);
		memberOf(message).user.heard(message.name, message.data);
		return () => ({});
	},

	// The app takes as long as it likes, and later messages pass.
	appRequest: (data, { memberOf, askApp }) => {
		const request = checkData.appRequest(data);
		const { user } = memberOf(request);
		const answer = askApp(user, request.name, request.data);
		return {
			later: answer.then((data) => () => ({
				code: 0,
				message: 'appRequest success',
				...(data !== undefined && { data }),
			})),
		};
	},
} satisfies Record<string, RequestHandler>;
