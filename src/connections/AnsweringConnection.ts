import type { WebRtcTransport } from 'mediasoup/types';
import type { DataChannels } from '../data/DataChannels.js';
import { Rollback } from '../Rollback.js';
import { isUsable, type Offer } from '../sdp/Offer.js';
import { writeAnswer } from '../sdp/writeAnswer.js';
import { SfuError } from '../SfuError.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { Puller } from '../tracks/Puller.js';
import type { PullTargets } from '../tracks/PullOptions.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { AnnouncedChannel, CheckedPushOptions } from '../tracks/PushOptions.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import { wantedBitrate } from './BitrateLimits.js';
import { ClientIdentity } from './ClientIdentity.js';
import { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { createAll } from './createAll.js';
import { createPuller } from './createPuller.js';
import { createPusher } from './createPusher.js';
import { UplinkDemand } from './UplinkDemand.js';
import {
	negotiatePull,
	negotiatePush,
	receives,
	ssrcsOf,
	type MediaSection,
	type NegotiatedSection,
	type Negotiation,
	type NewPusher,
} from './negotiate.js';
import { followDirection, pullerOptions, toAnswer, videoLimits } from './negotiatedSections.js';
import { negotiateWatch } from './negotiateWatch.js';
import { rejections, type PushRejection } from './rejections.js';

/**
 * @internal The answer to an offer, and all pushers and pullers of the connection: tracks by m-line, then data channels. Some
 * may have closed meanwhile.
 */
export interface Answered {
	answer: string;
	pushers: AnyPusher[];
	pullers: AnyPuller[];
	rejected: PushRejection[];
}

/** The data channels of an offer: those that the client announces, or wants. */
type DataRequest = { push: readonly AnnouncedChannel[] } | { pull: PullTargets['data'] };

/** Takes a new track or data channel into a negotiation, whose failure closes it. */
type Adopt = (created: AnyPusher | AnyPuller | undefined) => void;

/** Creates something in the worker. The result puts it where it belongs. */
type Creation = () => Promise<(adopt: Adopt) => void>;

interface CreationContext {
	negotiation: Negotiation;
	transport: WebRtcTransport;
	extensionIds: Map<string, number>;
	/** Whether the transport is new: then the client cannot connect before it has the answer. */
	isNew: boolean;
}

/** The counterpart of an RTCPeerConnection whose client offers. */
export class AnsweringConnection extends Connection {
	readonly offeredBy = 'client';
	#sessionVersion = 0;
	#sections: readonly MediaSection[] = [];
	readonly #everPulled = new Set<string>();
	/** The ids of header extensions by URI. They hold for the whole transport. */
	#extensionIds = new Map<string, number>();
	/** @internal What tells the client's RTCPeerConnection from others. */
	readonly identity: ClientIdentity;
	/** The mid of the m-line that carries the transport of all: the BUNDLE tag (RFC 9143, section 7.2). */
	#bundleTag: string | undefined;
	#negotiations: Promise<unknown> = Promise.resolve();
	#pendingNegotiations = 0;
	/** It is the same in all answers: with another one a browser would start its estimate again. */
	readonly #startBitrate: number | undefined;
	readonly #demand = new UplinkDemand(this.bitrates, this.logger);

	/**
	 * @internal
	 * @param offer - the first one
	 */
	constructor(context: ConnectionContext, offer: Offer) {
		super(context);
		this.identity = new ClientIdentity(offer);
		const { startBitrate, maxIncomingBitrate } = context.options.webRtc;
		if (startBitrate > 0) this.#startBitrate = Math.min(startBitrate, maxIncomingBitrate || startBitrate);
	}

	/**
	 * @internal Answers an offer. A push receives the m-lines that begin to send, and the data channels that the client
	 * announces. A pull sends its targets: tracks on the m-lines that receive, data channels on the m-line for them. Offers of
	 * one RTCPeerConnection are answered one after the other. An offer that fails changes nothing. With `standby` the targets may
	 * change later without another offer of the client.
	 */
	answer(
		offer: Offer,
		request: { push: CheckedPushOptions } | { pull: PullTargets; standby?: boolean },
	): Promise<Answered> {
		const { codecs } = this.context;
		const data = 'push' in request ? { push: request.push.data } : { pull: request.pull.data };
		const negotiate = () =>
			'push' in request
				? negotiatePush(offer, this.#sections, codecs, request.push)
				: (request.standby ? negotiateWatch : negotiatePull)(offer, this.#sections, request.pull.media, codecs);
		this.#pendingNegotiations++;
		const answering = this.#negotiations.then(async () => {
			try {
				this.assertOpen();
				return await this.#apply(offer, negotiate(), data);
			} catch (error) {
				throw this.reported(error, 'an offer could not be answered');
			} finally {
				this.#pendingNegotiations--;
				if (!this.transport && this.#pendingNegotiations === 0) this.close('negotiationFailed');
			}
		});
		const ended = () => undefined;
		// The next one needs nothing of it.
		this.#negotiations = answering.then(ended, ended);
		return answering;
	}

	/** @internal Whether a pusher has ever been pulled through this connection. It may have gone since. */
	hasPulled(pusherId: string): boolean {
		return this.#everPulled.has(pusherId);
	}

	protected override media(): (Pusher | Puller)[] {
		return this.#sections.flatMap(({ pusher, puller }) => [puller ?? [], pusher ?? []].flat());
	}

	async #apply(offer: Offer, negotiation: Negotiation, dataRequest: DataRequest): Promise<Answered> {
		const isCarried = offer.media.some((media) => isUsable(media) && media.mid === this.#bundleTag);
		const restart = this.transport !== undefined && this.identity.isRestartedBy(offer);
		if (this.transport && !isCarried && offer.media.some(isUsable)) {
			// Chromium and Firefox drop the transport then, and begin a DTLS association that ours cannot take part in.
			throw new SfuError(
				'conflict',
				'the first m-line, which carries the transport, was stopped: offer again on a new RTCPeerConnection',
			);
		}
		this.#assertPermitted(negotiation, dataRequest);
		const rollback = new Rollback();
		try {
			const isNew = !this.transport;
			const transport = this.transport ?? (await this.createTransport(rollback, maxMessageSizeOf(offer)));
			const added: (AnyPusher | AnyPuller)[] = [];
			const adopt: Adopt = (created) => {
				if (!created) return;
				added.push(created);
				rollback.add(() => {
					created.close('negotiationFailed');
				});
			};
			const extensionIds = new Map(this.#extensionIds);
			const sections: NegotiatedSection[] = negotiation.sections.map((section) => ({ ...section }));
			await createAll(
				[
					...(isNew ? [() => connect(transport, offer)] : []),
					...sections.flatMap((section) => this.#creations(section, { negotiation, transport, extensionIds, isNew })),
				],
				(put) => {
					put(adopt);
				},
				// What is replaced closes before the next is created: after a failure no more of it does.
				negotiation.removed.length > 0 ? 1 : undefined,
			);
			this.assertOpen();
			const dataChannels = await this.#applyData(offer, dataRequest, transport, rollback, adopt);
			const waits = sections.some(({ standby }) => standby);
			if (this.#sections.length === 0 && added.length === 0 && !('push' in dataRequest) && !waits) {
				throw new SfuError('not_found', 'the pushers have gone');
			}
			if (restart) await transport.restartIce();
			this.assertOpen();

			this.identity.update(offer);
			if (!isCarried) this.#bundleTag = offer.media[offer.tag]?.mid;
			this.#extensionIds = extensionIds;
			// What else was negotiated is the offer's, and large.
			this.#sections = sections.map(({ mid, pusher, puller }) => ({ mid, pusher, puller }));
			if (this.dataChannels !== dataChannels) this.dataChannels?.close('removed');
			this.dataChannels = dataChannels;
			for (const gone of negotiation.removed) gone.close('removed');
			for (const { puller } of sections) if (puller) this.#everPulled.add(puller.pusherId);
			const wanted = wantedBitrate(offer.bandwidth, videoLimits(sections));
			await Promise.all([...sections.map(followDirection), this.bitrates.setWanted(wanted)]);
			this.assertOpen();
			for (const { pusher, details } of sections) if (details && !pusher?.closed) pusher?.followClient(details);
			this.#updateDataPushers(dataRequest, added);
			dataChannels?.start(added.filter((one) => 'pullerId' in one).filter((puller) => puller.kind === 'data'));
			this.awaitClient({ restarted: restart });
			const answer = this.#writeAnswer(transport, offer, sections);
			this.logger.debug('an offer was answered', { added: added.length, restart });
			this.emitAdded(added);
			return {
				answer,
				pushers: [...sections.flatMap(({ pusher }) => pusher ?? []), ...(dataChannels?.pushers ?? [])],
				pullers: [...sections.flatMap(({ puller }) => puller ?? []), ...(dataChannels?.pullers ?? [])],
				rejected: 'push' in dataRequest ? rejections(sections) : [],
			};
		} catch (error) {
			rollback.run();
			throw error;
		}
	}

	/** @throws {@link SfuError} `forbidden` if the user may not do what the offer comes to */
	#assertPermitted({ sections }: Negotiation, request: DataRequest): void {
		const { gate } = this.context;
		for (const { push, pusher, details } of sections) {
			if (push) gate.assertPush(push.media.kind, push.options.source);
			else if (pusher && details) gate.assertUpdate(pusher, details);
		}
		for (const { id, details } of 'push' in request ? request.push : []) {
			gate.assertPush('data', details.source);
			const pusher = this.#dataPusher(id);
			if (pusher) gate.assertUpdate(pusher, details);
		}
	}

	async #applyData(
		offer: Offer,
		request: DataRequest,
		transport: WebRtcTransport,
		rollback: Rollback,
		adopt: Adopt,
	): Promise<DataChannels | undefined> {
		const isEmpty = ('push' in request ? request.push : request.pull).length === 0;
		if (!offer.media.some(({ data }) => data)) {
			if (isEmpty) return undefined;
			throw new SfuError('invalid_argument', 'the offer has no m-line for data channels');
		}
		if (isEmpty && 'pull' in request) return this.dataChannels;
		const opened = (pusher: AnyPusher) => {
			this.emitAdded([pusher]);
		};
		const options = { clientIsDtlsClient: offer.dtls.role === 'client', opened };
		const channels = this.dataChannels ?? (await this.createDataChannels(options, transport, rollback));
		if ('pull' in request) {
			for (const target of request.pull) {
				if (!channels.carries(target.pusher.pusherId)) adopt(await channels.pull(target));
				this.assertOpen();
				this.#everPulled.add(target.pusher.pusherId);
			}
			return channels;
		}
		const pushed = await channels.push(request.push);
		for (const { pusher, isNew } of pushed) if (isNew) adopt(pusher);
		this.assertOpen();
		await channels.accept();
		return channels;
	}

	/** A data channel that the client announces again may have a new source or new metadata. */
	#updateDataPushers(request: DataRequest, added: readonly unknown[]): void {
		if (!('push' in request)) return;
		for (const { id, details } of request.push) {
			const pusher = this.#dataPusher(id);
			if (pusher && !added.includes(pusher)) pusher.followClient(details);
		}
	}

	#dataPusher(id: number): DataPusher | undefined {
		return this.dataChannels?.pushers.find(({ channelId }) => channelId === id);
	}

	/** The worker has one producer for a mid and for an SSRC. So the replaced one must close first. */
	#makeRoomFor({ media }: NewPusher, { removed }: Negotiation): void {
		const ssrcs = new Set(ssrcsOf(media.sources));
		for (const replaced of removed) {
			if (!('media' in replaced)) continue;
			const shares = ssrcsOf(replaced.media.encodings).some((taken) => ssrcs.has(taken));
			if (replaced.mid === media.mid || shares) replaced.close('removed');
		}
	}

	/** Creates what an m-line begins to carry. */
	#creations(section: NegotiatedSection, { negotiation, transport, extensionIds, isNew }: CreationContext): Creation[] {
		const { connectionId, context, bitrates } = this;
		const { push, pull } = section;
		const router = this.assertRouter();
		const creations: Creation[] = [];
		if (push) {
			creations.push(async () => {
				this.assertOpen();
				this.#makeRoomFor(push, negotiation);
				const pusher = await createPusher(push, { connectionId, router, transport, extensionIds }, context);
				this.#demand.add(pusher);
				return (adopt) => {
					section.pusher = pusher;
					adopt(pusher);
				};
			});
		}
		if (pull) {
			// On a new transport nothing flows before the client has the answer.
			const flows = isNew && receives(section.media);
			creations.push(async () => {
				this.assertOpen();
				const on = { connectionId, router, transport, bitrates };
				const puller = await createPuller({ ...pullerOptions(pull), flows }, on, context);
				return (adopt) => {
					section.puller = puller;
					adopt(puller);
				};
			});
		}
		return creations;
	}

	#writeAnswer(transport: WebRtcTransport, offer: Offer, sections: readonly NegotiatedSection[]): string {
		this.#sessionVersion++;
		return writeAnswer({
			offer,
			media: sections.map((section) => toAnswer(section, this.#startBitrate)),
			transport: this.assertRouter().describe(transport),
			sessionId: this.sessionId,
			sessionVersion: this.#sessionVersion,
		});
	}
}

async function connect(transport: WebRtcTransport, { dtls }: Offer): Promise<() => void> {
	await transport.connect({ dtlsParameters: dtls });
	return () => undefined;
}

const maxMessageSizeOf = ({ media }: Offer): number | undefined => media.find(({ data }) => data)?.data?.maxMessageSize;
