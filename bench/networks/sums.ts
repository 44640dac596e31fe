/** What somebody saw and heard since the last sample, and what was sent to him. */
export interface Sample {
	/** How long this is, in seconds. */
	seconds: number;
	frames: number;
	/** In seconds. */
	frozen: number;
	concealed: number;
	/** Of the audio. */
	samples: number;
	/** The widths of the videos. */
	widths: number[];
	/** In ms. */
	roundTrip: number | undefined;
	/** In bit/s. */
	bitrate: number;
}

/** A phase in a few figures. Frames and freezes are those of one video on the average. */
export interface Figures {
	/** For each second. */
	frames: number;
	/** In seconds. */
	frozen: number;
	/** The share of the audio that was made up in the first seconds, 0 to 1. */
	concealedFirst: number;
	concealedLater: number;
	/** After the first seconds, in ms. */
	roundTrip: number;
	/** In bit/s. */
	bitrate: number;
	/** At the end. */
	widths: number[];
	changes: number;
}

/** The first seconds of a phase, in which the link is found to be another, count apart. */
export const beginning = 3;

export const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);

const average = (values: readonly number[]) => sum(values) / Math.max(values.length, 1);

/**
 * Moves each freeze to the time when nothing was shown. A browser counts it only when the next frame has come, which may be in
 * another phase.
 */
export function dateFreezes(samples: readonly Sample[], videos: number): void {
	const counted = samples.map(({ frozen }) => frozen);
	for (const sample of samples) sample.frozen = 0;
	for (const [index, freeze] of counted.entries()) {
		let left = freeze;
		for (const sample of samples.slice(0, index + 1).reverse()) {
			const part = Math.min(left, sample.seconds * videos - sample.frozen);
			sample.frozen += part;
			left -= part;
		}
	}
}

/** Sums up a phase. */
export function sumUp(samples: readonly Sample[], videos: number, changes: number): Figures {
	const concealed = (part: readonly Sample[]) =>
		sum(part.map((one) => one.concealed)) / Math.max(sum(part.map((one) => one.samples)), 1);
	const later = samples.slice(beginning);
	return {
		frames: sum(samples.map(({ frames }) => frames)) / sum(samples.map(({ seconds }) => seconds)) / videos,
		frozen: sum(samples.map(({ frozen }) => frozen)) / videos,
		concealedFirst: concealed(samples.slice(0, beginning)),
		concealedLater: concealed(later),
		roundTrip: average(later.flatMap(({ roundTrip }) => roundTrip ?? [])),
		bitrate: average(samples.map(({ bitrate }) => bitrate)),
		widths: samples.at(-1)?.widths ?? [],
		changes,
	};
}
