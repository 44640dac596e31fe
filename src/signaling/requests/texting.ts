import { SfuError, type User } from '../../index.js';
import { checkData } from '../schemas.js';
import type { RequestHandler } from './RequestContext.js';

/** Handlers of the requests about texts. A text may come as a notification, too. */
export const texting = {
	textMessage: async (data, { memberOf, sendText, authorize, limits }) => {
		const message = checkData.textMessage(data);
		const { length } = message.message;
		if (length > limits.textLength) {
			throw new SfuError('too_large', `the text has ${length} characters, and only ${limits.textLength} are allowed`);
		}
		const { user } = memberOf(message);
		const { roomId, userId, message: text, time } = message;
		assertMaySend(user);
		await authorize({ action: 'textMessage', roomId, userId, message: text }, data);
		if (user.closed) throw new SfuError('closed', 'the user has left meanwhile');
		assertMaySend(user);
		// The name is that of the join, not that of the message.
		sendText({ roomId, userId, userName: user.userName, message: text, time });
		return () => ({ code: 0, message: 'textMessage success' });
	},
} satisfies Record<string, RequestHandler>;

/** @throws {@link SfuError} `forbidden` */
function assertMaySend({ permissions }: User): void {
	if (!permissions.sendText) throw new SfuError('forbidden', 'the user may not send text messages');
}
