import type { WebRtcTransport } from 'mediasoup/types';
import { isUsable, type IceCredentials, type Offer } from '../sdp/Offer.js';
import { consumerCapabilities } from '../sdp/rtpParameters.js';
import { writeAnswer, type AnsweredMedia } from '../sdp/writeAnswer.js';
import { SfuError } from '../SfuError.js';
import { wantedBitrate } from './BitrateLimits.js';
import { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { createPuller, type PullerOptions } from '../tracks/createPuller.js';
import { createPusher } from '../tracks/createPusher.js';
import { DataChannels } from '../data/DataChannels.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { DataTarget } from '../data/DataSender.js';
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
} from './negotiate.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { AnnouncedChannel, CheckedPushOptions, PusherDetails } from '../tracks/PushOptions.js';
import { Rollback } from '../Rollback.js';

/** @internal What came of an offer. */
export interface Negotiated {
	answer: string;
	/** All that the connection carries now. */
	pushers: Pusher[];
	pullers: Puller[];
	dataPushers: DataPusher[];
	dataPullers: DataPuller[];
	/** What this offer has added. */
	added: (Pusher | Puller | DataPusher | DataPuller)[];
}

/** What an offer leads to on its m-line for data channels. */
type DataPlan = { push: readonly AnnouncedChannel[] } | { pull: readonly DataTarget[] };

/** The counterpart of an RTCPeerConnection whose client offers. */
export class AnsweringConnection extends Connection {
	readonly offeredBy = 'client';
	#sessionVersion = 0;
	#sections: readonly Section[] = [];
	readonly #everPulled = new Set<string>();
	#extensionIds = new Map<string, number>();
	readonly #remoteSessionId: string;
	readonly #fingerprints: string;
	#remoteIce: IceCredentials;
	/** The mid of the first live m-line, which carries the transport of all (RFC 9143, section 7.2). */
	#carrier: string | undefined;
	#negotiations: Promise<unknown> = Promise.resolve();
	#pendingNegotiations = 0;
	/** The same in all answers: another one would make the browser begin again. */
	readonly #startBitrate: number | undefined;
	readonly #dataChannelOpened: (pusher: DataPusher) => void;
	#dataChannels: DataChannels | undefined;

	/**
	 * @internal
	 * @param offer - the first one
	 * @param dataChannelOpened - told of each data channel that the client opens in-band
	 */
	constructor(context: ConnectionContext, offer: Offer, dataChannelOpened: (pusher: DataPusher) => void) {
		super(context);
		this.#remoteSessionId = offer.sessionId;
		this.#fingerprints = joinFingerprints(offer);
		this.#remoteIce = offer.ice;
		this.#dataChannelOpened = dataChannelOpened;
		const { startBitrate, maxIncomingBitrate } = context.options.webRtc;
		if (startBitrate > 0) this.#startBitrate = Math.min(startBitrate, maxIncomingBitrate || startBitrate);
	}

