import { callWorker } from '../media/callWorker.js';
import { RemoteSource, type SourceOwner } from '../media/RemoteSource.js';
import { checkStatsOptions, type PusherStats, type StatsOptions } from '../stats/stats.js';
import type { EndpointOptions } from './Endpoint.js';
import type { PauseCause } from './Pauses.js';
import { Pusher } from './Pusher.js';
import type { PusherCloseReason } from './PusherEndpoint.js';
import type { TrackState } from './PusherState.js';
import { readDetails, type PusherDetails, type PushMediaOptions } from './PushOptions.js';
import { followPauses, type PusherOwner } from './PusherOwner.js';

/** A track that a user on another server sends. What the app asks of it, its own server does. */
export class RemotePusher extends Pusher {
	readonly #owner: PusherOwner;

	constructor(
		options: EndpointOptions &
			Pick<ConstructorParameters<typeof Pusher>[0], 'limits'> & {
				state: TrackState;
				toldStreamId: string;
				owner: PusherOwner & Pick<SourceOwner, 'bring'>;
			},
	) {
		const { state, owner, logger, limits, toldStreamId, userId, connectionId } = options;
		const requestKeyframe = async () => {
			await owner.ask('requestKeyframe');
		};
		const source = new RemoteSource(
			state.pusherId,
			{ ...state, paused: state.pausedBy.length > 0 },
			{ bring: (router, payloadTypes) => owner.bring(router, payloadTypes), requestKeyframe },
			logger,
		);
		super({
			...{ userId, connectionId, logger, limits, toldStreamId, source },
			mid: state.mid,
			streamId: state.streamId,
			details: detailsOf(state),
			layersSettleTime: undefined,
		});
		this.#owner = owner;
		followPauses(state.pausedBy, this, (cause, paused) => super.setPaused(cause, paused));
		this.setStalled(state.stalled);
	}

	/** Closes it on its own server, for everybody. */
	override close(reason: PusherCloseReason = 'closed'): void {
		if (!this.closed) this.#owner.tell('close', { reason });
	}

	override update(details: PusherDetails): void {
		const checked = readDetails(details, this.limits);
		if (!this.closed) this.#owner.tell('update', { details: checked });
	}

	override async setPaused(cause: PauseCause, paused: boolean): Promise<void> {
		await callWorker(this, 'the pusher', () => this.#owner.ask('setPaused', { cause, paused }));
	}

	override async getStats(options: StatsOptions = {}): Promise<PusherStats> {
		const checked = checkStatsOptions(options);
		return (await callWorker(this, 'the pusher', () =>
			this.#owner.ask('getStats', { options: checked }),
		)) as PusherStats;
	}

	/** @internal Follows what its own server tells of it. */
	follow(state: TrackState): void {
		followPauses(state.pausedBy, this, (cause, paused) => super.setPaused(cause, paused));
		this.setStalled(state.stalled);
		this.setDetails(detailsOf(state));
	}

	/** @internal It has gone. */
	end(reason: PusherCloseReason): void {
		super.close(reason);
	}
}

const detailsOf = ({ source, metadata, maxBitrate }: TrackState): PushMediaOptions => ({
	source: source ?? null,
	metadata: metadata ?? null,
	maxBitrate,
});
