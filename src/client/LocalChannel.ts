/** How a data channel is opened: as `createDataChannel()` takes it. */
export interface ChannelOptions {
	/** The subprotocol. Default none. */
	protocol?: string;
	/** Whether messages arrive in order. Default true. */
	ordered?: boolean;
	/** How long a message may be sent again, in ms. Default: no limit. */
	maxPacketLifeTime?: number;
	/** How often a message may be sent again. Default: no limit. */
	maxRetransmits?: number;
}

/** A data channel that this user sends on. It outlives reconnections: then it is another RTCDataChannel. */
export class LocalChannel {
	/** The name of it, which the others see. */
	readonly label: string;
	/** Is called with what the app on the server sends on it. */
	onmessage: ((data: string | ArrayBuffer) => void) | null = null;
	readonly #options: ChannelOptions;
	readonly #close: (channel: LocalChannel) => void;
	#pc: RTCPeerConnection | undefined;
	#channel: RTCDataChannel | undefined;

	/** @internal */
	constructor(label: string, options: ChannelOptions, close: (channel: LocalChannel) => void) {
		this.label = label;
		this.#options = options;
		this.#close = close;
	}

	/** The RTCDataChannel at the moment. */
	get channel(): RTCDataChannel | undefined {
		return this.#channel;
	}

	/** Whether `send()` sends. */
	get isOpen(): boolean {
		return this.#channel?.readyState === 'open';
	}

	/**
	 * Sends a message to all who pull the channel.
	 *
	 * @returns whether it was handed to the network; false while there is no connection
	 */
	send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): boolean {
		if (!this.isOpen) return false;
		// The overloads take one type each.
		this.#channel?.send(data as string);
		return true;
	}

	/** Closes it. The others get `channelRemoved`. */
	close(): void {
		this.#channel?.close();
		this.detach();
		this.#close(this);
	}

	/** @internal */
	openOn(pc: RTCPeerConnection): void {
		if (pc === this.#pc) return;
		this.#pc = pc;
		this.#channel = pc.createDataChannel(this.label, this.#options);
		this.#channel.binaryType = 'arraybuffer';
		this.#channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
			this.onmessage?.(data);
		};
	}

	/** @internal */
	detach(): void {
		if (this.#channel) this.#channel.onmessage = null;
		this.#pc = this.#channel = undefined;
	}
}
