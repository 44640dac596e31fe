import type { Logger, Sfu, User } from '../index.js';
import type { Authorizer } from './Authorizer.js';
import type { ClientQuota } from './ClientQuotas.js';
import type { OpenRoom } from './Joining.js';
import type { ClientLimits } from './limits.js';
import type { EncodeNotification } from './SignalingClient.js';

/** @internal */
export interface SessionContext<Message, Context> {
	sfu: Sfu;
	openRoom: OpenRoom<Message>;
	authorizer: Authorizer<Context>;
	/** The value that the app gave with the client. */
	context: Context;
	/** What the client may use, over its sockets. */
	quota: ClientQuota;
	/** Called when the client speaks for a user. */
	joined: (user: User) => void;
	/** Encodes the notifications that only this client gets. */
	encode: EncodeNotification<Message>;
	/** Whether responses name the fields that nobody knows. */
	tellsUnknownFields: boolean;
	reconnectTimeout: number;
	limits: Readonly<ClientLimits>;
	logger: Logger;
	closed: () => void;
}
