import { createHmac, timingSafeEqual } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { SfuError } from '../SfuError.js';

/** Where servers reach each other. */
export interface DirectAddress {
	ip: string;
	port: number;
}

const macBytes = 16;

/** Tells servers of each other without the bus. */
export interface Direct {
	/** The address for others. */
	readonly address: DirectAddress;
	/** Whether a server has ever been heard here. */
	hasHeard(nodeId: string): boolean;
	/** Forgets a server that has gone. */
	forget(nodeId: string): void;
	/** Sends a sign of life. */
	send(address: DirectAddress): void;
	close(): void;
}

/** How to open a {@link Direct}. */
export interface DirectOptions {
	nodeId: string;
	secret: string;
	/** The address to bind to. Port 0 stands for any. */
	listen: DirectAddress & { announcedAddress?: string | undefined };
	/** Called with the id of a server that has sent a sign of life. */
	heard: (nodeId: string) => void;
}

/**
 * Signs of life between servers, without the bus: small UDP packets, on the way that media takes. So servers know of each other
 * while the bus is gone, and do not take each other for dead.
 */
export class DirectLink implements Direct {
	readonly #socket: Socket;
	readonly #nodeId: string;
	readonly #secret: string;
	readonly #announcedIp: string;
	readonly #heard = new Set<string>();

	/** @throws {@link SfuError} (rejects) `unavailable` if the port cannot be had */
	static async open(options: DirectOptions): Promise<DirectLink> {
		const { ip, port } = options.listen;
		const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
		await new Promise<void>((resolve, reject) => {
			socket.once('error', (cause) => {
				reject(new SfuError('unavailable', `the cluster cannot listen on UDP ${ip}:${port}`, { cause }));
			});
			socket.bind(port, ip, resolve);
		});
		socket.removeAllListeners('error');
		// Nobody can do anything about an address that is not reached at the moment.
		socket.on('error', () => undefined);
		socket.unref();
		return new DirectLink(socket, options);
	}

	private constructor(socket: Socket, { nodeId, secret, listen, heard }: DirectOptions) {
		this.#socket = socket;
		this.#nodeId = nodeId;
		this.#secret = secret;
		this.#announcedIp = listen.announcedAddress ?? listen.ip;
		socket.on('message', (packet) => {
			const from = this.#open(packet);
			if (from === undefined || from === nodeId) return;
			this.#heard.add(from);
			heard(from);
		});
	}

	get address(): DirectAddress {
		return { ip: this.#announcedIp, port: this.#socket.address().port };
	}

	hasHeard(nodeId: string): boolean {
		return this.#heard.has(nodeId);
	}

	forget(nodeId: string): void {
		this.#heard.delete(nodeId);
	}

	send({ ip, port }: DirectAddress): void {
		const body = Buffer.from(this.#nodeId);
		this.#socket.send(Buffer.concat([this.#sign(body), body]), port, ip, () => undefined);
	}

	close(): void {
		this.#socket.close();
	}

	#sign(body: Buffer): Buffer {
		return createHmac('sha256', this.#secret).update(body).digest().subarray(0, macBytes);
	}

	#open(packet: Buffer): string | undefined {
		const body = packet.subarray(macBytes);
		if (body.length === 0 || !timingSafeEqual(packet.subarray(0, macBytes), this.#sign(body))) return undefined;
		return body.toString();
	}
}
