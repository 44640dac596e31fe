import type { AnyPusher, Room, User } from '../index.js';
import type { Members } from './Members.js';
import type { RoomListeners } from './RoomListeners.js';
import { activeSpeakerData, changedData, dataPusherData, permissionsData, userData } from './serialize.js';

/** Which notifications the members of a room get, beside those that all get. */
export interface RoomNotifications {
	rtcpilot: boolean;
	audioLevels: boolean;
	userQuality: boolean;
}

/** Notifies the members of a room of what happens in it. */
export function notifyOfRoom<Message>(
	listeners: RoomListeners,
	members: Members<Message>,
	{ rtcpilot, audioLevels, userQuality }: RoomNotifications,
): void {
	const { room } = listeners;
	const { roomId } = room;
	const tellLeft = (user: User) => {
		const { userId } = user;
		members.tellAllBut(user, 'userLeft', [userId]);
		if (rtcpilot) members.tellAllBut(user, 'userLeave', { roomId, userId });
	};
	listeners.on('userJoined', ({ user }) => {
		members.tellOthers(user, 'newUser', [userData(user, [], { rtcpilot })]);
	});
	listeners.on('userRenamed', ({ user }) => {
		const { userId, userName } = user;
		members.tellOthers(user, 'userRenamed', { roomId, userId, userName });
	});
	listeners.on('userChanged', ({ user }) => {
		members.tellOthers(user, 'userChanged', changedData(user, roomId));
	});
	listeners.on('permissionsChanged', ({ user, permissions, before }) => {
		if (before.hidden && !permissions.hidden) members.tellOthers(user, 'newUser', [userData(user, [], { rtcpilot })]);
		else if (!before.hidden && permissions.hidden) tellLeft(user);
		const data = { roomId, userId: user.userId, permissions: permissionsData(permissions) };
		members.tellUser(user, 'permissionsChanged', data);
	});
	listeners.on('pushed', ({ user, pushers }) => {
		const { metadata: _, ...data } = userData(user, pushers, { rtcpilot });
		members.tellOthers(user, 'newPusher', { roomId, ...data });
	});
	listeners.on('pusherAdded', ({ user, pusher }) => {
		if (pusher.kind !== 'data') return;
		const { userId, userName } = user;
		members.tellOthers(user, 'newDataPusher', { roomId, userId, userName, dataPushers: [dataPusherData(pusher)] });
	});
	listeners.on('pusherChanged', ({ user, pusher: { pusherId, source = null, metadata = null } }) => {
		const { userId } = user;
		members.tellOthers(user, 'pusherChanged', { roomId, userId, pushers: [{ pusherId, source, metadata }] });
	});
	listeners.on('pusherClosed', ({ user, pusher, reason }) => {
		// For a user who leaves, `userLeft` is enough.
		if (reason !== 'userLeft') members.tellOthers(user, 'pusherClosed', pusherIdData(room, user, pusher));
	});
	for (const event of ['pusherPaused', 'pusherResumed'] as const) {
		listeners.on(event, ({ user, pusher, cause }) => {
			const data = pusherIdData(room, user, pusher);
			// The user's own client needs to know only if the app did it.
			if (cause === 'app') members.tellAll(event, data);
			else members.tellOthers(user, event, data);
		});
	}
	for (const event of ['pusherStalled', 'pusherRecovered'] as const) {
		listeners.on(event, ({ user, pusher }) => {
			// The user's own client may not know that nothing arrives: its way back may be open.
			members.tellAll(event, pusherIdData(room, user, pusher));
		});
	}
	listeners.on('activeSpeakerChanged', () => {
		members.tellAll('activeSpeaker', activeSpeakerData(room) ?? { roomId, userId: null, pusherId: null });
	});
	if (audioLevels) {
		listeners.on('audioLevels', ({ levels }) => {
			members.tellAll('audioLevels', {
				roomId,
				levels: levels.map(({ user, pusher, volume }) => ({
					userId: user.userId,
					pusherId: pusher.pusherId,
					volume,
				})),
			});
		});
	}
	if (userQuality) {
		listeners.on('userRated', ({ user, quality = null }) => {
			const data = { roomId, userId: user.userId, quality };
			if (user.permissions.hidden) members.tellUser(user, 'userQuality', data);
			else members.tellAll('userQuality', data);
		});
	}
	listeners.on('userLeft', ({ user, reason }) => {
		if (reason === 'roomClosed') return;
		if (!user.permissions.hidden) tellLeft(user);
	});
	listeners.on('draining', ({ timeout = null }) => {
		members.tellAll('migrate', { roomId, timeout });
	});
	listeners.on('closed', ({ reason }) => {
		members.tellAll('roomClosed', { roomId, reason });
	});
}

const pusherIdData = ({ roomId }: Room, { userId }: User, { pusherId }: AnyPusher) => ({
	roomId,
	userId,
	pusherIds: [pusherId],
});
