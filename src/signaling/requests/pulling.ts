import { SfuError, type Puller, type User } from '../../index.js';
import type { PullSuccess } from '../../protocol/index.js';
import { quoted } from '../../quoted.js';
import { checkData } from '../schemas.js';
import { pullersData } from '../serialize.js';
import { autoPull, pullOffered } from './offering.js';
import { find, type RequestHandler } from './RequestContext.js';

/** Handlers of the requests about pullers. */
export const pulling: Record<string, RequestHandler> = {
	pull: async (data, context) => {
		if (typeof data === 'object' && data !== null && 'autoPull' in data) return autoPull(data, context);
		const pull = checkData.pull(data);
		const { session, memberOf, countOffer, authorize } = context;
		const { roomId, userId, targetUserId } = pull;
		const member = memberOf(pull);
		countOffer();
		const specs = pull.specs.map(({ type, pusher_id, negotiated }) => ({
			kind: type,
			pusherId: pusher_id,
			...(negotiated !== undefined && { negotiated }),
		}));
		await authorize({ action: 'pull', roomId, userId, targetUserId, specs }, data);
		if (!pull.sdp) return { later: pullOffered(member, session, { targetUserId, specs }) };
		const { answer, pullers, connection } = await member.user.pull({
			targetUserId,
			specs,
			offer: pull.sdp.sdp,
			...(pull.connectionId !== undefined && { connectionId: pull.connectionId }),
		});
		return (): PullSuccess => ({
			code: 0,
			message: 'pull success',
			sdp: answer,
			connectionId: connection.connectionId,
			...pullersData(pullers),
		});
	},

	unpull: (data, { memberOf }) => {
		const unpull = checkData.unpull(data);
		const all = memberOf(unpull).user.pullers;
		const pullers = unpull.pullerIds.map((pullerId) => find(all, pullerId, 'puller'));
		for (const puller of pullers) puller.close('unpulled');
		return () => ({ code: 0, message: 'unpull success' });
	},

	requestKeyframe: async (data, { memberOf }) => {
		const request = checkData.requestKeyframe(data);
		await findTrack(memberOf(request).user, request.pullerId).requestKeyframe();
		return () => ({ code: 0, message: 'requestKeyframe success' });
	},

	pausePuller: async (data, { memberOf }) => {
		const request = checkData.pausePuller(data);
		const puller = find(memberOf(request).user.pullers, request.pullerId, 'puller');
		await puller.pause('client');
		return () => ({ code: 0, message: 'pausePuller success', paused: puller.paused });
	},

	resumePuller: async (data, { memberOf }) => {
		const request = checkData.resumePuller(data);
		const puller = find(memberOf(request).user.pullers, request.pullerId, 'puller');
		await puller.resume('client');
		return () => ({ code: 0, message: 'resumePuller success', paused: puller.paused });
	},

	setPreferredLayers: async (data, { memberOf }) => {
		const request = checkData.setPreferredLayers(data);
		const { pullerId, spatialLayer, temporalLayer } = request;
		const puller = findTrack(memberOf(request).user, pullerId);
		await puller.setPreferredLayers({ spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) });
		return () => ({ code: 0, message: 'setPreferredLayers success', ...puller.preferredLayers });
	},
};

/**
 * Finds a media puller.
 *
 * @throws {@link SfuError} `not_found`, also for a data channel
 */
function findTrack({ pullers }: User, pullerId: string): Puller {
	const puller = find(pullers, pullerId, 'puller');
	if (puller.kind === 'data') throw new SfuError('not_found', `the puller ${quoted(pullerId)} is a data channel`);
	return puller;
}
