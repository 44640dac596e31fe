import type { MediaKind, WebRtcTransport } from 'mediasoup/types';
import type { CodecPolicy } from '../media/codecs.js';
import type { Offer, OfferedCodec, OfferedMedia } from '../sdp/Offer.js';
import { producerParameters } from '../sdp/rtpParameters.js';
import { SfuError } from '../SfuError.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { Pusher } from './Pusher.js';
import { Undo } from './Undo.js';

/** An m-line that we receive, with the codec that we take. */
export interface PlannedPush {
	media: OfferedMedia & { kind: MediaKind };
	codec: OfferedCodec;
}

/**
 * What an offer sends that we can take: of each sending m-line the first codec that is allowed.
 *
 * @throws {@link SfuError} `unsupported` when there is nothing
 */
export function planPushes(offer: Offer, codecs: CodecPolicy): PlannedPush[] {
	const planned = offer.media.flatMap((media): PlannedPush[] => {
		const { kind, direction } = media;
		if (!kind || (direction !== 'sendonly' && direction !== 'sendrecv')) return [];
		const codec = media.codecs.find((offered) => codecs.accepts(offered, kind));
		return codec ? [{ media: { ...media, kind }, codec }] : [];
	});
	if (planned.length > 0) return planned;
	const offered = offer.media.map(({ type, direction, codecs: { length }, ...media }) =>
		[type, direction, length === 0 ? '(no media codec)' : media.kind && namesOf(offer, media.index)].join(' '),
	);
	throw new SfuError('unsupported', `the offer sends nothing that can be taken; it has: ${offered.join(', ')}`);
}

const namesOf = ({ media }: Offer, index: number): string =>
	[...new Set(media[index]?.codecs.map(({ name }) => name))].join('/');

/** Receives one m-line. */
export async function createPusher(
	{ media, codec }: PlannedPush,
	transport: WebRtcTransport,
	connectionId: string,
	extensionIds: Map<string, number>,
	{ userId, fabric, pusherQuota, options, logger }: ConnectionContext,
): Promise<{ pusher: Pusher; parameters: Awaited<ReturnType<typeof fabric.produce>>['rtpParameters'] }> {
	const undo = new Undo();
	try {
		undo.add(pusherQuota.take());
		const rtpParameters = producerParameters(media, codec, extensionIds);
		const producer = await fabric.produce(transport, {
			kind: media.kind,
			rtpParameters,
			keyFrameRequestDelay: options.webRtc.keyframeRequestDelay,
		});
		for (const { uri, id } of rtpParameters.headerExtensions ?? []) extensionIds.set(uri, id);
		const pusher = new Pusher({
			userId,
			connectionId,
			mid: media.mid,
			streamId: media.streamId ?? connectionId,
			producer,
			logger,
		});
		pusher.once('closed', undo.run);
		return { pusher, parameters: producer.rtpParameters };
	} catch (error) {
		undo.run();
		throw error;
	}
}
