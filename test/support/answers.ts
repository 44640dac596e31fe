import { createHash, randomUUID } from 'node:crypto';
import { sections } from './offers.js';

/** How an m-line of ours is answered. */
export type Take = 'receive' | 'inactive' | 'reject';

const ours =
	/^a=(ice-lite|ice-ufrag|ice-pwd|candidate|end-of-candidates|fingerprint|setup|group|sendonly|inactive|msid|ssrc)/;

/** Answers offers as one RTCPeerConnection does that can play everything. */
export class AnsweringPeer {
	readonly #id: string;
	#answers = 0;

	/** @param id - the same one has the same certificate */
	constructor(id: string = randomUUID()) {
		this.#id = id;
	}

	/** @param take - how to answer each m-line that sends, by its index; the others are inactive or stopped in any case */
	answer(offer: string, take: (index: number) => Take = () => 'receive'): string {
		const [session = '', ...media] = sections(offer);
		const answered = media.map((section, index) => this.#section(section, take(index)));
		const bundled = answered.flatMap((section) =>
			isStopped(section) ? [] : (/^a=mid:(.*)$/m.exec(section)?.[1] ?? []),
		);
		const lines = session.split('\r\n').filter((line) => line !== '' && !ours.test(line));
		lines[1] = `o=- ${parseInt(this.#digest().slice(0, 12), 16)} ${++this.#answers} IN IP4 127.0.0.1`;
		return [[...lines, `a=group:BUNDLE ${bundled.join(' ')}`, ''].join('\r\n'), ...answered].join('');
	}

	#section(section: string, take: Take): string {
		const [head = '', ...rest] = section.split('\r\n').filter((line) => line !== '');
		const kept = rest.filter((line) => !ours.test(line));
		if (take === 'reject' || isStopped(section)) {
			return [head.replace(/^(m=\S+) \d+/, '$1 0'), 'a=inactive', ''].join('\r\n');
		}
		const direction = take === 'receive' && section.includes('a=sendonly') ? 'recvonly' : 'inactive';
		const fingerprint = this.#digest().toUpperCase().match(/../g)?.join(':') ?? '';
		return [
			head,
			...kept,
			`a=ice-ufrag:${this.#digest().slice(0, 8)}`,
			`a=ice-pwd:${this.#digest().slice(0, 24)}`,
			`a=fingerprint:sha-256 ${fingerprint}`,
			'a=setup:active',
			...(head.startsWith('m=application') ? [] : [`a=${direction}`]),
			'',
		].join('\r\n');
	}

	#digest(): string {
		return createHash('sha256').update(this.#id).digest('hex');
	}
}

const isStopped = (section: string): boolean => /^m=\S+ 0 /.test(section);
