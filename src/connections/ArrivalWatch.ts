import type { WebRtcTransport } from 'mediasoup/types';
import type { Pusher } from '../tracks/Pusher.js';

/** So many looks in a row without a packet make a silent track. Browsers send still pictures once a second. */
const silentLooks = 2;

/** With less than this for each track, in bit/s, it may be that one of several does not arrive. */
const littleBitrate = 200_000;

/** Notices what of a client's tracks does not arrive any more. */
export class ArrivalWatch {
	readonly #looks = new WeakMap<Pusher, { bytes: number; silent: number }>();
	#received = 0;
	#silent = 0;

	/**
	 * Looks at a connection, and tells its pushers. Most of the time the transport alone is asked.
	 *
	 * @throws errors of mediasoup (rejects), when something closes meanwhile
	 */
	async look(transport: WebRtcTransport, pushers: readonly Pusher[]): Promise<void> {
		const flowing = pushers.filter(({ paused }) => !paused);
		if (flowing.length === 0) {
			this.#received = 0;
			return;
		}
		const [stats] = await transport.getStats();
		if (!stats) return;
		const received = stats.rtpBytesReceived;
		const hasMoved = received !== this.#received;
		this.#received = received;
		this.#silent = hasMoved ? 0 : this.#silent + 1;
		const isLittle = stats.rtpRecvBitrate < littleBitrate * flowing.length;
		if (flowing.length > 1 && hasMoved && (isLittle || flowing.some(({ stalled }) => stalled))) {
			await Promise.all(flowing.map((pusher) => this.#lookAt(pusher)));
		} else {
			for (const pusher of flowing) tell(pusher, this.#silent);
		}
	}

	async #lookAt(pusher: Pusher): Promise<void> {
		const streams = await pusher.pullSource.getStats();
		const bytes = streams.reduce((sum, { byteCount }) => sum + byteCount, 0);
		const before = this.#looks.get(pusher) ?? { bytes: 0, silent: 0 };
		const silent = before.bytes === bytes ? before.silent + 1 : 0;
		this.#looks.set(pusher, { bytes, silent });
		tell(pusher, silent);
	}
}

/** @param silent - how many looks in a row have found nothing new. A single one says nothing */
function tell(pusher: Pusher, silent: number): void {
	if (silent === 0) pusher.arrives(true);
	else if (silent >= silentLooks) pusher.arrives(false);
}
