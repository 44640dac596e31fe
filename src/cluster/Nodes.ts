import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import type { NodeInfo } from './wire.js';

export type NodesEvents = {
	/** A server is there that was not, or that was taken for dead. */
	joined: (event: { node: NodeInfo }) => void;
	/** A server has stopped, or nothing has been heard of it for {@link deadAfter}. */
	lost: (event: { node: NodeInfo; reason: 'nodeStopped' | 'nodeLost' }) => void;
};

/** The time between two signs of life, in ms. */
export const aliveInterval = 750;
/** A server that is not heard for so long, neither by the bus nor directly, is taken for dead, in ms. */
export const deadAfter = 2000;
/** Messages of a server that has stopped may still be on their way for so long, in ms. */
const straggle = 10_000;

interface Known {
	info: NodeInfo;
	heardAt: number;
}

/** The other servers that are alive, by what is heard of them. */
export class Nodes extends Emitter<NodesEvents> {
	readonly #known = new Map<string, Known>();
	/** Those that have said that they stop, and when. */
	readonly #stopped = new Map<string, number>();
	readonly #now: () => number;
	/** Since when a silence tells something, in ms: before, this server itself may have been unable to hear. */
	#listensSince = -Infinity;
	#sweptAt = Infinity;

	/** @param now - the clock, in ms */
	constructor(logger: Logger, now: () => number = () => performance.now()) {
		super(logger);
		this.#now = now;
	}

	/** Those that are alive, by id. */
	get all(): ReadonlyMap<string, NodeInfo> {
		return new Map([...this.#known].map(([id, { info }]) => [id, info]));
	}

	has(nodeId: string): boolean {
		return this.#known.has(nodeId);
	}

	/** Notes a sign of life. Without `info` it counts for those only that are known. */
	heard(nodeId: string, info?: NodeInfo): void {
		if (this.#stopped.has(nodeId)) return;
		const known = this.#known.get(nodeId);
		if (known) known.heardAt = this.#now();
		if (!info) return;
		if (known) {
			known.info = info;
			return;
		}
		this.#known.set(nodeId, { info, heardAt: this.#now() });
		this.emit('joined', { node: info });
	}

	/** Notes that a server stops. */
	stopped(nodeId: string): void {
		this.#stopped.set(nodeId, this.#now());
		this.#lose(nodeId, 'nodeStopped');
	}

	/** Notes that the bus works again, or no more: those who have not been heard over it for a while could not be. */
	busChanged(): void {
		this.#listensSince = this.#now();
	}

	/**
	 * Takes for dead who has not been heard for too long.
	 *
	 * @param bus - whether messages come over the bus
	 * @param isDirect - whether a server has been heard directly before, so that its silence tells something without the bus
	 */
	sweep(bus: boolean, isDirect: (nodeId: string) => boolean): void {
		const now = this.#now();
		// This process has slept, and not heard what has come meanwhile.
		if (now - this.#sweptAt > 2 * aliveInterval) this.#listensSince = now;
		this.#sweptAt = now;
		for (const [nodeId, at] of this.#stopped) if (now - at > straggle) this.#stopped.delete(nodeId);
		for (const [nodeId, { heardAt }] of this.#known) {
			const since = Math.max(heardAt, this.#listensSince);
			if (now - since > deadAfter && (bus || isDirect(nodeId))) this.#lose(nodeId, 'nodeLost');
		}
	}

	#lose(nodeId: string, reason: 'nodeStopped' | 'nodeLost'): void {
		const known = this.#known.get(nodeId);
		if (!this.#known.delete(nodeId) || !known) return;
		this.emit('lost', { node: known.info, reason });
	}
}
