import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { Bus } from '../../src/cluster/Bus.js';
import { redisBus, type RedisBusOptions } from '../../src/cluster/redisBus.js';

/** Keeps the messages that it gets as a listener. */
export class Mailbox {
	readonly messages: Buffer[] = [];
	#arrived: (() => void) | undefined;

	readonly listener = (message: Uint8Array) => {
		this.messages.push(Buffer.from(message));
		this.#arrived?.();
	};

	/** Waits until there are so many messages, and takes them out. */
	async take(count: number): Promise<Buffer[]> {
		while (this.messages.length < count) await new Promise<void>((resolve) => (this.#arrived = resolve));
		return this.messages.splice(0, count);
	}

	/** The same, of texts. */
	async takeTexts(count: number): Promise<string[]> {
		return (await this.take(count)).map(String);
	}
}

/** Waits until all that a bus has published before has reached another one, too. */
export async function settled(from: Bus, to: Bus): Promise<void> {
	const mailbox = new Mailbox();
	const unsubscribe = await to.subscribe('settled', mailbox.listener);
	await from.publish('settled', Buffer.from('settled'));
	await mailbox.take(1);
	unsubscribe();
}

/** Waits until a bus is connected, or is not. */
export async function isConnected(bus: Bus, wanted = true): Promise<void> {
	if (bus.connected === wanted) return;
	await new Promise<void>((resolve) => {
		const stop = bus.onConnected((connected) => {
			if (connected !== wanted) return;
			stop();
			resolve();
		});
	});
}

/** The clients that a bus takes, made as an app makes them. They must not see an error of the bus. */
export const clients = {
	ioredis(t: TestContext, port: number) {
		const client = new Redis(port, '127.0.0.1');
		client.on('error', () => undefined);
		t.after(() => {
			client.disconnect();
		});
		return Promise.resolve(client);
	},
	async 'node-redis'(t: TestContext, port: number) {
		const client = createClient({ url: `redis://127.0.0.1:${port}` });
		client.on('error', () => undefined);
		await client.connect();
		t.after(() => {
			client.destroy();
		});
		return client;
	},
};
export type ClientName = keyof typeof clients;
export const clientNames = Object.keys(clients) as ClientName[];

/** A bus over a client of its own. */
export async function busOf(
	t: TestContext,
	{ client, port, ...options }: { client: ClientName; port: number } & RedisBusOptions,
): Promise<Bus> {
	const bus = redisBus(await clients[client](t, port), options);
	t.after(() => bus.close());
	await isConnected(bus);
	return bus;
}
