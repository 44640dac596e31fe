import type { DataPuller, Puller, User } from '../../index.js';
import type { PullSuccess } from '../../protocol/index.js';
import { checkData } from '../schemas.js';
import { dataPullerData, pullersData, whenAny } from '../serialize.js';
import { autoPull, pullOffered } from './offering.js';
import { find, type RequestHandler } from './RequestContext.js';

/** Handlers of the requests about pullers. */
export const pulling: Record<string, RequestHandler> = {
	pull: async (data, context) => {
		if (typeof data === 'object' && data !== null && 'autoPull' in data) return autoPull(data, context);
		const pull = checkData.pull(data);
		const { session, memberOf, authorize } = context;
		const { roomId, userId, targetUserId } = pull;
		const member = memberOf(pull);
		member.countOffer();
		const specs = pull.specs.map(({ type, pusher_id, negotiated }) => ({
			kind: type,
			pusherId: pusher_id,
			...(negotiated !== undefined && { negotiated }),
		}));
		await authorize({ action: 'pull', roomId, userId, targetUserId, specs });
		if (!pull.sdp) return { later: pullOffered(member, session, { targetUserId, specs }) };
		const { answer, pullers, dataPullers, connection } = await member.user.pull({
			targetUserId,
			specs,
			offer: pull.sdp.sdp,
		});
		return (): PullSuccess => ({
			code: 0,
			message: 'pull success',
			sdp: answer,
			connectionId: connection.connectionId,
			pullers: pullersData(pullers),
			...whenAny('dataPullers', dataPullers.map(dataPullerData)),
		});
	},

	unpull: (data, { memberOf }) => {
		const unpull = checkData.unpull(data);
		const all = allPullers(memberOf(unpull).user);
		const pullers = unpull.pullerIds.map((pullerId) => find(all, pullerId, 'puller'));
		for (const puller of pullers) puller.close('unpulled');
		return () => ({ code: 0, message: 'unpull success' });
	},

	requestKeyframe: async (data, { memberOf }) => {
		const request = checkData.requestKeyframe(data);
		await find(memberOf(request).user.pullers, request.pullerId, 'puller').requestKeyframe();
		return () => ({ code: 0, message: 'requestKeyframe success' });
	},

	pausePuller: async (data, { memberOf }) => {
		const request = checkData.pausePuller(data);
		const puller = find(allPullers(memberOf(request).user), request.pullerId, 'puller');
		await puller.pause('client');
		return () => ({ code: 0, message: 'pausePuller success', paused: puller.paused });
	},

	resumePuller: async (data, { memberOf }) => {
		const request = checkData.resumePuller(data);
		const puller = find(allPullers(memberOf(request).user), request.pullerId, 'puller');
		await puller.resume('client');
		return () => ({ code: 0, message: 'resumePuller success', paused: puller.paused });
	},

	setPreferredLayers: async (data, { memberOf }) => {
		const request = checkData.setPreferredLayers(data);
		const { pullerId, spatialLayer, temporalLayer } = request;
		const puller = find(memberOf(request).user.pullers, pullerId, 'puller');
		await puller.setPreferredLayers({ spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) });
		return () => ({ code: 0, message: 'setPreferredLayers success', ...puller.preferredLayers });
	},
};

const allPullers = ({ pullers, dataPullers }: User): ReadonlyMap<string, Puller | DataPuller> =>
	new Map<string, Puller | DataPuller>([...pullers, ...dataPullers]);
