import type { AnyPuller } from '../index.js';
import type { Notifications } from '../protocol/index.js';
import type { Member } from './Member.js';
import type { Members } from './Members.js';
import { changedData, dataPullerData, ownDataPusherData } from './serialize.js';

/** Notifies a member of its own pullers and connections. */
export function notifyMember<Message>(member: Member<Message>, members: Members<Message>, roomId: string): void {
	const { user } = member;
	const tell = <Method extends keyof Notifications>(method: Method, data: Notifications[Method]) => {
		members.tell([member], method, data);
	};
	user.on('changed', ({ cause }) => {
		// The client knows what it has changed itself.
		if (cause === 'app') tell('userChanged', changedData(user, roomId));
	});
	user.on('pusherAdded', ({ pusher }) => {
		if (pusher.kind !== 'data') return;
		tell('dataChannelPushed', { connectionId: pusher.connectionId, dataPushers: [ownDataPusherData(pusher)] });
	});
	user.on('pullerAdded', ({ puller, inBand }) => {
		if (puller.kind !== 'data' || !inBand) return;
		tell('dataChannelPulled', { connectionId: puller.connectionId, dataPullers: [dataPullerData(puller)] });
	});
	user.on('pullerClosed', ({ puller, reason }) => {
		if (reason === 'userLeft') return;
		tell('pullerClosed', { ...pullerIdData(puller), connectionId: puller.connectionId, reason });
	});
	user.on('pullerChanged', ({ puller, layers }) => {
		const { spatialLayer = null, temporalLayer = null } = layers ?? {};
		tell('layersChanged', { ...pullerIdData(puller), spatialLayer, temporalLayer });
	});
	for (const event of ['pullerPaused', 'pullerResumed'] as const) {
		user.on(event, ({ puller, cause }) => {
			if (cause === 'app' || cause === 'bandwidth') tell(event, { ...pullerIdData(puller), cause });
		});
	}
	user.on('layersWanted', ({ pusher: { pusherId }, encodings }) => {
		tell('layersWanted', { pusherId, encodings: [...encodings] });
	});
	user.on('offer', () => {
		member.bringOffer();
	});
	user.on('qualityChanged', ({ connection: { connectionId }, quality }) => {
		tell('qualityChanged', { connectionId, quality });
	});
	user.on('connectionClosed', ({ connection, reason }) => {
		const { connectionId } = connection;
		if (reason === 'workerDied') tell('mediaLost', { connectionIds: [connectionId] });
		// The client knows when its own connections end.
		else if (connection.offeredBy === 'server' && reason !== 'userLeft') {
			tell('connectionClosed', { connectionId, reason });
		}
	});
	user.once('closed', ({ reason }) => {
		// `roomClosed` tells all members at once, and a client that is replaced is dismissed.
		if (reason === 'roomClosed' || reason === 'replaced') return;
		if (!member.leaving) tell('kicked', { roomId, reason });
	});
}

const pullerIdData = ({ pullerId, pusherId, targetUserId: userId }: AnyPuller) => ({ pullerId, pusherId, userId });
