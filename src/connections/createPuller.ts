import type { RtpCapabilities, RtpParameters, WebRtcTransport } from 'mediasoup/types';
import type { VideoPuller } from '../layers/LayerPolicy.js';
import { hasDescriptor, toldDescriptor } from '../media/dependencyDescriptor.js';
import type { PayloadTypes } from '../media/remap/payloadTypes.js';
import type { RoomRouter } from '../media/RoomRouter.js';
import { Rollback } from '../Rollback.js';
import { SfuError } from '../SfuError.js';
import { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { BitrateLimits } from './BitrateLimits.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { onceReceivable } from './onceReceivable.js';
import { TransportLink } from './TransportLink.js';

/** Which pusher to send on an m-line, and how. */
export interface PullerOptions {
	pusher: Pusher;
	/** The mid of the m-line. */
	mid: string | undefined;
	/** The MID in the packets, of at most eight bytes: the worker has no room for more. */
	packetMid: string;
	/** Whether it begins to flow at once. Otherwise it begins paused. */
	flows: boolean;
	/** The payload types that the SDP has for the pusher's codec. */
	payloadTypes: PayloadTypes;
	/** The capabilities of the client, with RTX under the given payload type, or without RTX. */
	capabilities: (rtxPayloadType: number | undefined) => RtpCapabilities;
}

/** The transport to send on. */
export interface PullerTransport {
	connectionId: string;
	router: RoomRouter;
	transport: WebRtcTransport;
	bitrates: BitrateLimits;
}

/**
 * Creates a puller.
 *
 * @returns `undefined` if the pusher has gone meanwhile
 * @throws {@link SfuError} (rejects) `forbidden`, `limit_exceeded`, `closed`, and errors of mediasoup
 */
export async function createPuller(
	{ pusher, mid, packetMid, flows, payloadTypes, capabilities }: PullerOptions,
	{ connectionId, router, transport, bitrates }: PullerTransport,
	{ userId, gate, pullerQuota, layerController, options, logger }: ConnectionContext,
): Promise<Puller | undefined> {
	const rollback = new Rollback();
	const source = pusher.pullSource;
	try {
		rollback.add(pullerQuota.take(pusher.pusherId));
		const admit = gate.beginPull(pusher);
		const lease = await router.attach(source, payloadTypes);
		rollback.add(() => {
			lease.release();
		});
		const rtpCapabilities = capabilities(lease.rtx ? payloadTypes.rtxPayloadType : undefined);
		const isDescribed = hasDescriptor(source.rtpParameters);
		const descriptor = isDescribed ? toldDescriptor(rtpCapabilities) : undefined;
		const lowestOnly = isDescribed && !descriptor && source.type === 'svc';
		const consumer = await transport.consume({
			producerId: lease.producerId,
			rtpCapabilities,
			mid: packetMid,
			paused: !flows,
			...(lowestOnly && { preferredLayers: { spatialLayer: 0 } }),
		});
		rollback.add(() => {
			consumer.close();
		});
		assertOpen(transport);
		if (pusher.closed) throw new SfuError('not_found', 'the pusher has gone');
		if (lease.start) rollback.add(onceReceivable(transport, consumer, lease.start));
		const puller = new Puller({ userId, pusher, connectionId, mid, consumer, descriptor, lowestOnly, logger });
		// The worker tells of it, too, but later.
		const follow = ({ reason }: { reason: string }) => {
			puller.close(reason === 'workerDied' ? reason : 'pusherClosed');
		};
		source.on('closed', follow);
		rollback.add(() => {
			source.off('closed', follow);
		});
		const { layerSelection: selection } = puller;
		if (selection) {
			const video: VideoPuller = {
				userId,
				connectionId,
				consumer,
				source,
				selection,
				get rank() {
					return options.webRtc.keptSources.toReversed().indexOf(pusher.source ?? '');
				},
				get isPausedByOthers() {
					return puller.pausedBy.some((cause) => cause !== 'bandwidth');
				},
				get isCut() {
					return transport.iceState === 'disconnected';
				},
				suspend: (suspended) => puller.suspend(suspended),
				hold: (held) => puller.setPaused('bandwidth', held),
			};
			rollback.add(
				layerController.add(video, new TransportLink(transport, bitrates, hasEstimate(puller.rtpParameters))),
			);
		}
		assertOpen(transport);
		if (puller.closed) throw new SfuError('not_found', 'the pusher has gone');
		puller.once('closed', rollback.run);
		admit(puller);
		return puller;
	} catch (error) {
		rollback.run();
		if (pusher.closed && !transport.closed) return undefined;
		throw error;
	}
}

/** Whether mediasoup estimates the client's bandwidth, and chooses the layers itself. */
function hasEstimate({ codecs }: RtpParameters): boolean {
	return codecs.some(({ rtcpFeedback = [] }) =>
		rtcpFeedback.some(({ type }) => type === 'transport-cc' || type === 'goog-remb'),
	);
}

/** @throws {@link SfuError} `closed` */
function assertOpen({ closed }: WebRtcTransport): void {
	if (closed) throw new SfuError('closed', 'the connection has been closed');
}
