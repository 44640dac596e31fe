import {
	SfuError,
	type PushDataOptions,
	type PusherDetails,
	type PushMediaOptions,
	type PushOptions,
} from '../../index.js';
import type { PushChannelData, PushData, PushMediaData, PushSuccess } from '../../protocol/index.js';
import { quoted } from '../../quoted.js';
import { firstTwice } from '../../schemas.js';
import { checkData } from '../schemas.js';
import { ownPushersData } from '../serialize.js';
import { find, findConnection, type RequestHandler } from './RequestContext.js';

/** Handlers of the requests about pushers. */
export const pushing: Record<string, RequestHandler> = {
	push: async (data, { memberOf, countOffer, authorize }) => {
		const push = checkData.push(data);
		const { roomId, userId } = push;
		const member = memberOf(push);
		countOffer();
		const { sdp } = push.sdp;
		const options = pushOptions(push);
		await authorize(pushAction({ roomId, userId, sdp }, options), data);
		const { answer, pushers, connection, rejected } = await member.user.push(sdp, options);
		if (push.replaces !== connection.connectionId) findConnection(member.user, push.replaces)?.close('replaced');
		return (): PushSuccess => ({
			code: 0,
			message: 'push success',
			sdp: answer,
			connectionId: connection.connectionId,
			...ownPushersData(pushers),
			...(rejected.length > 0 && {
				rejected: rejected.map(({ mid, reason }) => ({ ...(mid !== undefined && { mid }), reason })),
			}),
		});
	},

	unpush: (data, { memberOf }) => {
		const unpush = checkData.unpush(data);
		const { user } = memberOf(unpush);
		const pushers = unpush.pusherIds.map((pusherId) => find(user.pushers, pusherId, 'pusher'));
		for (const pusher of pushers) pusher.close('unpushed');
		return () => ({ code: 0, message: 'unpush success' });
	},

	pausePusher: async (data, { memberOf }) => {
		const request = checkData.pausePusher(data);
		const pusher = find(memberOf(request).user.pushers, request.pusherId, 'pusher');
		await pusher.pause('client');
		return () => ({ code: 0, message: 'pausePusher success', paused: pusher.paused });
	},

	resumePusher: async (data, { memberOf }) => {
		const request = checkData.resumePusher(data);
		const pusher = find(memberOf(request).user.pushers, request.pusherId, 'pusher');
		await pusher.resume('client');
		return () => ({ code: 0, message: 'resumePusher success', paused: pusher.paused });
	},

	updatePusher: async (data, { memberOf, authorize }) => {
		const request = checkData.updatePusher(data);
		const { roomId, userId, pusherId } = request;
		const { user } = memberOf(request);
		find(user.pushers, pusherId, 'pusher');
		const details = detailsOf(request);
		await authorize({ action: 'updatePusher', roomId, userId, pusherId, details }, data);
		find(user.pushers, pusherId, 'pusher').update(details, 'client');
		return () => ({ code: 0, message: 'updatePusher success' });
	},
};

const pushAction = (push: { roomId: string; userId: string; sdp: string }, options: PushOptions) => {
	const { data: dataChannels, ...others } = options;
	return { action: 'push' as const, ...push, ...others, ...(dataChannels && { dataChannels }) };
};

function pushOptions({ media, data, connectionId }: PushData): PushOptions {
	return {
		...(media && { media: mediaOptions(media) }),
		...(data && { data: data.map(channelOf) }),
		...(connectionId !== undefined && { connectionId }),
	};
}

// A message may have unknown fields, which the core would refuse.
function channelOf(data: PushChannelData): PushDataOptions {
	const { id, label, protocol, ordered, maxPacketLifeTime, maxRetransmits } = data;
	return {
		id,
		...(label !== undefined && { label }),
		...(protocol !== undefined && { protocol }),
		...(ordered !== undefined && { ordered }),
		...(maxPacketLifeTime !== undefined && { maxPacketLifeTime }),
		...(maxRetransmits !== undefined && { maxRetransmits }),
		...detailsOf(data),
	};
}

function mediaOptions(media: PushMediaData[]): NonNullable<PushOptions['media']> {
	const twice = firstTwice(media.map(({ mid }) => mid));
	if (twice !== undefined) throw new SfuError('invalid_argument', `data.media names mid ${quoted(twice)} twice`);
	return Object.fromEntries(media.map((options) => [options.mid, mediaOptionsOf(options)]));
}

const mediaOptionsOf = ({ scalabilityMode, codecs, maxBitrate, ...details }: PushMediaData): PushMediaOptions => ({
	...detailsOf(details),
	...(scalabilityMode !== undefined && { scalabilityMode }),
	...(codecs !== undefined && { codecs }),
	...(maxBitrate !== undefined && { maxBitrate }),
});

// A message may have unknown fields, which the core would refuse.
const detailsOf = ({ source, metadata }: { source?: string | null; metadata?: unknown }): PusherDetails => ({
	...(source !== undefined && { source }),
	...(metadata !== undefined && { metadata }),
});
