import { isOpen } from '../isOpen.js';
import type { ServerOffer } from '../core/connections/ServerOffer.js';
import type { Puller } from '../core/pullers/Puller.js';
import type { OfferData, PullerData } from './messages.js';
import { dataPullerData, whenAny } from './userData.js';

/** An offer of the server as the messages tell it. */
export function offerData({ connection, offer, pullers, dataPullers }: ServerOffer): OfferData {
	return {
		connectionId: connection.connectionId,
		sdp: { type: 'offer', sdp: offer },
		pullers: pullersData(pullers.filter(isOpen)),
		...whenAny('dataPullers', dataPullers.filter(isOpen).map(dataPullerData)),
	};
}

export const pullersData = (pullers: readonly Puller[]): PullerData[] =>
	pullers.map(({ pullerId, pusherId, targetUserId, mid }) => ({ pullerId, pusherId, userId: targetUserId, mid }));
