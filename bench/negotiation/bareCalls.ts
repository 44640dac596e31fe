import type { MediaKind, RtpCapabilities, RtpParameters, WebRtcTransport, Worker } from 'mediasoup/types';
import { defaultLimits } from '../../src/options.js';
import type { Offer } from '../../src/sdp/Offer.js';
import { parseOffer } from '../../src/sdp/parseOffer.js';
import { producerParameters } from '../../src/sdp/rtpParameters.js';
import { anOffer } from '../../test/support/offers.js';
import type { Calls } from './Call.js';

/** The parameters of audio and video in an offer, each in its first codec. */
function parametersOf({ media }: Offer): { kind: MediaKind; rtpParameters: RtpParameters }[] {
	const extensionIds = new Map<string, number>();
	return media.flatMap((section) => {
		const { kind, codecs } = section;
		const codec = codecs.find(({ name }) => name === 'opus' || name === 'VP8');
		return kind && codec
			? [{ kind, rtpParameters: producerParameters({ ...section, kind }, codec, extensionIds) }]
			: [];
	});
}

const offerOf = (name: string): Offer => parseOffer(anOffer(name), defaultLimits);

/** The calls of mediasoup that a push and a pull need, without waiting in between where order allows. */
export async function bareCalls(worker: Worker): Promise<Calls> {
	const webRtcServer = await worker.createWebRtcServer({
		listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip: '127.0.0.1' })),
	});
	const router = await worker.createRouter({
		mediaCodecs: [
			{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
			{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
		],
	});
	const createTransport = () =>
		router.createWebRtcTransport({
			webRtcServer,
			enableUdp: true,
			enableTcp: true,
			preferUdp: true,
			enableSctp: true,
		});
	const pusher = await createTransport();
	const pushed = await Promise.all(
		parametersOf(offerOf('chromium-sendonly-audio-video')).map((options) => pusher.produce(options)),
	);
	const { codecs, headerExtensions } = router.rtpCapabilities;
	const capabilities: Record<MediaKind, RtpCapabilities> = {
		audio: { codecs: codecs?.filter(({ kind }) => kind === 'audio') ?? [], headerExtensions: headerExtensions ?? [] },
		video: { codecs: codecs?.filter(({ kind }) => kind === 'video') ?? [], headerExtensions: headerExtensions ?? [] },
	};
	const consume = (transport: WebRtcTransport, paused: boolean) =>
		pushed.map(({ id, kind }) => transport.consume({ producerId: id, rtpCapabilities: capabilities[kind], paused }));
	const closer = (transport: WebRtcTransport) => () => {
		transport.close();
	};
	return {
		push: () => {
			const offer = offerOf('chromium-sendonly-audio-video');
			const media = parametersOf(offer);
			return async () => {
				const transport = await createTransport();
				await Promise.all([
					transport.connect({ dtlsParameters: offer.dtls }),
					...media.map((options) => transport.produce(options)),
				]);
				return closer(transport);
			};
		},
		'pull by an offer of the client': () => {
			const offer = offerOf('chromium-recvonly-video-audio');
			return async () => {
				const transport = await createTransport();
				await Promise.all([transport.connect({ dtlsParameters: offer.dtls }), ...consume(transport, false)]);
				return closer(transport);
			};
		},
		'pull by an offer of the server': () => {
			const answer = offerOf('chromium-recvonly-video-audio');
			return async () => {
				const transport = await createTransport();
				const consumers = await Promise.all(consume(transport, true));
				// Here the client answers.
				await Promise.all([
					transport.connect({ dtlsParameters: answer.dtls }),
					...consumers.map((consumer) => consumer.resume()),
				]);
				return closer(transport);
			};
		},
	};
}
