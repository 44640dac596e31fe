import { createWorker } from 'mediasoup';
import type {
	Consumer,
	MediaKind,
	Producer,
	Router,
	RtpCapabilities,
	WebRtcServer,
	WebRtcTransport,
} from 'mediasoup/types';
import { defaultLimits } from '../../src/options.js';
import type { OfferedMediaSection } from '../../src/sdp/Offer.js';
import { parseOffer } from '../../src/sdp/parseOffer.js';
import { consumerCapabilities, headerExtensionUris, producerParameters } from '../../src/sdp/rtpParameters.js';
import { pullOffer, pushOffer, ssrcsOf } from './descriptions.js';
import type { Remote, Server, ServerOptions } from './Server.js';

// The payload types of Chromium.
const mediaCodecs = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 111 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 96 },
] as const;

/** One router of mediasoup on each worker, and pipes from the first one to the others. */
export async function startBare({ estimate, workers: count, video }: ServerOptions): Promise<Server> {
	const workers = await Promise.all(Array.from({ length: count }, () => createWorker()));
	const places = await Promise.all(
		workers.map(async (worker) => {
			const listenInfos = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip: '127.0.0.1' }));
			const webRtcServer = await worker.createWebRtcServer({ listenInfos });
			return { webRtcServer, router: await worker.createRouter({ mediaCodecs: [...mediaCodecs] }) };
		}),
	);
	const producers: Producer[] = [];
	const consumers: Consumer[] = [];
	let pulls = 0;
	const [first] = places;
	if (!first) throw new Error('there is no worker');
	return {
		workers: workers.map(({ pid }) => pid),
		async push(client) {
			const sdp = pushOffer(client, video);
			const offer = parseOffer(sdp, defaultLimits);
			const transport = await createTransport(first);
			await transport.connect({ dtlsParameters: offer.dtls });
			const extensionIds = new Map<string, number>();
			for (const section of offer.media) {
				const { media, codec } = chosen(section);
				const rtpParameters = producerParameters(media, codec, extensionIds);
				producers.push(await transport.produce({ kind: media.kind, rtpParameters }));
			}
			for (const { router } of places.slice(1)) {
				for (const { id: producerId } of producers) await first.router.pipeToRouter({ producerId, router });
			}
			return { ...remoteOf(transport), ssrcs: ssrcsOf(sdp) };
		},
		async pull(client) {
			const { media, dtls } = parseOffer(pullOffer(client), defaultLimits);
			const place = places[pulls++ % places.length] ?? first;
			const transport = await createTransport(place);
			await transport.connect({ dtlsParameters: dtls });
			const made = await Promise.all(
				producers.map(({ id: producerId, kind }) => {
					const rtpCapabilities = estimate ? ownCapabilities(place.router, kind) : offeredCapabilities(media, kind);
					return transport.consume({ producerId, rtpCapabilities });
				}),
			);
			consumers.push(...made);
			const extensions = made.flatMap(({ rtpParameters }) => rtpParameters.headerExtensions ?? []);
			const transportCc = extensions.find(({ uri }) => uri === headerExtensionUris.transportCc)?.id ?? 0;
			return { ...remoteOf(transport), transportCc };
		},
		async counts() {
			const [received, sent] = await Promise.all([
				Promise.all(producers.map((producer) => producer.getStats())),
				Promise.all(consumers.map((consumer) => consumer.getStats())),
			]);
			const forwarded = sent.flat().filter(({ type }) => type === 'outbound-rtp');
			return { received: packets(received.flat()), forwarded: packets(forwarded) };
		},
	};
}

const packets = (streams: { packetCount: number }[]) => streams.reduce((sum, { packetCount }) => sum + packetCount, 0);

const createTransport = ({ router, webRtcServer }: { router: Router; webRtcServer: WebRtcServer }) =>
	router.createWebRtcTransport({
		webRtcServer,
		enableUdp: true,
		enableTcp: true,
		preferUdp: true,
		iceConsentTimeout: 250,
		initialAvailableOutgoingBitrate: 1_000_000,
	});

function remoteOf({ iceParameters, iceCandidates }: WebRtcTransport): Remote {
	const { usernameFragment, password } = iceParameters;
	const port = iceCandidates.find(({ protocol }) => protocol === 'udp')?.port ?? 0;
	return { usernameFragment, password, port, transportCc: 0 };
}

/** An m-line, and the codec that all of this uses. */
function chosen(section: OfferedMediaSection) {
	const { kind, codecs } = section;
	const codec = codecs.find(({ name }) => name === 'opus' || name === 'VP8');
	if (!kind || !codec) throw new Error('an m-line without a codec to use');
	return { media: { ...section, kind }, codec };
}

/** The capabilities that sfu-rooms finds in the offer of a client. */
function offeredCapabilities(sections: readonly OfferedMediaSection[], kind: MediaKind): RtpCapabilities {
	const section = sections.find((one) => one.kind === kind);
	if (!section) throw new Error(`the offer has no ${kind}`);
	const { media, codec } = chosen(section);
	return consumerCapabilities(media, codec, codec.rtxPayloadType);
}

/** All that the router can do. */
function ownCapabilities({ rtpCapabilities }: Router, kind: MediaKind): RtpCapabilities {
	const { codecs = [], headerExtensions = [] } = rtpCapabilities;
	return {
		codecs: codecs.filter((codec) => codec.kind === kind),
		headerExtensions: headerExtensions.filter((extension) => extension.kind === kind),
	};
}
