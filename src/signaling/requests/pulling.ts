import type { DataPuller } from '../../tracks/DataPuller.js';
import type { Puller } from '../../tracks/Puller.js';
import type { User } from '../../rooms/User.js';
import type { PullSuccess } from '../../protocol/messages.js';
import { pullersData } from '../offerData.js';
import { checkData } from '../schemas.js';
import { autoPull, pullOffered } from './offering.js';
import { dataPullerData, whenAny } from '../serialize.js';
import { find, type RequestHandler } from './RequestContext.js';

/** What a client asks for what it receives. */
export const pulling: Record<string, RequestHandler> = {
	pull: async (data, context) => {
		if (typeof data === 'object' && data !== null && 'autoPull' in data) return autoPull(data, context);
		const pull = checkData.pull(data);
		const { peer, memberOf, authorize } = context;
		const { roomId, userId, targetUserId } = pull;
		const member = memberOf(pull);
		member.countOffer();
		const specs = pull.specs.map(({ type, pusher_id, negotiated }) => ({
			kind: type,
			pusherId: pusher_id,
			...(negotiated !== undefined && { negotiated }),
		}));
		await authorize({ action: 'pull', roomId, userId, targetUserId, specs });
		if (!pull.sdp) return { later: pullOffered(member, peer, { targetUserId, specs }) };
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
		const request = checkData.puller(data);
		await find(memberOf(request).user.pullers, request.pullerId, 'puller').requestKeyframe();
		return () => ({ code: 0, message: 'requestKeyframe success' });
	},

	pausePuller: async (data, { memberOf }) => {
		const request = checkData.puller(data);
		const puller = find(allPullers(memberOf(request).user), request.pullerId, 'puller');
		await puller.pause('client');
		return () => ({ code: 0, message: 'pausePuller success', paused: puller.paused });
	},

	resumePuller: async (data, { memberOf }) => {
		const request = checkData.puller(data);
		const puller = find(allPullers(memberOf(request).user), request.pullerId, 'puller');
		await puller.resume('client');
		return () => ({ code: 0, message: 'resumePuller success', paused: puller.paused });
	},

	setPreferredLayers: async (data, { memberOf }) => {
		const request = checkData.preferredLayers(data);
		const { pullerId, spatialLayer, temporalLayer } = request;
		const puller = find(memberOf(request).user.pullers, pullerId, 'puller');
		await puller.setPreferredLayers({ spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) });
		return () => ({ code: 0, message: 'setPreferredLayers success', ...puller.preferredLayers });
	},
};

const allPullers = ({ pullers, dataPullers }: User): ReadonlyMap<string, Puller | DataPuller> =>
	new Map<string, Puller | DataPuller>([...pullers, ...dataPullers]);
