import type {
	Consumer,
	DtlsParameters,
	MediaKind,
	Producer,
	Router,
	RtpCapabilities,
	RtpParameters,
	WebRtcServer,
	WebRtcTransport,
	Worker,
} from 'mediasoup/types';

/** A room of bare mediasoup: a router on each worker that it needs, and one producer. */
export class BareRoom {
	readonly #workers: readonly { worker: Worker; webRtcServer: WebRtcServer }[];
	readonly #routers = new Map<number, Promise<Router>>();
	#producer: { of: Producer; router: Router } | undefined;
	/** On the routers that the producer has been piped to. */
	readonly #piped = new Map<Router, Promise<unknown>>();

	constructor(workers: readonly { worker: Worker; webRtcServer: WebRtcServer }[]) {
		this.#workers = workers;
	}

	/** What one user may ask for, on a worker. */
	async join(worker: number) {
		const { webRtcServer } = this.#workers[worker]!;
		const router = await this.#routerOn(worker);
		let transport: WebRtcTransport;
		let consumer: Consumer;
		return {
			capabilities: router.rtpCapabilities,
			createTransport: async () => {
				transport = await router.createWebRtcTransport({
					webRtcServer,
					enableUdp: true,
					enableTcp: true,
					preferUdp: true,
				});
				const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
				return { id, iceParameters, iceCandidates, dtlsParameters };
			},
			connect: (options: { dtlsParameters: DtlsParameters }) => transport.connect(options),
			produce: async (options: { kind: MediaKind; rtpParameters: RtpParameters }) => {
				this.#producer = { of: await transport.produce(options), router };
				return { id: this.#producer.of.id };
			},
			consume: async ({ rtpCapabilities }: { rtpCapabilities: RtpCapabilities }) => {
				const producerId = this.#producer!.of.id;
				await this.#pipeTo(router);
				consumer = await transport.consume({ producerId, rtpCapabilities, paused: true });
				const { id, kind, rtpParameters } = consumer;
				return { id, producerId, kind, rtpParameters };
			},
			resume: () => consumer.resume(),
		};
	}

	close(): void {
		for (const router of this.#routers.values())
			void router.then((made) => {
				made.close();
			});
	}

	#routerOn(worker: number): Promise<Router> {
		let router = this.#routers.get(worker);
		if (!router) {
			router = this.#workers[worker]!.worker.createRouter({
				mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }],
			});
			this.#routers.set(worker, router);
		}
		return router;
	}

	/** Brings the producer to a router, once. */
	async #pipeTo(router: Router): Promise<void> {
		const { of, router: from } = this.#producer!;
		if (router === from) return;
		const piping = this.#piped.get(router) ?? from.pipeToRouter({ producerId: of.id, router });
		this.#piped.set(router, piping);
		await piping;
	}
}
