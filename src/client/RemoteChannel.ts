import type { DataPusherData } from '../protocol/index.js';
import type { Publisher } from './Publisher.js';

/** A data channel of another user. */
export class RemoteChannel {
	/** Unique in the room. */
	readonly id: string;
	/** Whose it is. */
	readonly user: Publisher;
	/** The name that its user gave it. */
	readonly label: string;
	/** The subprotocol, `""` for none. */
	readonly protocol: string;
	/** What it is, if its user has said so. */
	source: string | undefined;
	/** Any JSON value of the app's own. */
	metadata: unknown;
	/** Whether it is paused: what is sent meanwhile is lost. */
	muted: boolean;
	readonly #subscribe: (channel: RemoteChannel) => Promise<void>;

	/** @internal */
	constructor(user: Publisher, data: DataPusherData, subscribe: (channel: RemoteChannel) => Promise<void>) {
		this.id = data.pusherId;
		this.user = user;
		this.label = data.label;
		this.protocol = data.protocol;
		this.source = data.source;
		this.metadata = data.metadata;
		this.muted = data.paused ?? false;
		this.#subscribe = subscribe;
	}

	/** Receives what is sent on it, by the event `data`. Needed only if not everything comes by itself. */
	subscribe(): Promise<void> {
		return this.#subscribe(this);
	}
}
