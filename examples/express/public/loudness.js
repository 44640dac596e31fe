/**
 * How loud something is, by its energy since it was last asked for. A level at one moment would miss what is short, again and
 * again if it comes at a steady pace.
 */
export class Loudness {
	#energy = 0;
	#duration = 0;

	/**
	 * @param {{totalAudioEnergy?: number, totalSamplesDuration?: number}} report of `getStats()`
	 * @returns {number} from 0 to 1; 0 where the browser does not tell
	 */
	next({ totalAudioEnergy = 0, totalSamplesDuration = 0 }) {
		const energy = totalAudioEnergy - this.#energy;
		const duration = totalSamplesDuration - this.#duration;
		this.#energy = totalAudioEnergy;
		this.#duration = totalSamplesDuration;
		return duration > 0 && energy > 0 ? Math.sqrt(energy / duration) : 0;
	}
}
