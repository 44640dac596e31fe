import * as werift from 'werift';
import type { ServerProcess } from './serverProcesses.js';

/** How many packets a picture has. */
const packetsPerPicture = 3;
/** How often sounds and pictures are sent, in ms. */
const soundInterval = 20;
const pictureInterval = 50;

/** A picture that cannot be shown for so long needs a new keyframe, in ms. */
const patience = 500;

/** What VP8 begins a picture with: an inter frame has the lowest bit. The payload descriptor comes before it. */
const [startOfPicture, goesOn] = [0x10, 0x00];

/**
 * @param rtcpFeedback - what the video has. A receiver of werift asks for what is missing every few ms, so often that the server
 *   takes its link for overloaded, and holds the video
 */
function newConnection(
	localAddress: string | undefined,
	rtcpFeedback: { type: string; parameter?: string }[],
): werift.RTCPeerConnection {
	return new werift.RTCPeerConnection({
		iceServers: [],
		iceUseIpv6: false,
		...(localAddress !== undefined && { iceInterfaceAddresses: { udp4: localAddress } }),
		codecs: { audio: [werift.useOPUS()], video: [werift.useVP8({ rtcpFeedback })] },
	});
}

/** A client that sends sounds, and pictures that carry their number. It makes a keyframe whenever it is asked for one. */
export class SendingPeer {
	/** How many have been sent. */
	sounds = 0;
	pictures = 0;
	/** How many keyframes are among the pictures. */
	keyframes = 0;
	readonly #connection: werift.RTCPeerConnection;
	readonly #audio = new werift.MediaStreamTrack({ kind: 'audio' });
	readonly #video = new werift.MediaStreamTrack({ kind: 'video' });
	#wantsKeyframe = true;
	#timers: NodeJS.Timeout[] = [];
	#packets = 0;

	/** @param localAddress - from which it connects, if not from any */
	static async connect(server: ServerProcess, roomId: string, userId: string, localAddress?: string) {
		const peer = new SendingPeer(localAddress);
		await peer.#connect((offer) => server.call('push', roomId, userId, offer));
		return peer;
	}

	private constructor(localAddress?: string) {
		this.#connection = newConnection(localAddress, [werift.useNACK(), werift.usePLI()]);
		const stream = new werift.MediaStream();
		for (const track of [this.#audio, this.#video]) {
			const transceiver = this.#connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
			transceiver.sender.onPictureLossIndication.subscribe(() => {
				this.#wantsKeyframe = true;
			});
		}
	}

	async close(): Promise<void> {
		for (const timer of this.#timers) clearInterval(timer);
		await this.#connection.close();
	}

	async #connect(push: (offer: string) => Promise<string>): Promise<void> {
		await this.#connection.setLocalDescription(await this.#connection.createOffer());
		const answer = await push(this.#connection.localDescription!.sdp);
		await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
		this.#timers = [
			setInterval(() => {
				this.#sendSound();
			}, soundInterval),
			setInterval(() => {
				this.#sendPicture();
			}, pictureInterval),
		];
	}

	#sendSound(): void {
		if (this.#connection.connectionState !== 'connected') return;
		const sequenceNumber = ++this.sounds & 0xffff;
		const header = new werift.RtpHeader({ sequenceNumber, timestamp: this.sounds * 960 });
		this.#audio.writeRtp(new werift.RtpPacket(header, Buffer.alloc(100, 1)));
	}

	#sendPicture(): void {
		if (this.#connection.connectionState !== 'connected') return;
		const isKeyframe = this.#wantsKeyframe;
		this.#wantsKeyframe = false;
		if (isKeyframe) this.keyframes++;
		const number = this.pictures++;
		for (let index = 0; index < packetsPerPicture; index++) {
			const payload = Buffer.alloc(600);
			payload[0] = index === 0 ? startOfPicture : goesOn;
			payload[1] = isKeyframe ? 0 : 1;
			payload.writeUInt32BE(number, 12);
			payload[16] = index;
			const header = new werift.RtpHeader({
				sequenceNumber: ++this.#packets & 0xffff,
				timestamp: number * pictureInterval * 90,
				marker: index === packetsPerPicture - 1,
			});
			this.#video.writeRtp(new werift.RtpPacket(header, payload));
		}
	}
}

interface Arriving {
	isKeyframe: boolean;
	packets: Set<number>;
}

/**
 * A client that receives what a {@link SendingPeer} sends. It shows a picture as a decoder does: when all of it is there, and
 * all since the last keyframe have been shown.
 */
export class ReceivingPeer {
	/** When each sound has come, and when each picture was shown, in ms since the epoch. */
	readonly sounds: number[] = [];
	readonly pictures: number[] = [];
	readonly #connection: werift.RTCPeerConnection;
	readonly #heard = new Set<number>();
	readonly #arriving = new Map<number, Arriving>();
	#next: number | undefined;
	#shownAt = Date.now();
	#timer: NodeJS.Timeout | undefined;
	#ask: () => void = () => undefined;

