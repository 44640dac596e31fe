/**
 * How loud tracks are, by their energy since they were last measured. A level at one moment would miss what is short, again and
 * again if it comes at a steady pace.
 */
export class Levels {
	/** By the id of the track. @type {Map<string, {energy: number, duration: number, level: number}>} */
	#measured = new Map();

	/** @param {import('sfu-rooms/client').Call} call */
	async measure(call) {
		const { send, receive } = await call.getStats();
		const before = this.#measured;
		this.#measured = new Map();
		for (const report of [...(send?.values() ?? []), ...(receive?.values() ?? [])]) {
			const { type, trackIdentifier, totalAudioEnergy: energy, totalSamplesDuration: duration } = report;
			// Not every browser tells of what it sends.
			if ((type !== 'media-source' && type !== 'inbound-rtp') || energy === undefined) continue;
			const last = before.get(trackIdentifier) ?? { energy: 0, duration: 0 };
			const isLouder = energy > last.energy && duration > last.duration;
			const level = isLouder ? Math.sqrt((energy - last.energy) / (duration - last.duration)) : 0;
			this.#measured.set(trackIdentifier, { energy, duration, level });
		}
	}

	/**
	 * @param {MediaStreamTrack | undefined} track
	 * @returns {number} from 0 to 1
	 */
	of(track) {
		return this.#measured.get(track?.id ?? '')?.level ?? 0;
	}
}
