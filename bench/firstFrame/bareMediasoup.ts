import { createWorker } from 'mediasoup';
import type { DtlsParameters, MediaKind, RtpCapabilities, RtpParameters } from 'mediasoup/types';
import type { WebSocket } from 'ws';
import { mediaAddress } from '../../test/support/namespace.js';
import { BareRoom } from './BareRoom.js';
import { pusherId, workerOf, type Server } from './System.js';
import { acceptWebSockets } from './webSockets.js';

/** Starts two workers of mediasoup, for pages with mediasoup-client. All options have their defaults. */
export async function startBareMediasoup(): Promise<Server> {
	const workers = await Promise.all([0, 1].map(startWorker));
	const rooms = new Map<string, BareRoom>();
	const { url, close } = await acceptWebSockets((webSocket) => {
		serve(webSocket, (roomId) => {
			const room = rooms.get(roomId) ?? new BareRoom(workers);
			rooms.set(roomId, room);
			return room;
		});
	});
	return {
		url,
		close() {
			close();
			for (const { worker } of workers) worker.close();
		},
	};
}

async function startWorker() {
	const worker = await createWorker();
	const webRtcServer = await worker.createWebRtcServer({
		listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip: mediaAddress })),
	});
	return { worker, webRtcServer };
}

/** Answers the requests of a page. */
function serve(webSocket: WebSocket, roomOf: (roomId: string) => BareRoom): void {
	let leave: (() => void) | undefined;
	let side: Awaited<ReturnType<BareRoom['join']>>;
	const handlers: Record<string, (data: never) => unknown> = {
		async join(data: { roomId: string; userId: string }) {
			const room = roomOf(data.roomId);
			if (data.userId === pusherId) {
				leave = () => {
					room.close();
				};
			}
			side = await room.join(workerOf(data));
			return side.capabilities;
		},
		createTransport: () => side.createTransport(),
		connect: (data: { dtlsParameters: DtlsParameters }) => side.connect(data),
		produce: (data: { kind: MediaKind; rtpParameters: RtpParameters }) => side.produce(data),
		consume: (data: { rtpCapabilities: RtpCapabilities }) => side.consume(data),
		resume: () => side.resume(),
	};
	webSocket.on('message', (text: Buffer) => {
		const { id, method, data } = JSON.parse(text.toString()) as { id: number; method: string; data: never };
		const respond = (result: object) => {
			webSocket.send(JSON.stringify({ response: true, id, ...result }));
		};
		Promise.resolve(handlers[method]!(data)).then(
			(result) => {
				respond({ ok: true, data: result });
			},
			(error: unknown) => {
				respond({ ok: false, errorCode: 500, errorReason: String(error) });
			},
		);
	});
	webSocket.on('close', () => {
		leave?.();
	});
}
