import { createCipheriv, createDecipheriv, randomBytes, type CipherGCMTypes } from 'node:crypto';

const cipherName: CipherGCMTypes = 'aes-256-gcm';
const tagLength = 16;
const numberLength = 8;
const options = { authTagLength: tagLength };

/** By so much a message of a data channel grows between servers, in bytes: its number, its kind and the tag. */
export const sealOverhead = numberLength + 1 + tagLength;

/** A key for {@link MessageSealer}. No two of them may ever have the same one. */
export const newMessageKey = (): Buffer => randomBytes(32);

/** A message of a data channel, and its Payload Protocol Identifier. */
export interface ChannelMessage {
	message: Buffer;
	payloadProtocolId: number;
}

/**
 * Encrypts and authenticates the messages of one data channel by AES-256-GCM. Each has a number, which is its nonce (NIST SP
 * 800-38D, section 8.2.1) and never comes again under this key.
 */
export class MessageSealer {
	readonly #key: Buffer;
	#last = 0n;

	/** @param key - of {@link newMessageKey} */
	constructor(key: Buffer) {
		this.#key = key;
	}

	/** @returns the number, the encrypted kind and message, and the tag */
	seal(message: Buffer, payloadProtocolId: number): Buffer {
		const nonce = nonceOf(++this.#last);
		const cipher = createCipheriv(cipherName, this.#key, nonce, options);
		const kind = cipher.update(Buffer.of(payloadProtocolId));
		const parts = [nonce.subarray(-numberLength), kind, cipher.update(message), cipher.final()];
		return Buffer.concat([...parts, cipher.getAuthTag()]);
	}
}

/** Opens what a {@link MessageSealer} with the same key has sealed, in the same order. */
export class MessageOpener {
	readonly #key: Buffer;
	#last = 0n;

	constructor(key: Buffer) {
		this.#key = key;
	}

	/** @returns undefined for what was not sealed with this key, or has come before */
	open(sealed: Buffer): ChannelMessage | undefined {
		if (sealed.length < sealOverhead) return undefined;
		const number = sealed.readBigUInt64BE();
		if (number <= this.#last) return undefined;
		const decipher = createDecipheriv(cipherName, this.#key, nonceOf(number), options);
		decipher.setAuthTag(sealed.subarray(-tagLength));
		try {
			const opened = Buffer.concat([decipher.update(sealed.subarray(numberLength, -tagLength)), decipher.final()]);
			this.#last = number;
			return { message: opened.subarray(1), payloadProtocolId: opened.readUInt8() };
		} catch {
			return undefined;
		}
	}
}

function nonceOf(number: bigint): Buffer {
	const nonce = Buffer.alloc(12);
	nonce.writeBigUInt64BE(number, nonce.length - numberLength);
	return nonce;
}
