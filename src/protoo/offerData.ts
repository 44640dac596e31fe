import type { ServerOffer } from '../core/connections/OfferingConnection.js';
import type { Puller } from '../core/pullers/Puller.js';
import type { OfferData, PullerData } from './messages.js';

/** An offer of the server as the messages tell it. */
export function offerData({ connection, offer, pullers }: ServerOffer): OfferData {
	return {
		connectionId: connection.connectionId,
		sdp: { type: 'offer', sdp: offer },
		pullers: pullersData(pullers.filter(({ closed }) => !closed)),
	};
}

export const pullersData = (pullers: readonly Puller[]): PullerData[] =>
	pullers.map(({ pullerId, pusherId, targetUserId, mid }) => ({ pullerId, pusherId, userId: targetUserId, mid }));
