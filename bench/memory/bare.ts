import { createWorker } from 'mediasoup';
import type { DtlsParameters, Router, WebRtcServer, WebRtcTransport, Worker } from 'mediasoup/types';
import { anOffer } from '../../test/support/offers.js';
import { defaultLimits } from '../../src/options.js';
import type { Offer } from '../../src/sdp/Offer.js';
import { parseOffer } from '../../src/sdp/parseOffer.js';
import { producerParameters } from '../../src/sdp/rtpParameters.js';

/** A worker of mediasoup with a router, and what the library does with them for one RTCPeerConnection. */
export class Bare {
	readonly worker: Worker;
	readonly webRtcServer: WebRtcServer;
	readonly #router: Router;
	readonly #pushed = readOffer('chromium-sendonly-audio-video');

	static async start(): Promise<Bare> {
		const worker = await createWorker({ logLevel: 'error' });
		const webRtcServer = await worker.createWebRtcServer({
			listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip: '127.0.0.1' })),
		});
		const router = await worker.createRouter({
			mediaCodecs: [
				{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
				{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
			],
		});
		return new Bare(worker, webRtcServer, router);
	}

	private constructor(worker: Worker, webRtcServer: WebRtcServer, router: Router) {
		this.worker = worker;
		this.webRtcServer = webRtcServer;
		this.#router = router;
	}

	/** Receives tracks of these kinds. */
	async push(kinds: readonly string[]): Promise<{ transport: WebRtcTransport; producerIds: string[] }> {
		const { dtls, media } = this.#pushed;
		const transport = await this.#connect(dtls);
		const producers = await Promise.all(
			media.filter(({ kind }) => kinds.includes(kind)).map((options) => transport.produce(options)),
		);
		return { transport, producerIds: producers.map(({ id }) => id) };
	}

	/** Sends what was pushed. */
	async pull(producerIds: readonly string[]): Promise<WebRtcTransport> {
		const transport = await this.#connect(this.#pushed.dtls);
		const { rtpCapabilities } = this.#router;
		try {
			await Promise.all(producerIds.map((producerId) => transport.consume({ producerId, rtpCapabilities })));
			return transport;
		} catch (error) {
			transport.close();
			throw error;
		}
	}

	closeRouter(): void {
		this.#router.close();
	}

	close(): void {
		this.worker.close();
	}

	async #connect(dtlsParameters: DtlsParameters): Promise<WebRtcTransport> {
		const transport = await this.#router.createWebRtcTransport({
			webRtcServer: this.webRtcServer,
			enableUdp: true,
			enableTcp: true,
			preferUdp: true,
			enableSctp: true,
		});
		await transport.connect({ dtlsParameters });
		return transport;
	}
}

/** What a push needs of an offer: the parameters of each m-line in its first codec. */
function readOffer(name: string) {
	const offer: Offer = parseOffer(anOffer(name), defaultLimits);
	const extensionIds = new Map<string, number>();
	const media = offer.media.flatMap((section) => {
		const { kind, codecs } = section;
		const codec = codecs.find(({ name: codecName }) => codecName === 'opus' || codecName === 'VP8');
		if (!kind || !codec) return [];
		return [{ kind, rtpParameters: producerParameters({ ...section, kind }, codec, extensionIds) }];
	});
	return { dtls: offer.dtls, media };
}
