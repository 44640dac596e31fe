import { EventEmitter } from 'node:events';
import type { Consumer, ConsumerLayers, RtpStreamRecvStats } from 'mediasoup/types';
import type { VideoPuller } from '../../src/layers/LayerPolicy.js';
import { LayerSelection } from '../../src/layers/LayerSelection.js';
import { Demand } from '../../src/media/Demand.js';
import { recorder } from '../media/setup.js';

/** A puller of three spatial layers with one frame rate each, and all that was done with it. */
export class FakePuller extends EventEmitter implements VideoPuller {
	userId = 'user';
	connectionId = 'connection';
	isCut = false;
	readonly told: string[] = [];
	readonly id: string;
	readonly selection: LayerSelection;
	/** Whether the receiver requests each packet again. */
	isOverloaded = false;
	paused = false;
	producerPaused = false;
	closed = false;
	isPausedByOthers = false;
	rank = -1;
	priority = 1;
	currentLayers: ConsumerLayers | undefined;
	/** Called before each step that may take time, with its name. */
	interrupt: (step: string) => void | Promise<void> = () => undefined;
	#packets = 0;
	#nacked = 0;
	#listener: (() => void) | undefined;

	constructor(id = 'a', spatialLayer = 2) {
		super();
		this.id = id;
		this.selection = new LayerSelection(this.consumer, { spatialLayer, temporalLayer: 0 });
	}

	get consumer() {
		return this as unknown as Consumer;
	}

	get observer() {
		return this;
	}

	/** The part of {@link FakePuller.told} that is about these. */
	only(...words: string[]) {
		return this.told.filter((line) => words.some((word) => line.startsWith(word)));
	}

	nack() {
		this.emit('trace', { type: 'nack', info: {} });
	}

	requestKeyframe() {
		this.#listener?.();
	}

	sendLayer(spatialLayer: number) {
		this.currentLayers = { spatialLayer, temporalLayer: 0 };
		this.emit('layerschange', this.currentLayers);
	}

	readonly source = {
		pusherId: 'pusher',
		demand: new Demand(recorder().logger),
		rtpParameters: { codecs: [], encodings: [{ rid: 'l' }, { rid: 'm' }, { rid: 'h' }] },
		getStats: async () => {
			await this.interrupt('source.getStats');
			return [
				{ rid: 'l', bitrate: 100_000, bitrateByLayer: {} },
				{ rid: 'm', bitrate: 500_000, bitrateByLayer: {} },
				{ rid: 'h', bitrate: 1_500_000, bitrateByLayer: {} },
			] as unknown as RtpStreamRecvStats[];
		},
		watchKeyframeRequests: (listener: () => void) => {
			this.#listener = listener;
			this.told.push('keyframes watched');
			return () => {
				this.#listener = undefined;
				this.told.push('keyframes unwatched');
			};
		},
	};

	async getStats() {
		await this.interrupt('getStats');
		this.#packets += 6;
		if (this.isOverloaded) this.#nacked += 6;
		const [packetCount, nackPacketCount] = [this.#packets, this.#nacked];
		return [{ type: 'outbound-rtp', packetCount, byteCount: packetCount * 1000, packetsLost: 0, nackPacketCount }];
	}

	async setPreferredLayers({ spatialLayer }: ConsumerLayers) {
		await this.interrupt('setPreferredLayers');
		this.told.push(`layer ${spatialLayer}`);
	}

	async enableTraceEvent(types: string[]) {
		this.told.push(`traces ${types.join()}`);
		return Promise.resolve();
	}

	async suspend(suspended: boolean) {
		if (suspended) this.isOverloaded = false;
		this.paused = suspended;
		this.told.push(suspended ? 'suspended' : 'released');
		await this.interrupt(suspended ? 'suspend' : 'release');
	}

	async hold(held: boolean) {
		this.told.push(held ? 'held' : 'resumed');
		await this.interrupt('hold');
	}
}
