/** werift as a client, in a process of its own: see Client.ts for what its methods do. */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import * as werift from 'werift';
import type { Kind, VideoCodec } from '../support/client.js';
import { FrameCounter } from './FrameCounter.js';

const videoCodecs = {
	VP8: werift.useVP8,
	VP9: werift.useVP9,
	H264: werift.useH264,
	// The name that AV1 has in SDP; werift's own is an older one.
	AV1: () => werift.useAV1X({ mimeType: 'video/AV1' }),
};

class Connection {
	readonly peer: werift.RTCPeerConnection;
	readonly counters: FrameCounter[] = [];
	readonly #closing: (() => void)[] = [];

	constructor(codecs = Object.keys(videoCodecs) as VideoCodec[]) {
		this.peer = new werift.RTCPeerConnection({
			iceServers: [],
			codecs: { audio: [werift.useOPUS()], video: codecs.map((codec) => videoCodecs[codec]()) },
		});
		this.peer.onRemoteTransceiverAdded.subscribe((transceiver) => {
			this.receive(transceiver);
		});
	}

	receive(transceiver: werift.RTCRtpTransceiver): void {
		transceiver.onTrack.subscribe((track) => {
			const counter = new FrameCounter(transceiver);
			this.counters.push(counter);
			track.onReceiveRtp.subscribe((packet) => {
				counter.add(packet);
			});
		});
	}

	/** Sends the RTP that arrives at a UDP port of loopback, whose number it returns. */
	async send(kind: Kind): Promise<number> {
		const track = new werift.MediaStreamTrack({ kind });
		this.peer.addTransceiver(track, { direction: 'sendonly' });
		const socket = createSocket('udp4').on('message', (packet) => {
			track.writeRtp(packet);
		});
		this.#closing.push(() => {
			socket.close();
		});
		await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
		return socket.address().port;
	}

	async close(): Promise<void> {
		for (const close of this.#closing) close();
		await this.peer.close();
	}
}

const connections = new Map<string, Connection>();

function add(connection: Connection): string {
	const id = String(connections.size);
	connections.set(id, connection);
	return id;
}

function find(id: string): Connection {
	const connection = connections.get(id);
	if (!connection) throw new Error(`there is no connection ${id}`);
	return connection;
}

async function offer({ peer }: Connection): Promise<string> {
	await peer.setLocalDescription(await peer.createOffer());
	return peer.localDescription!.sdp;
}

async function offerToReceive(connection: Connection, kinds: Kind[]): Promise<string> {
	for (const kind of kinds) connection.receive(connection.peer.addTransceiver(kind, { direction: 'recvonly' }));
	return offer(connection);
}

async function answerTo(sdp: string, { peer }: Connection): Promise<string> {
	await peer.setRemoteDescription({ type: 'offer', sdp });
	await peer.setLocalDescription(await peer.createAnswer());
	return peer.localDescription!.sdp;
}

const methods: Record<string, (...args: never[]) => unknown> = {
	async about() {
		const manifest = await readFile(new URL('../../node_modules/werift/package.json', import.meta.url), 'utf8');
		const [version] = /\d+\.\d+/.exec((JSON.parse(manifest) as { version: string }).version) ?? [];
		const lacks = Object.fromEntries(Object.keys(videoCodecs).map((codec) => [codec, false]));
		return { version, send: lacks, receive: lacks };
	},
	async createPusher({ codec }: { codec: VideoCodec }) {
		const connection = new Connection([codec]);
		const ports = { video: await connection.send('video'), audio: await connection.send('audio') };
		return { id: add(connection), offer: await offer(connection), ports };
	},
	async createPuller({ kinds }: { kinds: Kind[] }) {
		const connection = new Connection();
		return { id: add(connection), offer: await offerToReceive(connection, kinds) };
	},
	offerAgain: (id: string, { kinds }: { kinds: Kind[] }) => offerToReceive(find(id), kinds),
	async acceptAnswer(id: string, sdp: string) {
		await find(id).peer.setRemoteDescription({ type: 'answer', sdp });
	},
	async answerOffer(sdp: string) {
		const connection = new Connection();
		return { id: add(connection), answer: await answerTo(sdp, connection) };
	},
	answerAgain: (id: string, sdp: string) => answerTo(sdp, find(id)),
	received(id: string) {
		const { counters } = find(id);
		const frames = (kind: Kind) => counters.filter((counter) => counter.kind === kind).map((counter) => counter.frames);
		return {
			video: frames('video'),
			audio: frames('audio'),
			codec: counters.find(({ kind }) => kind === 'video')?.codec ?? '',
			fault: counters.find(({ fault }) => fault !== undefined)?.fault ?? '',
		};
	},
	close: (id: string) => find(id).close(),
};

interface Call {
	id: number;
	method: string;
	arguments: never[];
}

async function answer(call: Call): Promise<object> {
	try {
		return { id: call.id, result: (await methods[call.method]?.(...call.arguments)) ?? null };
	} catch (error) {
		return { id: call.id, error: error instanceof Error ? error.stack : String(error) };
	}
}

for await (const line of createInterface({ input: process.stdin })) {
	void answer(JSON.parse(line) as Call).then((reply) => process.stdout.write(`${JSON.stringify(reply)}\n`));
}
process.exit();
