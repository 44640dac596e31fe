import type { PullSpec, PusherDetails, PushOptions } from '../index.js';

/** An action of a client, to allow or to refuse. */
export type AuthorizeAction =
	| { action: 'join'; roomId: string; userId: string; userName: string }
	| ({ action: 'push'; roomId: string; userId: string; sdp: string } & PushOptions)
	| { action: 'updatePusher'; roomId: string; userId: string; pusherId: string; details: PusherDetails }
	| { action: 'pull'; roomId: string; userId: string; targetUserId: string; specs: readonly PullSpec[] }
	| { action: 'autoPull'; roomId: string; userId: string }
	| { action: 'textMessage'; roomId: string; userId: string; message: string };

/**
 * Decides whether a client may do something. Everything but `true` is answered with 403. An {@link SfuError} that it
 * throws is answered with its own code and message, any other error with 500 and logged.
 *
 * @param action - the action; except for `join`, of the user that joined on the socket
 * @param context - the value that the adapter got with the socket
 */
export type Authorize = (action: AuthorizeAction, context: unknown) => boolean | Promise<boolean>;
