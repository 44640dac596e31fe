import { isOpen } from '../isOpen.js';
import type { ServerOffer } from '../connections/ServerOffer.js';
import type { Puller } from '../tracks/Puller.js';
import type { OfferData, PullerData } from '../protocol/messages.js';
import { dataPullerData, whenAny } from './serialize.js';

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
