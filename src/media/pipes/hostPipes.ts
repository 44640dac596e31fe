import type {
	DataProducer,
	MediaKind,
	PipeTransport,
	PipeTransportOptions,
	Producer,
	Router,
	RtpParameters,
	SctpStreamParameters,
	SrtpParameters,
} from 'mediasoup/types';
import { SfuError } from '../../SfuError.js';
import type { DataSizes } from './PipePair.js';
import { sealedSizes } from './sealedData.js';

/** One end of a pair of pipe transports between two servers, as the other server is told of it. */
export interface HostEnd {
	ip: string;
	port: number;
	srtpParameters: SrtpParameters;
}

/** Where a server listens for the media of other servers. */
export interface PipeListen {
	ip: string;
	announcedAddress?: string | undefined;
	/** Default: mediasoup's range. */
	portRange?: { min: number; max: number } | undefined;
}

/** What a server asks for, to receive a track or a data channel of another one. */
export interface TakeRequest {
	/** Stands for what is asked for, until it is dropped. */
	takeId: string;
	pusherId: string;
	/** The router that it is to come to. */
	routerId: string;
	/** All pairs that lead to the server already. */
	pairIds: string[];
	/** Whether video waits until `start` is asked for. Older servers do not know it. */
	canStart?: boolean;
}

/** A track or a data channel that is on its way to another server. */
export interface Taken {
	pairId: string;
	/** The end of the server that sends. */
	end: HostEnd;
	paused: boolean;
	/** Whether it does not flow before `start` is asked for. */
	held?: boolean;
	track?: { kind: MediaKind; rtpParameters: RtpParameters };
	data?: {
		sctpStreamParameters: SctpStreamParameters;
		/** Opens its messages, as Base64. */
		key: string;
	};
}

/** A Producer or a DataProducer, a Consumer or a DataConsumer. */
export interface Carried {
	readonly id: string;
	readonly closed: boolean;
	readonly observer: { once(event: 'close', listener: () => void): unknown };
	close(): void;
}

/** What can be sent to another server, and the router that it is on. */
export type Sendable = { router: Router } & ({ producer: Producer } | { dataProducer: DataProducer });

/** The options of the transports on both ends. */
export function pipeOptions({ ip, announcedAddress, portRange }: PipeListen, data: DataSizes): PipeTransportOptions {
	return {
		listenInfo: {
			protocol: 'udp',
			ip,
			...(announcedAddress !== undefined && { announcedAddress }),
			...(portRange && { portRange }),
		},
		// Both ends must have them.
		enableRtx: true,
		enableSrtp: true,
		enableSctp: true,
		...sealedSizes(data),
	};
}

export function endOf({ tuple, srtpParameters }: PipeTransport): HostEnd {
	if (!srtpParameters) throw new SfuError('internal', 'a pipe between servers has no SRTP');
	return { ip: tuple.localAddress, port: tuple.localPort, srtpParameters };
}
