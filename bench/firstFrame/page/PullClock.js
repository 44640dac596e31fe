/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

const { MediaStream, document, performance } = /** @type {any} */ (globalThis);

/**
 * When something happened in a pull, in ms since its request.
 *
 * @typedef {object} Pull
 * @property {number} prepared When the page began to prepare the pull: before its request, and so not positive.
 * @property {number} responded When the response to the request came.
 * @property {number} connected When ICE and DTLS had connected.
 * @property {number} received When the first frame that was shown had arrived, as Chromium has it.
 * @property {number} decoded When that frame was shown.
 */

/** Takes the times of one pull. Each one counts only the first time. */
export class PullClock {
	/** @type {Map<string, number>} */
	#times = new Map();
	/** @type {() => void} */
	#done = () => undefined;
	#decoded = new Promise((/** @type {(value: undefined) => void} */ resolve) => {
		this.#done = () => {
			resolve(undefined);
		};
	});

	/**
	 * @param {keyof Pull | 'requested'} step
	 * @param {number} [at]
	 */
	take(step, at = Number(performance.now())) {
		if (!this.#times.has(step)) this.#times.set(step, at);
	}

	/** Shows a video, and waits for its first frame. @param {unknown} track */
	watch(track) {
		const element = document.createElement('video');
		element.muted = true;
		element.autoplay = true;
		element.requestVideoFrameCallback((/** @type {number} */ _, /** @type {any} */ { receiveTime }) => {
			this.take('decoded');
			this.take('received', Number(receiveTime));
			this.#done();
		});
		element.srcObject = new MediaStream([track]);
		document.body.append(element);
	}

	/** Waits for the first frame. @returns {Promise<Pull>} */
	async end() {
		await this.#decoded;
		/** @param {string} step */
		const of = (step) => (this.#times.get(step) ?? NaN) - (this.#times.get('requested') ?? NaN);
		return {
			prepared: of('prepared'),
			responded: of('responded'),
			connected: of('connected'),
			received: of('received'),
			decoded: of('decoded'),
		};
	}
}
