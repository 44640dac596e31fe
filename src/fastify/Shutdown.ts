/** What the plugins on one server do when it closes. The one that has registered @fastify/websocket begins it for all. */
export class Shutdown {
	static readonly #of = new WeakMap<object, Shutdown>();
	readonly #steps: (() => Promise<void>)[] = [];
	#done: Promise<unknown> | undefined;

	/** The one of a server. */
	static of(server: object): Shutdown {
		const shutdown = Shutdown.#of.get(server) ?? new Shutdown();
		Shutdown.#of.set(server, shutdown);
		return shutdown;
	}

	/** Whether the server closes, or has closed. */
	get begun(): boolean {
		return this.#done !== undefined;
	}

	add(step: () => Promise<void>): void {
		this.#steps.push(step);
	}

	/** Does all of it, once. */
	async run(): Promise<void> {
		this.#done ??= Promise.allSettled(this.#steps.map((step) => step()));
		await this.#done;
	}
}
