import { createHash } from 'node:crypto';
import { loadOffer, sections } from '../support/offers.js';

export type Kind = 'audio' | 'video';

/** Of an m-line, which may be that for data channels. */
export type SectionKind = Kind | 'data';

/** One m-line of what an RTCPeerConnection would offer. */
export interface OfferedSection {
	kind: SectionKind;
	mid: string;
	direction: 'sendonly' | 'recvonly' | 'sendrecv' | 'inactive';
	ssrc: number;
	stopped: boolean;
}

/** The lines of a browser's offers, without what differs from one RTCPeerConnection to the next. */
export interface Profile {
	name: string;
	sending: Record<Kind, string>;
	receiving: Record<Kind, string>;
}

const individual =
	/^(c=|a=(rtcp:|mid:|ice-|fingerprint:|setup:|sendonly|recvonly|sendrecv|inactive|msid|ssrc|end-of-candidates|candidate|rid|simulcast|bundle-only))/;

function template(offer: string, kind: Kind): string {
	const found = sections(loadOffer(offer)).find((section) => section.startsWith(`m=${kind} `));
	return (found ?? '')
		.split('\r\n')
		.filter((line) => line !== '' && !individual.test(line))
		.join('\r\n');
}

/** A browser by two of its stored offers. */
export function profile(name: string, sending: string, receiving: string): Profile {
	return {
		name,
		sending: { audio: template(sending, 'audio'), video: template(sending, 'video') },
		receiving: { audio: template(receiving, 'audio'), video: template(receiving, 'video') },
	};
}

/** The same browser, with no more than one codec of each kind: much less to read. */
export function withOnly({ name, sending, receiving }: Profile, videoCodec: RegExp): Profile {
	const only = ({ audio, video }: Record<Kind, string>) => ({
		audio: reduced(audio, /^a=rtpmap:(\d+) opus\//im),
		video: reduced(video, videoCodec),
	});
	return { name: `${name} ${videoCodec.source}`, sending: only(sending), receiving: only(receiving) };
}

function reduced(section: string, codec: RegExp): string {
	const payloadType = codec.exec(section)?.[1] ?? '';
	const rtx = new RegExp(`^a=fmtp:(\\d+) apt=${payloadType}$`, 'm').exec(section.replaceAll('\r', ''))?.[1];
	const kept = [payloadType, ...(rtx === undefined ? [] : [rtx])];
	return section
		.split('\r\n')
		.filter((line) => {
			const described = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) /.exec(line)?.[1];
			return described === undefined || kept.includes(described);
		})
		.join('\r\n')
		.replace(/^(m=\S+ \d+ \S+) .*/, `$1 ${kept.join(' ')}`);
}

/** What an RTCPeerConnection would offer; its numbers are those of `id`. */
export class OfferingPeer {
	readonly #profile: Profile;
	readonly #id: number;
	readonly #fingerprint: string;
	/** As of the last offer that was answered. */
	sections: readonly OfferedSection[] = [];
	#made = 0;
	#restarts = 0;

	constructor(profile: Profile, id: number) {
		this.#profile = profile;
		this.#id = id;
		const digest = createHash('sha256').update(`certificate ${id}`).digest('hex').toUpperCase();
		this.#fingerprint = digest.match(/../g)?.join(':') ?? '';
	}

	/** An m-line that no offer has had. */
	section(kind: SectionKind, direction: OfferedSection['direction']): OfferedSection {
		const made = this.#made++;
		return { kind, mid: String(made), direction, ssrc: this.#id * 1000 + made * 2 + 1, stopped: false };
	}

	/** Another SSRC for what an m-line sends. */
	nextSsrc(): number {
		return this.#id * 1000 + this.#made++ * 2 + 1;
	}

	/** The next offers are an ICE restart, compared to the last ones. */
	restart(): void {
		this.#restarts++;
	}

	/** The offer with these m-lines. */
	offer(all: readonly OfferedSection[]): string {
		const bundled = all.filter(({ stopped }) => !stopped).map(({ mid }) => mid);
		return [
			'v=0',
			`o=- ${5_000_000 + this.#id} 2 IN IP4 127.0.0.1`,
			's=-',
			't=0 0',
			`a=group:BUNDLE ${bundled.join(' ')}`,
			...all.flatMap((section) => this.#lines(section)),
			'',
		].join('\r\n');
	}

	#lines(section: OfferedSection): string[] {
		const { kind, direction, stopped } = section;
		const port = stopped ? 0 : 9;
		if (kind === 'data') {
			const head = `m=application ${port} UDP/DTLS/SCTP webrtc-datachannel`;
			return [head, ...this.#transportLines(section), 'a=sctp-port:5000', 'a=max-message-size:262144'];
		}
		const sends = direction === 'sendonly' || direction === 'sendrecv';
		const [head = '', ...rest] = (sends ? this.#profile.sending : this.#profile.receiving)[kind].split('\r\n');
		return [
			head.replace(/^(m=\S+) \d+/, `$1 ${port}`),
			...this.#transportLines(section),
			`a=${direction}`,
			...rest,
			...(sends ? this.#sourceLines(section) : []),
		];
	}

	#transportLines({ mid }: OfferedSection): string[] {
		const id = String(this.#id);
		return [
			'c=IN IP4 0.0.0.0',
			`a=ice-ufrag:u${id}x${this.#restarts}`.padEnd(20, '0'),
			`a=ice-pwd:p${id}x${this.#restarts}`.padEnd(40, '0'),
			`a=fingerprint:sha-256 ${this.#fingerprint}`,
			'a=setup:actpass',
			`a=mid:${mid}`,
		];
	}

	#sourceLines({ kind, mid, ssrc }: OfferedSection): string[] {
		const id = String(this.#id);
		return [
			`a=msid:stream${id} track${mid}`,
			...(kind === 'video' ? [`a=ssrc-group:FID ${ssrc} ${ssrc + 1}`] : []),
			`a=ssrc:${ssrc} cname:c${id}`,
			...(kind === 'video' ? [`a=ssrc:${ssrc + 1} cname:c${id}`] : []),
		];
	}
}
