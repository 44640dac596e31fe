import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { consoleLogger, limited } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { Bus } from './Bus.js';

/** Messages that could not be opened, and so were dropped. */
export interface DroppedMessages {
	/** The subject of the latest of them. */
	subject: string;
	/** How many there were since this was told last. */
	count: number;
}

export interface SealedBusOptions {
	/** Called when messages were dropped, at most once a second. */
	dropped?: (messages: DroppedMessages) => void;
}

const logger = limited(consoleLogger);

const tellInterval = 1000;
const nonceLength = 24;
const tagLength = 16;

/**
 * A bus whose messages are encrypted and authenticated, so that whoever reads or writes the bus beneath learns and forges
 * nothing: AES-256-GCM with a key from `secret` by scrypt, and the subject as additional data. A message of another secret or
 * of another subject cannot be opened, and is dropped. It grows by 40 bytes. Its subject, its length and its time stay visible.
 *
 * A message that somebody has captured and publishes again to the same subject, unchanged, is opened again: whoever listens
 * has to know it by a number within it.
 *
 * @param bus - the bus beneath; to close this one closes it, too
 * @param secret - the same for all servers
 * @throws {@link SfuError} `invalid_argument` if the secret is empty
 */
export function sealedBus(bus: Bus, secret: string | Uint8Array, { dropped }: SealedBusOptions = {}): Bus {
	if (secret.length === 0) throw new SfuError('invalid_argument', 'the secret of a bus must not be empty');
	// All servers have to derive the same key, so the salt is fixed. Node's defaults of the costs are those of RFC 7914.
	const sealer = new Sealer(scryptSync(secret, 'sfu-rooms bus 1', 32));
	const drops = new Drops(dropped);
	return {
		get connected() {
			return bus.connected;
		},
		async publish(subject, message) {
			await bus.publish(subject, sealer.seal(subject, message));
		},
		subscribe(subject, listener) {
			return bus.subscribe(subject, (sealed) => {
				const message = sealer.open(subject, sealed);
				if (message) listener(message);
				else drops.add(subject);
			});
		},
		onConnected(listener) {
			return bus.onConnected(listener);
		},
		async close() {
			drops.close();
			await bus.close();
		},
	};
}

/**
 * Seals and opens by XAES-256-GCM (https://c2sp.org/XAES-256-GCM). One key may seal only 2³² messages with random nonces of 12
 * bytes (NIST SP 800-38D, section 8.3), which a busy cluster does in weeks. So each message has a key of its own, from the
 * first half of a nonce of 24 bytes.
 */
export class Sealer {
	readonly #key: Buffer;
	/** What the CMAC of a whole block begins with (NIST SP 800-38B, section 6.1). */
	readonly #mask: Buffer;

	/** @param key - 32 bytes */
	constructor(key: Buffer) {
		this.#key = key;
		this.#mask = doubled(this.#encrypt(Buffer.alloc(16)));
	}

	/** @returns the nonce, the encrypted message and the tag */
	seal(subject: string, message: Uint8Array, nonce = randomBytes(nonceLength)): Buffer {
		const options = { authTagLength: tagLength };
		const cipher = createCipheriv('aes-256-gcm', this.#keyOf(nonce), nonce.subarray(12), options);
		cipher.setAAD(Buffer.from(subject));
		return Buffer.concat([nonce, cipher.update(message), cipher.final(), cipher.getAuthTag()]);
	}

	/** @returns undefined if it was not sealed with this key for this subject */
	open(subject: string, sealed: Uint8Array): Buffer | undefined {
		if (sealed.length < nonceLength + tagLength) return undefined;
		const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
		const nonce = bytes.subarray(0, nonceLength);
		const options = { authTagLength: tagLength };
		const cipher = createDecipheriv('aes-256-gcm', this.#keyOf(nonce), nonce.subarray(12), options);
		cipher.setAAD(Buffer.from(subject));
		cipher.setAuthTag(bytes.subarray(-tagLength));
		try {
			return Buffer.concat([cipher.update(bytes.subarray(nonceLength, -tagLength)), cipher.final()]);
		} catch {
			return undefined;
		}
	}

	/** The key of one message: the CMACs of a counter, the letter X and half the nonce (NIST SP 800-108, section 4.1). */
	#keyOf(nonce: Buffer): Buffer {
		const blocks = Buffer.alloc(32);
		for (const counter of [1, 2]) {
			const block = blocks.subarray(counter * 16 - 16, counter * 16);
			block.set([0, counter, 0x58, 0]);
			nonce.copy(block, 4, 0, 12);
			for (const [index, byte] of this.#mask.entries()) block.writeUInt8(block.readUInt8(index) ^ byte, index);
		}
		return this.#encrypt(blocks);
	}

	/** Encrypts each block by itself. */
	#encrypt(blocks: Buffer): Buffer {
		return createCipheriv('aes-256-ecb', this.#key, null).update(blocks);
	}
}

/** Twice an element of GF(2¹²⁸). */
function doubled(element: Buffer): Buffer {
	const bits = BigInt(`0x${element.toString('hex')}`);
	const twice = BigInt.asUintN(128, bits << 1n) ^ (bits >> 127n ? 0x87n : 0n);
	return Buffer.from(twice.toString(16).padStart(32, '0'), 'hex');
}

/** Tells of dropped messages: of the first at once, and of those that follow once a second. */
class Drops {
	readonly #listener: ((messages: DroppedMessages) => void) | undefined;
	#count = 0;
	#subject = '';
	#timer: NodeJS.Timeout | undefined;

	constructor(listener: ((messages: DroppedMessages) => void) | undefined) {
		this.#listener = listener;
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#count = 0;
	}

	add(subject: string): void {
		this.#count++;
		this.#subject = subject;
		if (!this.#timer) this.#tell();
	}

	#tell(): void {
		const messages = { subject: this.#subject, count: this.#count };
		this.#count = 0;
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			if (this.#count > 0) this.#tell();
		}, tellInterval).unref();
		try {
			this.#listener?.(messages);
		} catch (error) {
			logger.error('a listener of the sealed bus failed', { error });
		}
	}
}
