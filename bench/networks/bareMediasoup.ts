import { build } from 'esbuild';
import { createWorker } from 'mediasoup';
import type {
	Consumer,
	DtlsParameters,
	MediaKind,
	Producer,
	RtpCapabilities,
	RtpParameters,
	WebRtcTransport,
} from 'mediasoup/types';
import type { Call } from './call.js';
import { serverAddress, type BenchPage } from './network.js';
import { sum } from './sums.js';

/** Starts a worker of mediasoup with one router, for pages with mediasoup-client. All options have their defaults. */
export async function startBareMediasoup(): Promise<Call> {
	const script = await bundle();
	const worker = await createWorker();
	const router = await worker.createRouter({
		mediaCodecs: [
			{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
			{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
		],
	});
	const transports = new Map<string, WebRtcTransport>();
	const producers: Producer[] = [];
	const consumers = new Map<string, Consumer>();
	let pulling: WebRtcTransport | undefined;
	let changes = 0;

	/** What a page may ask for. */
	const handlers = {
		capabilities: () => router.rtpCapabilities,
		async createTransport() {
			const transport = await router.createWebRtcTransport({
				listenInfos: [
					{ protocol: 'udp', ip: serverAddress },
					{ protocol: 'tcp', ip: serverAddress },
				],
				enableUdp: true,
				enableTcp: true,
				preferUdp: true,
			});
			transports.set(transport.id, transport);
			const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
			return { id, iceParameters, iceCandidates, dtlsParameters };
		},
		async connect({ transportId, dtlsParameters }: { transportId: string; dtlsParameters: DtlsParameters }) {
			await transports.get(transportId)!.connect({ dtlsParameters });
		},
		async produce({ transportId, ...options }: { transportId: string; kind: MediaKind; rtpParameters: RtpParameters }) {
			const producer = await transports.get(transportId)!.produce(options);
			producers.push(producer);
			return { id: producer.id };
		},
		async consume({ transportId, rtpCapabilities }: { transportId: string; rtpCapabilities: RtpCapabilities }) {
			pulling = transports.get(transportId)!;
			const list = [];
			for (const { id: producerId } of producers) {
				const consumer = await pulling.consume({ producerId, rtpCapabilities, paused: true });
				consumer.on('layerschange', () => changes++);
				consumers.set(consumer.id, consumer);
				const { id, kind, rtpParameters } = consumer;
				list.push({ id, producerId, kind, rtpParameters });
			}
			return list;
		},
		async resume({ consumerId }: { consumerId: string }) {
			await consumers.get(consumerId)!.resume();
		},
	};

	async function prepare({ driver }: BenchPage) {
		await driver.exposeFunction('signal', (method: keyof typeof handlers, data: never) => handlers[method](data));
		await driver.addScriptTag({ content: script });
	}

	return {
		async push(page, video) {
			await prepare(page);
			await page.driver.evaluate(`bare.push(${JSON.stringify(video)})`);
		},
		async pull(page) {
			await prepare(page);
			const id = await page.driver.evaluate<string>('bare.pull()');
			changes = 0;
			return [id];
		},
		async sent() {
			const [transports, ...streams] = await Promise.all([
				pulling!.getStats(),
				...[...consumers.values()].map((consumer) => consumer.getStats()),
			]);
			const roundTrips = streams
				.flat()
				.flatMap((stream) =>
					stream.type === 'outbound-rtp' && stream.bitrate > 0 ? (stream.roundTripTime ?? []) : [],
				);
			return {
				roundTrip: roundTrips.length > 0 ? Math.max(...roundTrips) : undefined,
				bitrate: sum(transports.map(({ sendBitrate }) => sendBitrate)),
			};
		},
		changes: () => changes,
		lasts: () => [...consumers.values()].every(({ closed }) => !closed),
		close() {
			worker.close();
		},
	};
}

/** What mediasoupPage.js exports, as the global `bare` of a page. */
async function bundle(): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [new URL('mediasoupPage.js', import.meta.url).pathname],
		bundle: true,
		write: false,
		platform: 'browser',
		format: 'iife',
		globalName: 'bare',
	});
	return outputFiles[0]!.text;
}
