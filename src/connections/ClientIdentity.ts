import type { IceCredentials, Offer } from '../sdp/Offer.js';

/**
 * What tells the RTCPeerConnection of a client from others, by its offers.
 *
 * By the rules each has a session id of its own, and a later offer a greater session version (RFC 8829, section 5.2.2). But
 * aiortc and werift write a new session id into each offer, and FFmpeg the same `o=` line into every offer of every process.
 * Several RTCPeerConnections may share a certificate. So all of it counts, and the sources that an offer announces.
 */
export class ClientIdentity {
	readonly #fingerprints: string;
	readonly #sessionId: string;
	#sessionVersion: bigint;
	readonly #sources = new Set<number>();
	#ice: IceCredentials;

	/** @param offer - the first one */
	constructor(offer: Offer) {
		this.#fingerprints = joinFingerprints(offer);
		this.#sessionId = offer.sessionId;
		this.#sessionVersion = offer.sessionVersion;
		this.#ice = offer.ice;
		this.#addSources(offer);
	}

	/** Whether the certificate of an offer is the same. That of an RTCPeerConnection never changes. */
	hasCertificateOf(offer: Offer): boolean {
		return joinFingerprints(offer) === this.#fingerprints;
	}

	/** Whether an offer restarts ICE (RFC 8839, section 4.4.1.1.1). */
	isRestartedBy({ ice }: Offer): boolean {
		return ice.usernameFragment !== this.#ice.usernameFragment;
	}

	/** Whether an offer comes from the same RTCPeerConnection. */
	isOf(offer: Offer): boolean {
		if (!this.hasCertificateOf(offer)) return false;
		const { usernameFragment, password } = this.#ice;
		if (offer.ice.usernameFragment === usernameFragment && offer.ice.password === password) return true;
		if (this.isFollowedBy(offer)) return true;
		const sources = sourcesOf(offer);
		if (sources.length > 0) return sources.some((ssrc) => this.#sources.has(ssrc));
		// It announces no sources, as one that only receives. FFmpeg always announces some.
		return offer.sessionId === this.#sessionId && this.#sources.size === 0;
	}

	/** Whether an offer has the session id of the first one, and a greater version than the last one. */
	isFollowedBy({ sessionId, sessionVersion }: Offer): boolean {
		return sessionId === this.#sessionId && sessionVersion > this.#sessionVersion;
	}

	/** Notes an offer that has been answered. */
	update(offer: Offer): void {
		this.#ice = offer.ice;
		if (offer.sessionId === this.#sessionId) this.#sessionVersion = offer.sessionVersion;
		this.#addSources(offer);
	}

	#addSources(offer: Offer): void {
		for (const ssrc of sourcesOf(offer)) this.#sources.add(ssrc);
	}
}

const joinFingerprints = ({ dtls }: Offer): string => dtls.fingerprints.map(({ value }) => value).join(' ');

const sourcesOf = ({ media }: Offer): number[] => media.flatMap(({ sources }) => sources.map(({ ssrc }) => ssrc));