	/** @param localAddress - from which it connects, if not from any */
	static async connect(
		server: ServerProcess,
		roomId: string,
		userId: string,
		targetUserId: string,
		localAddress?: string,
	): Promise<ReceivingPeer> {
		const peer = new ReceivingPeer(localAddress);
		const connection = peer.#connection;
		await connection.setLocalDescription(await connection.createOffer());
		const { sdp } = connection.localDescription!;
		const { answer } = await server.call('pull', roomId, userId, targetUserId, sdp);
		await connection.setRemoteDescription({ type: 'answer', sdp: answer });
		return peer;
	}

	private constructor(localAddress?: string) {
		this.#connection = newConnection(localAddress, [werift.usePLI()]);
		for (const kind of ['audio', 'video'] as const) {
			this.#connection.addTransceiver(kind, { direction: 'recvonly' });
		}
		this.#connection.onTrack.subscribe((track) => {
			if (track.kind === 'audio') {
				track.onReceiveRtp.subscribe((packet) => {
					this.#hear(packet);
				});
				return;
			}
			const { receiver } = this.#connection.getTransceivers().find((one) => one.receiver.tracks.includes(track))!;
			track.onReceiveRtp.subscribe((packet) => {
				const { ssrc } = packet.header;
				this.#ask = () => {
					void receiver.sendRtcpPLI(ssrc).catch(() => undefined);
				};
				this.#see(packet);
			});
		});
		this.#timer = setInterval(() => {
			if (Date.now() - this.#shownAt > patience) this.#ask();
		}, patience);
	}

	/** How long nothing new was shown or heard at most between two moments, in ms. */
	longestGap(of: 'sounds' | 'pictures', from: number, to = Date.now()): number {
		const times = [from, ...this[of].filter((at) => at > from && at < to), to];
		return Math.max(...times.slice(1).map((at, index) => at - times[index]!));
	}

	/** How many came between two moments. */
	count(of: 'sounds' | 'pictures', from: number, to = Date.now()): number {
		return this[of].filter((at) => at >= from && at < to).length;
	}

	async close(): Promise<void> {
		clearInterval(this.#timer);
		await this.#connection.close();
	}

	#hear({ header }: werift.RtpPacket): void {
		// What is sent again does not count twice.
		if (this.#heard.has(header.timestamp)) return;
		this.#heard.add(header.timestamp);
		this.sounds.push(Date.now());
	}

	#see({ payload }: werift.RtpPacket): void {
		if (payload.length < 17) return;
		const number = payload.readUInt32BE(12);
		if (this.#next !== undefined && number < this.#next) return;
		const arriving = this.#arriving.get(number) ?? { isKeyframe: payload[1] === 0, packets: new Set<number>() };
		arriving.packets.add(payload[16]!);
		this.#arriving.set(number, arriving);
		this.#show();
	}

	/** Shows what can be shown. */
	#show(): void {
		const isWhole = (number: number) => this.#arriving.get(number)?.packets.size === packetsPerPicture;
		for (;;) {
			const keyframe = [...this.#arriving].find(([number, { isKeyframe }]) => isKeyframe && isWhole(number));
			const ready = this.#next !== undefined && isWhole(this.#next) ? this.#next : keyframe?.[0];
			if (ready === undefined) return;
			for (const number of this.#arriving.keys()) if (number <= ready) this.#arriving.delete(number);
			this.#next = ready + 1;
			this.#shownAt = Date.now();
			this.pictures.push(this.#shownAt);
		}
	}
}
