import type { Way } from './network.js';

/** A video that takes all the bitrate that its encodings may have. */
export interface Video {
	noise: { width: number; height: number; frameRate: number };
	/** The `sendEncodings` of WebRTC. */
	encodings: object[];
}

export const videos = {
	one: { noise: { width: 640, height: 360, frameRate: 15 }, encodings: [{ maxBitrate: 1_500_000 }] },
	three: {
		noise: { width: 960, height: 540, frameRate: 15 },
		encodings: [
			{ rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
			{ rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
			{ rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
		],
	},
} satisfies Record<string, Video>;

/** How many layers the videos have. */
export type Layers = keyof typeof videos;

export interface Scenario {
	/** How many users push a video and a microphone. */
	pushers: number;
	/** What comes down to the one who pulls them, one after the other. */
	phases: { name: string; seconds: number; down: Way }[];
}

/** A link that only delays. */
export const wide: Way = {};

/** What was reached before anything happens to the link. */
const before = { name: 'wide', seconds: 5, down: wide };

export const scenarios: Record<string, Scenario> = {
	narrow: {
		pushers: 1,
		phases: [
			before,
			{ name: '500 kbit/s', seconds: 30, down: { rate: 500, queue: 1000 } },
			{ name: 'wide again', seconds: 20, down: wide },
		],
	},
	shared: {
		pushers: 3,
		phases: [
			before,
			{ name: '1 Mbit/s', seconds: 30, down: { rate: 1000, queue: 1000 } },
			{ name: 'wide again', seconds: 30, down: wide },
		],
	},
	lossy: {
		pushers: 1,
		phases: [
			before,
			{ name: '10 % lost', seconds: 25, down: { loss: 10 } },
			{ name: '20 % lost', seconds: 25, down: { loss: 20 } },
			{ name: 'none lost', seconds: 20, down: wide },
		],
	},
};

/** The way of all links, in each direction. */
export const distance: Way = { delay: 20 };

/** Who carries the calls: sfu-rooms, with offers of the client or of the server, or mediasoup with its own client. */
export const systems = {
	client: 'sfu-rooms, the client offers',
	server: 'sfu-rooms, the server offers',
	mediasoup: 'bare mediasoup',
};

export type System = keyof typeof systems;