	/** @internal Whether an offer comes from the same RTCPeerConnection. */
	isOf(offer: Offer): boolean {
		if (joinFingerprints(offer) !== this.#fingerprints) return false;
		if (offer.sessionId === this.#remoteSessionId) return true;
		// aiortc and werift have another session id in each offer, against RFC 8829, section 5.2.2.
		const { usernameFragment, password } = this.#remoteIce;
		return offer.ice.usernameFragment === usernameFragment && offer.ice.password === password;
	}

	/** @internal Receives what the offer begins to send. */
	push(offer: Offer, options: CheckedPushOptions): Promise<Negotiated> {
		const plan = () => planPush(offer, this.#sections, this.context.codecs, options);
		return this.#negotiate(offer, plan, { push: options.data });
	}

	/** @internal Sends `targets` on the m-lines of the offer that receive, and `data` on that for data channels. */
	pull(offer: Offer, targets: readonly Pusher[], data: readonly DataTarget[]): Promise<Negotiated> {
		const plan = () => planPull(offer, this.#sections, targets, this.context.codecs);
		return this.#negotiate(offer, plan, { pull: data });
	}

	/** @internal Whether a pusher has ever been pulled through this connection; it may have gone since. */
	hasPulled(pusherId: string): boolean {
		return this.#everPulled.has(pusherId);
	}

	protected override media(): (Pusher | Puller)[] {
		return this.#sections.flatMap(({ pusher, puller }) => [puller ?? [], pusher ?? []].flat());
	}

	protected override carried(): (Pusher | Puller | DataChannels)[] {
		return [...this.media(), this.#dataChannels ?? []].flat();
	}

	/** Handles the offers of one RTCPeerConnection one after the other. One that fails changes nothing. */
	#negotiate(offer: Offer, plan: () => Plan, data: DataPlan): Promise<Negotiated> {
		this.#pendingNegotiations++;
		const negotiation = this.#negotiations.then(async () => {
			try {
				this.assertOpen();
				return await this.#carryOut(offer, plan(), data);
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

	async #carryOut(offer: Offer, plan: Plan, dataPlan: DataPlan): Promise<Negotiated> {
		const { ice } = offer;
		const carrier = offer.media.find(isUsable)?.mid;
		const restart = this.transport !== undefined && this.#remoteIce.usernameFragment !== ice.usernameFragment;
		if (this.transport && carrier !== undefined && carrier !== this.#carrier) {
			// Chromium and Firefox drop the transport then, and begin a DTLS association that ours cannot take part in.
			throw new SfuError(
				'conflict',
				'the first m-line, which carries the transport, was stopped: offer again on a new RTCPeerConnection',
			);
		}
		const undo = new Rollback();
		try {
			const transport = this.transport ?? (await this.#connect(offer, undo));
			const extensionIds = new Map(this.#extensionIds);
			const sections: PlannedSection[] = [];
			const added: Negotiated['added'] = [];
			const adopt = (created: Negotiated['added'][number] | undefined) => {
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
			const data = await this.#carryOutData(offer, dataPlan, transport, undo, adopt);
			if (this.#sections.length === 0 && added.length === 0 && !('push' in dataPlan)) {
				throw new SfuError('not_found', 'the pushers have gone');
			}
			if (restart) await transport.restartIce();
			this.assertOpen();

			this.#remoteIce = ice;
			this.#carrier = carrier;
			this.#extensionIds = extensionIds;
			this.#sections = sections;
			if (this.#dataChannels !== data.channels) this.#dataChannels?.close('removed');
			this.#dataChannels = data.channels;
			for (const gone of plan.removed) gone.close('removed');
			for (const { puller } of sections) if (puller) this.#everPulled.add(puller.pusherId);
			const wanted = wantedBitrate(offer.bandwidth, videoBounds(sections));
			await Promise.all([...sections.map(followDirection), this.bitrates.setWanted(wanted)]);
			this.assertOpen();
			for (const { pusher, details } of sections) if (details && !pusher?.closed) pusher?.setDetails(details);
			for (const { pusher, details } of data.details) if (!pusher.closed) pusher.setDetails(details);
			data.channels?.start(
				added.flatMap((created) => (created.kind === 'data' && 'pullerId' in created ? created : [])),
			);
			this.awaitClient({ restarted: restart });
			return {
				answer: this.#answer(transport, offer, sections),
				pushers: sections.flatMap(({ pusher }) => (pusher && !pusher.closed ? pusher : [])),
				pullers: sections.flatMap(({ puller }) => (puller && !puller.closed ? puller : [])),
				dataPushers: data.channels?.pushers ?? [],
				dataPullers: data.channels?.pullers ?? [],
				added,
			};
		} catch (error) {
			undo.run();
			throw error;
		}
	}

	async #carryOutData(
		offer: Offer,
		plan: DataPlan,
		transport: WebRtcTransport,
		undo: Rollback,
		adopt: (created: DataPusher | DataPuller | undefined) => void,
	): Promise<{ channels: DataChannels | undefined; details: { pusher: DataPusher; details: PusherDetails }[] }> {
		const isEmpty = ('push' in plan ? plan.push : plan.pull).length === 0;
		if (!offer.media.some(({ data }) => data)) {
			if (isEmpty) return { channels: undefined, details: [] };
			throw new SfuError('invalid_argument', 'the offer has no m-line for data channels');
		}
		if (isEmpty && 'pull' in plan) return { channels: this.#dataChannels, details: [] };
		const channels = this.#dataChannels ?? (await this.#createDataChannels(offer, transport, undo));
		if ('pull' in plan) {
			for (const target of plan.pull) {
				if (!channels.carries(target.pusher.pusherId)) adopt(await channels.pull(target));
				this.#everPulled.add(target.pusher.pusherId);
			}
			return { channels, details: [] };
		}
		const pushed = await channels.push(plan.push);
		for (const { pusher, isNew } of pushed) if (isNew) adopt(pusher);
		await channels.accept();
		const known = pushed.filter(({ isNew }) => !isNew);
		return { channels, details: known.map(({ pusher, details }) => ({ pusher, details })) };
	}

	async #createDataChannels(offer: Offer, transport: WebRtcTransport, undo: Rollback): Promise<DataChannels> {
		const { connectionId } = this;
		const clientIsDtlsClient = offer.dtls.role === 'client';
		const opened = this.#dataChannelOpened;
		const channels = await DataChannels.create({ connectionId, transport, clientIsDtlsClient, opened }, this.context);
		undo.add(() => {
			channels.close('negotiationFailed');
		});
		this.assertOpen();
		return channels;
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

	async #connect(offer: Offer, undo: Rollback): Promise<WebRtcTransport> {
		const maxMessageSize = offer.media.find(({ data }) => data)?.data?.maxMessageSize;
		const transport = await this.createTransport(undo, maxMessageSize);
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

const joinFingerprints = ({ dtls }: Offer): string => dtls.fingerprints.map(({ value }) => value).join(' ');

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

/** The bounds of the m-lines on which video is sent. */
const videoBounds = (sections: readonly PlannedSection[]): (number | undefined)[] =>
	sections
		.filter(({ media, puller }) => media.kind === 'video' && receives(media) && puller)
		.map(({ media }) => media.bandwidth);

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
