import type { WebRtcTransport } from 'mediasoup/types';
import type { IceCredentials, Offer } from '../sdp/Offer.js';
import { consumerCapabilities } from '../sdp/rtpParameters.js';
import { writeAnswer, type AnsweredMedia } from '../sdp/writeAnswer.js';
import { SfuError } from '../SfuError.js';
import { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { createPuller, type PullerOptions } from './createPuller.js';
import { createPusher } from './createPusher.js';
import {
	planPull,
	planPush,
	receives,
	sends,
	ssrcsOf,
	type Plan,
	type PlannedPull,
	type PlannedPush,
	type PlannedSection,
	type Section,
} from './plan.js';
import type { Puller } from './Puller.js';
import type { Pusher } from './Pusher.js';
import type { CheckedPushOptions } from './PushOptions.js';
import { Undo } from './Undo.js';

/** @internal What came of an offer. */
export interface Negotiated {
	answer: string;
	/** All that the connection carries now. */
	pushers: Pusher[];
	pullers: Puller[];
	/** What this offer has added. */
	added: (Pusher | Puller)[];
}

/** The counterpart of an RTCPeerConnection whose client offers. */
export class AnsweringConnection extends Connection {
	#sessionVersion = 0;
	#sections: readonly Section[] = [];
	readonly #everPulled = new Set<string>();
	#extensionIds = new Map<string, number>();
	#remoteIce: IceCredentials | undefined;
	/** The mid of the first live m-line, which carries the transport of all (RFC 9143, section 7.2). */
	#carrier: string | undefined;
	#negotiations: Promise<unknown> = Promise.resolve();
	#pendingNegotiations = 0;
	/** The same in all answers: another one would make the browser begin again. */
	readonly #startBitrate: number | undefined;

	/** @internal */
	constructor(context: ConnectionContext) {
		super(context);
		const { startBitrate, maxIncomingBitrate } = context.options.webRtc;
		if (startBitrate > 0) this.#startBitrate = Math.min(startBitrate, maxIncomingBitrate || startBitrate);
	}

	/** @internal Receives what the offer begins to send. */
	push(offer: Offer, options: CheckedPushOptions): Promise<Negotiated> {
		return this.#negotiate(offer, () => planPush(offer, this.#sections, this.context.codecs, options));
	}

	/** @internal Sends `targets` on the m-lines of the offer that receive. */
	pull(offer: Offer, targets: readonly Pusher[]): Promise<Negotiated> {
		return this.#negotiate(offer, () => planPull(offer, this.#sections, targets, this.context.codecs));
	}

	/** @internal Whether a pusher has ever been pulled through this connection; it may have gone since. */
	hasPulled(pusherId: string): boolean {
		return this.#everPulled.has(pusherId);
	}

	protected override carried(): (Pusher | Puller)[] {
		return this.#sections.flatMap(({ pusher, puller }) => [puller ?? [], pusher ?? []].flat());
	}

	/** Handles the offers of one RTCPeerConnection one after the other. One that fails changes nothing. */
	#negotiate(offer: Offer, plan: () => Plan): Promise<Negotiated> {
		this.#pendingNegotiations++;
		const negotiation = this.#negotiations.then(async () => {
			try {
				this.assertOpen();
				return await this.#carryOut(offer, plan());
			} catch (error) {
				const failure = this.failure(error);
				if (failure.code === 'internal') this.context.logger.error('an offer could not be answered', error);
				throw failure;
			} finally {
				this.#pendingNegotiations--;
				if (!this.transport && this.#pendingNegotiations === 0) this.close('negotiationFailed');
			}
		});
		this.#negotiations = negotiation.catch(() => undefined);
		return negotiation;
	}

	async #carryOut(offer: Offer, plan: Plan): Promise<Negotiated> {
		const { ice } = offer;
		const carrier = offer.media.find(({ kind }) => kind)?.mid;
		const restart = this.#remoteIce !== undefined && this.#remoteIce.usernameFragment !== ice.usernameFragment;
		if (this.transport && carrier !== undefined && carrier !== this.#carrier) {
			// Chromium and Firefox drop the transport then, and begin a DTLS association that ours cannot take part in.
			throw new SfuError(
				'conflict',
				'the first m-line, which carries the transport, was stopped: offer again on a new RTCPeerConnection',
			);
		}
		const undo = new Undo();
		try {
			const transport = this.transport ?? (await this.#connect(offer, undo));
			const extensionIds = new Map(this.#extensionIds);
			const sections: PlannedSection[] = [];
			const added: (Pusher | Puller)[] = [];
			const adopt = (created: Pusher | Puller | undefined) => {
				if (!created) return;
				added.push(created);
				undo.add(() => {
					created.close('negotiationFailed');
				});
				this.assertOpen();
			};
			for (const section of plan.sections) {
				let { pusher, puller } = section;
				if (section.push) {
					this.#makeRoomFor(section.push, plan);
					pusher = await createPusher(section.push, transport, this.connectionId, extensionIds, this.context);
					adopt(pusher);
				}
				if (section.pull) {
					puller = await createPuller(pullerOptions(section.pull), transport, this.connectionId, this.context);
					adopt(puller);
				}
				sections.push({ ...section, pusher, puller });
			}
			if (this.#sections.length === 0 && added.length === 0) {
				throw new SfuError('not_found', 'the pushers have gone');
			}
			if (restart) await transport.restartIce();
			this.assertOpen();

			this.#remoteIce = ice;
			this.#carrier = carrier;
			this.#extensionIds = extensionIds;
			this.#sections = sections;
			for (const gone of plan.removed) gone.close('removed');
			for (const { puller } of sections) if (puller) this.#everPulled.add(puller.pusherId);
			await Promise.all([...sections.map(followDirection), this.bitrates.setWanted(wantedBitrate(offer, sections))]);
			this.assertOpen();
			for (const { pusher, details } of sections) if (details && !pusher?.closed) pusher?.setDetails(details);
			this.awaitClient({ restarted: restart });
			return {
				answer: this.#answer(transport, offer, sections),
				pushers: sections.flatMap(({ pusher }) => (pusher && !pusher.closed ? pusher : [])),
				pullers: sections.flatMap(({ puller }) => (puller && !puller.closed ? puller : [])),
				added,
			};
		} catch (error) {
			undo.run();
			throw error;
		}
	}

	/** The worker has one producer for a mid and for an SSRC, so what a new one replaces must have gone. */
	#makeRoomFor({ media }: PlannedPush, { removed }: Plan): void {
		const ssrcs = new Set(ssrcsOf(media.sources));
		for (const replaced of removed) {
			if (!('media' in replaced)) continue;
			const shares = ssrcsOf(replaced.media.encodings).some((taken) => ssrcs.has(taken));
			if (replaced.mid === media.mid || shares) replaced.close('removed');
		}
	}

	async #connect(offer: Offer, undo: Undo): Promise<WebRtcTransport> {
		const transport = await this.createTransport(undo);
		await transport.connect({ dtlsParameters: offer.dtls });
		this.assertOpen();
		return transport;
	}

	#answer(transport: WebRtcTransport, offer: Offer, sections: readonly PlannedSection[]): string {
		this.#sessionVersion++;
		return writeAnswer({
			offer,
			media: sections.map((section) => answered(section, this.#startBitrate)),
			transport,
			sessionId: this.sessionId,
			sessionVersion: this.#sessionVersion,
		});
	}
}

