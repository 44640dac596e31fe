import type { Connection } from '../connections/Connection.js';
import { withFields, type Logger } from '../Logger.js';
import type { Observer } from '../Observer.js';
import type { Room } from './Room.js';
import type { User } from './User.js';

/**
 * Logs the life of a room: its users, their connections with their states, what they push and pull, and why it closes. An
 * entry of a user has the fields `roomId` and `userId`, so that an app can follow one user.
 */
export function logRoom(room: Room, logger: Logger): void {
	const { roomId } = room;
	logger.info('a room was opened', { roomId });
	room.on('userJoined', ({ user }) => {
		logUser(user, withFields(logger, { roomId, userId: user.userId }));
	});
	room.once('closed', ({ reason }) => {
		logger.info('a room was closed', { roomId, reason });
	});
}

/** Logs what clients and the app were refused, with the code. */
export function logOperations(logger: Logger): Observer {
	return {
		begun: (operation) => ({
			ended: ({ duration, error }) => {
				const { name, roomId, userId, connectionId } = operation;
				// Why a connection has closed is logged anyway.
				if (!error || name === 'connect') return;
				const ids = {
					roomId,
					...(userId !== undefined && { userId }),
					...(connectionId !== undefined && { connectionId }),
				};
				logger.debug('an operation failed', { operation: name, ...ids, code: error.code, duration, error });
			},
		}),
	};
}

function logUser(user: User, logger: Logger): void {
	logger.info('a user joined');
	user.on('connectionOpened', ({ connection }) => {
		logConnection(connection, withFields(logger, { connectionId: connection.connectionId }));
	});
	user.on('pusherAdded', ({ pusher: { connectionId, pusherId, kind, source } }) => {
		logger.debug('a pusher was added', { connectionId, pusherId, kind, source });
	});
	user.on('pusherClosed', ({ pusher: { connectionId, pusherId, kind }, reason }) => {
		logger.debug('a pusher closed', { connectionId, pusherId, kind, reason });
	});
	user.on('pullerAdded', ({ puller: { connectionId, pullerId, pusherId, kind, targetUserId } }) => {
		logger.debug('a puller was added', { connectionId, pullerId, pusherId, kind, targetUserId });
	});
	user.on('pullerClosed', ({ puller: { connectionId, pullerId, pusherId, kind }, reason }) => {
		logger.debug('a puller closed', { connectionId, pullerId, pusherId, kind, reason });
	});
	user.once('closed', ({ reason }) => {
		logger.info('a user left', { reason });
	});
}

function logConnection(connection: Connection, logger: Logger): void {
	logger.debug('a connection was opened', { offeredBy: connection.offeredBy });
	connection.on('stateChanged', ({ state }) => {
		logger.info('a connection changed its state', { state });
	});
	connection.once('closed', ({ reason }) => {
		logger.info('a connection closed', { reason });
	});
}
