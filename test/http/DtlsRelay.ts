import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

type Side = 'client' | 'server';

/** The contents of the records that are read (RFC 6347, section 4.1; RFC 5246, sections 6.2.1 and 7.4). */
const types = { alert: 21, handshake: 22, clientHello: 1, certificate: 11 };

/** Stands between a client and a worker on loopback, and reads what both say in the clear while they shake hands by DTLS 1.2. */
export class DtlsRelay {
	readonly #front = createSocket('udp4');
	readonly #back = createSocket('udp4');
	#closed = false;
	#client: RemoteInfo | undefined;
	#server: { address: string; port: number } | undefined;

	/** The certificate that each side has sent. */
	readonly certificates = new Map<Side, X509Certificate>();
	/** The elliptic curves that the DTLS client offers, by their numbers (RFC 8422, section 5.1.1). */
	offeredCurves: number[] = [];
	/** The alerts that are not encrypted: by whom, and the description (RFC 5246, section 7.2). */
	readonly alerts: { by: Side; description: number }[] = [];

	/** @param delay - how long each way takes, in ms */
	static async start(t: TestContext, delay = 0): Promise<DtlsRelay> {
		const relay = new DtlsRelay();
		for (const socket of [relay.#front, relay.#back]) {
			socket.bind(0, '127.0.0.1');
			await once(socket, 'listening');
			t.after(() => {
				relay.#closed = true;
				socket.close();
			});
		}
		relay.#front.on('message', (datagram, from) => {
			relay.#client = from;
			relay.#read('client', datagram);
			relay.#send(relay.#back, datagram, delay, () => relay.#server);
		});
		relay.#back.on('message', (datagram) => {
			relay.#read('server', datagram);
			relay.#send(relay.#front, datagram, delay, () => relay.#client);
		});
		return relay;
	}

	/** Writes itself into an answer, instead of the address of the worker. */
	takeOver(answer: string): string {
		const [, address, port] = /^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/im.exec(answer) ?? [];
		assert.ok(address !== undefined && port !== undefined, answer);
		this.#server = { address, port: Number(port) };
		const own = `a=candidate:relay 1 udp 2130706431 127.0.0.1 ${this.#front.address().port} typ host\r\n`;
		let written = false;
		return answer.replace(/^a=candidate:.*\r\n/gm, () => {
			const line = written ? '' : own;
			written = true;
			return line;
		});
	}

	#send(
		socket: Socket,
		datagram: Buffer,
		delay: number,
		to: () => { address: string; port: number } | undefined,
	): void {
		setTimeout(() => {
			const target = to();
			if (target && !this.#closed) socket.send(datagram, target.port, target.address);
		}, delay);
	}

	#read(by: Side, datagram: Buffer): void {
		for (let at = 0; at + 13 <= datagram.length;) {
			const type = datagram[at]!;
			// STUN and RTP, or what is encrypted from here on.
			if (type < 20 || type > 63 || datagram.readUInt16BE(at + 3) !== 0) return;
			const content = datagram.subarray(at + 13, at + 13 + datagram.readUInt16BE(at + 11));
			if (type === types.alert) this.alerts.push({ by, description: content[1]! });
			if (type === types.handshake) this.#readHandshake(by, content);
			at += 13 + content.length;
		}
	}

	#readHandshake(by: Side, message: Buffer): void {
		assert.equal(message.readUIntBE(1, 3), message.readUIntBE(9, 3), 'the message comes in one piece');
		const body = message.subarray(12);
		if (message[0] === types.clientHello) this.offeredCurves = curvesOf(body);
		if (message[0] !== types.certificate) return;
		this.certificates.set(by, new X509Certificate(body.subarray(6, 6 + body.readUIntBE(3, 3))));
	}
}

/** The curves of a ClientHello (RFC 6347, section 4.2.1; RFC 8422, section 5.1). */
function curvesOf(hello: Buffer): number[] {
	let at = 34;
	// The session id and the cookie, the cipher suites, the compression methods.
	for (const lengthBytes of [1, 1, 2, 1]) at += lengthBytes + hello.readUIntBE(at, lengthBytes);
	at += 2;
	while (at < hello.length) {
		const [type, length] = [hello.readUInt16BE(at), hello.readUInt16BE(at + 2)];
		const data = hello.subarray(at + 4, at + 4 + length);
		if (type === 10)
			return Array.from({ length: data.readUInt16BE(0) / 2 }, (_, index) => data.readUInt16BE(2 + 2 * index));
		at += 4 + length;
	}
	return [];
}