// mediasoup's worker has room for this many bytes of MID in what it sends.
const longestMid = 8;

function pullerOptions({ media, pusher, codec }: PlannedPull): PullerOptions {
	const { mid, index } = media;
	return {
		pusher,
		mid,
		// It is only read by clients that have mediasoup's own id for its header extension.
		packetMid: mid !== undefined && Buffer.byteLength(mid) <= longestMid ? mid : `~${index}`,
		payloadTypes: codec,
		capabilities: (rtxPayloadType) => consumerCapabilities(media, codec, rtxPayloadType),
	};
}

/** What the client has paused by the direction of its m-line flows again when that changes. */
async function followDirection({ media, pusher, puller }: PlannedSection): Promise<void> {
	if (pusher && !pusher.closed) await pusher.setPaused('direction', !sends(media));
	if (puller && !puller.closed) await puller.setPaused('direction', !receives(media));
}

/** What the client wants to be sent in all, at most, in bit/s; 0 when it leaves that open, or does for some video. */
function wantedBitrate(offer: Offer, sections: readonly PlannedSection[]): number {
	const videos = sections
		.filter(({ media, puller }) => media.kind === 'video' && receives(media) && puller)
		.map(({ media }) => media.bandwidth ?? Infinity);
	const ofVideo = videos.reduce((sum, bandwidth) => sum + bandwidth, 0);
	const wanted = Math.min(ofVideo || Infinity, offer.bandwidth ?? Infinity);
	return Number.isFinite(wanted) ? wanted : 0;
}

function answered({ media, pusher, puller }: PlannedSection, startBitrate: number | undefined): AnsweredMedia {
	const receive = pusher && !pusher.closed ? pusher.rtpParameters : undefined;
	const send = puller && !puller.closed ? puller : undefined;
	const receiving = receive !== undefined && sends(media);
	const sending = send !== undefined && receives(media);
	return {
		direction: receiving ? (sending ? 'sendrecv' : 'recvonly') : sending ? 'sendonly' : 'inactive',
		...(receive && { receive, ...(startBitrate !== undefined && { startBitrate }) }),
		...(pusher && pusher.maxBitrate > 0 && { maxBitrate: pusher.maxBitrate }),
		...(send && { send: { parameters: send.rtpParameters, streamId: send.streamId, trackId: send.pusherId } }),
	};
}
