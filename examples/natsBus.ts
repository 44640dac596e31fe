/**
 * Another bus: the servers of a cluster over core NATS, which keeps nothing either. Unlike `redisBus()`, it delivers late what
 * a server had got before it was stopped for a while.
 */
import { connect, deadline, type NodeConnectionOptions } from '@nats-io/transport-node';
import { SfuError } from 'sfu-rooms';
import type { Bus } from '../src/cluster/Bus.js';

const timeout = 1000;

/** Connects to NATS. Rejects if it is not there; a connection that is lost later comes back by itself. */
export async function natsBus(options: NodeConnectionOptions): Promise<Bus> {
	// A server that leaves two pings unanswered counts as lost.
	const lasting = { maxReconnectAttempts: -1, reconnectTimeWait: 500, pingInterval: 500, maxPingOut: 2, timeout };
	const nats = await connect({ ...options, ...lasting });
	const listeners = new Set<(connected: boolean) => void>();
	let connected = true;

	function change(now: boolean) {
		if (now === connected) return;
		connected = now;
		for (const listener of [...listeners]) contain(listener, now);
	}

	void (async () => {
		for await (const { type } of nats.status()) {
			// By then the client has subscribed to everything again.
			if (type === 'reconnect') change(true);
			if (type === 'disconnect' || type === 'staleConnection' || type === 'close') change(false);
		}
	})();

	/** Does something, and waits until NATS has read it. Without a connection, the client would do it later. */
	async function send<T>(action: () => T): Promise<T> {
		if (nats.isClosed()) throw new SfuError('closed', 'the bus has been closed');
		try {
			if (!connected) throw new Error('the connection has been lost');
			const result = action();
			await deadline(nats.flush(), timeout);
			return result;
		} catch (cause) {
			throw new SfuError('unavailable', 'NATS is unavailable', { cause });
		}
	}

	return {
		get connected() {
			return connected;
		},
		publish(subject, message) {
			return send(() => {
				nats.publish(subject, message);
			});
		},
		async subscribe(subject, listener) {
			const callback = (error: Error | null, { data }: { data: Uint8Array }) => {
				if (!error) contain(listener, data);
			};
			const subscription = await send(() => nats.subscribe(subject, { callback }));
			return () => {
				subscription.unsubscribe();
			};
		},
		onConnected(listener) {
			const own = (now: boolean) => {
				listener(now);
			};
			listeners.add(own);
			return () => listeners.delete(own);
		},
		async close() {
			connected = false;
			listeners.clear();
			await nats.close();
		},
	};
}

function contain<T>(listener: (value: T) => void, value: T) {
	try {
		listener(value);
	} catch (error) {
		console.error('a listener of the bus failed', error);
	}
}
