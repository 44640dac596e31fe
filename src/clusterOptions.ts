import { isIP } from 'node:net';
import type { Bus } from './cluster/Bus.js';
import { checkListenAddress } from './listenAddress.js';
import { nonEmpty, strict } from './schemas.js';
import { SfuError } from './SfuError.js';

/** How servers share rooms. */
export interface ClusterOptions {
	/** Carries messages between the servers, such as `redisBus(client)`. The Sfu closes it when it closes. */
	bus: Bus;
	/**
	 * Encrypts what goes over the bus, and proves who belongs to the cluster: a random text of at least 32 characters, the same on
	 * all servers.
	 */
	secret: string;
	/** Where this server receives the media of the others, and tells them that it lives: by UDP. */
	listen: ClusterListen;
	/** The name of this server, for people. Default: the host name. */
	name?: string;
}

/** An address for the media of other servers. */
export interface ClusterListen {
	/** The IP address to bind to. */
	ip: string;
	/** The IP address that the other servers send to, if it is another one. `0.0.0.0` and `::` need it. Default: `ip`. */
	announcedAddress?: string;
	/**
	 * The UDP ports to use. The first is for the signs of life, and each other one for media of one room from one server to
	 * another. Default: any of mediasoup's range, 10000 to 59999.
	 */
	portRange?: {
		/** The first port, for the signs of life. */
		min: number;
		/** The last port. */
		max: number;
	};
}

const port = { type: 'integer', minimum: 1, maximum: 65535 };

export const clusterSchema = strict(
	{
		bus: {},
		secret: { type: 'string', minLength: 32 },
		listen: strict(
			{ ip: nonEmpty, announcedAddress: nonEmpty, portRange: strict({ min: port, max: port }, ['min', 'max']) },
			['ip'],
		),
		name: nonEmpty,
	},
	['bus', 'secret', 'listen'],
);

/** @throws {@link SfuError} `invalid_argument`, naming the option */
export function checkCluster({ bus, listen }: ClusterOptions): void {
	const isBus = typeof (bus as Partial<Bus> | undefined)?.publish === 'function';
	if (!isBus) throw new SfuError('invalid_argument', 'options.cluster.bus must be a bus');
	checkListenAddress(listen, 'options.cluster.listen');
	const { announcedAddress, portRange } = listen;
	if (announcedAddress !== undefined && isIP(announcedAddress) === 0) {
		throw new SfuError('invalid_argument', 'options.cluster.listen.announcedAddress must be an IP address');
	}
	if (portRange && portRange.max <= portRange.min) {
		throw new SfuError('invalid_argument', 'options.cluster.listen.portRange must have at least two ports');
	}
}
