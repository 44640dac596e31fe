import type { MediaKind, WebRtcTransport } from 'mediasoup/types';
import { findCodec } from '../media/codecs.js';
import type { Offer, OfferedCodec, OfferedMedia } from '../sdp/Offer.js';
import { consumerCapabilities } from '../sdp/rtpParameters.js';
import { SfuError } from '../SfuError.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { Puller } from './Puller.js';
import type { Pusher } from './Pusher.js';
import { Undo } from './Undo.js';

/** An m-line that we send a pusher on, with the codec that both have. */
export interface PlannedPull {
	media: OfferedMedia & { kind: MediaKind };
	pusher: Pusher;
	codec: OfferedCodec;
}

// mediasoup's worker has room for this many bytes of MID in what it sends.
const longestMid = 8;

/**
 * Gives each pusher an m-line of its kind, in the order of both. What has no codec in common is left out.
 *
 * @throws {@link SfuError} `invalid_argument` when there are fewer m-lines than pushers, `unsupported` when no codec is
 *   in common
 */
export function planPulls(offer: Offer, pushers: readonly Pusher[]): PlannedPull[] {
	const receiving = offer.media.filter(
		(media): media is PlannedPull['media'] =>
			media.kind !== undefined && (media.direction === 'recvonly' || media.direction === 'sendrecv'),
	);
	const assigned = (['video', 'audio'] as const).flatMap((kind) => {
		const wanted = pushers.filter((pusher) => pusher.kind === kind);
		const free = receiving.filter((media) => media.kind === kind);
		if (wanted.length > free.length) {
			throw new SfuError(
				'invalid_argument',
				`specs name ${wanted.length} ${kind} pushers, but the offer receives ${kind} on ${free.length} m-lines`,
			);
		}
		return wanted.flatMap((pusher, index) => {
			const media = free[index];
			return media ? [{ pusher, media }] : [];
		});
	});
	const planned = assigned.flatMap(({ pusher, media }): PlannedPull[] => {
		const codec = findCodec(media.codecs, pusher.kind, pusher.codecCapabilities);
		return codec ? [{ pusher, media, codec }] : [];
	});
	if (planned.length > 0) return planned;
	const missing = assigned.map(({ pusher, media }) => {
		const offered = [...new Set(media.codecs.map(({ name }) => name))].join('/') || 'no media codec';
		return `pusher ${pusher.pusherId} sends ${pusher.media.codec}, the offer has ${offered}`;
	});
	throw new SfuError('unsupported', `no codec in common: ${missing.join('; ')}`);
}

/**
 * Sends one m-line, paused as yet.
 *
 * @returns `undefined` when the pusher has gone meanwhile
 */
export async function createPuller(
	{ media, pusher, codec }: PlannedPull,
	transport: WebRtcTransport,
	connectionId: string,
	{ userId, fabric, pullerQuota, logger }: ConnectionContext,
): Promise<Puller | undefined> {
	const undo = new Undo();
	try {
		undo.add(pullerQuota.take());
		const lease = await fabric.lease(pusher.producer, codec);
		undo.add(() => {
			lease.release();
		});
		const consumer = await transport.consume({
			producerId: lease.producerId,
			rtpCapabilities: consumerCapabilities(media, codec, lease.rtx ? codec.rtxPayloadType : undefined),
			// The MID is only read by clients that have mediasoup's own id for its header extension.
			mid: media.mid !== undefined && Buffer.byteLength(media.mid) <= longestMid ? media.mid : `~${media.index}`,
			paused: true,
		});
		undo.add(() => {
			consumer.close();
		});
		if (transport.closed) throw new SfuError('closed', 'the connection has been closed');
		if (pusher.closed) throw new SfuError('not_found', 'the pusher has gone');
		const puller = new Puller({
			userId,
			targetUserId: pusher.userId,
			pusherId: pusher.pusherId,
			connectionId,
			mid: media.mid,
			consumer,
			logger,
		});
		puller.once('closed', undo.run);
		return puller;
	} catch (error) {
		undo.run();
		if (pusher.closed && !transport.closed) return undefined;
		throw error;
	}
}
