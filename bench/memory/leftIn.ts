import type { Router, WebRtcServer, Worker } from 'mediasoup/types';

/** What mediasoup's own tests look at. */
interface Testable {
	routersForTesting: Set<Router>;
	webRtcServersForTesting: Set<WebRtcServer>;
}

/** Counts what is left in a worker whose WebRtcServer is the only thing that should be there: all counts should be 0. */
export async function leftIn(worker: Worker): Promise<Record<string, number>> {
	const { routersForTesting, webRtcServersForTesting } = worker as unknown as Testable;
	const [dump, ...servers] = await Promise.all([
		worker.dump(),
		...[...webRtcServersForTesting].map((server) => server.dump()),
	]);
	const { channelRequestHandlers, channelNotificationHandlers } = dump.channelMessageHandlers;
	const sum = (of: (server: (typeof servers)[number]) => unknown[]) =>
		servers.reduce((all, server) => all + of(server).length, 0);
	return {
		routers: dump.routerIds.length,
		'routers known to Node': routersForTesting.size,
		'handlers of requests': channelRequestHandlers.length - servers.length,
		'handlers of notifications': channelNotificationHandlers.length,
		transports: sum(({ webRtcTransportIds }) => webRtcTransportIds),
		'ICE username fragments': sum(({ localIceUsernameFragments }) => localIceUsernameFragments),
	};
}
