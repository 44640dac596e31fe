import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** An HTTP or HTTPS server of Node. */
export type UpgradingServer = Pick<EventEmitter, 'on' | 'off' | 'listenerCount'>;

type TakeUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/** The path of a request, without its query. Within a router of Express, `url` has lost what the router is mounted on. */
export function pathOf({ url = '', originalUrl = url }: IncomingMessage & { originalUrl?: string }): string {
	return originalUrl.split('?', 1)[0] ?? '';
}

/** Who takes the upgrades of one server, by their paths. Those of other paths are left to the other listeners. */
export class UpgradeRoutes {
	static readonly #of = new WeakMap<UpgradingServer, UpgradeRoutes>();
	readonly #server: UpgradingServer;
	readonly #takers = new Map<string, TakeUpgrade>();

	/** The ones of a server. */
	static of(server: UpgradingServer): UpgradeRoutes {
		const routes = UpgradeRoutes.#of.get(server) ?? new UpgradeRoutes(server);
		UpgradeRoutes.#of.set(server, routes);
		return routes;
	}

	private constructor(server: UpgradingServer) {
		this.#server = server;
	}

	/** @returns whether the path was free */
	add(path: string, take: TakeUpgrade): boolean {
		if (this.#takers.has(path)) return false;
		if (this.#takers.size === 0) this.#server.on('upgrade', this.#upgrade);
		this.#takers.set(path, take);
		return true;
	}

	remove(path: string): void {
		if (this.#takers.delete(path) && this.#takers.size === 0) this.#server.off('upgrade', this.#upgrade);
	}

	readonly #upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
		const take = this.#takers.get(pathOf(request));
		if (take) {
			take(request, socket, head);
		} else if (this.#server.listenerCount('upgrade') === 1) {
			// Nobody else would ever close it.
			socket.on('error', () => socket.destroy());
			socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
		}
	};
}
