import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { SfuError, type Sfu, type User } from '../index.js';
import { isAllowedOrigin, type Origins } from '../isAllowedOrigin.js';
import {
	errorCodes,
	fromWebSocket,
	ProtooAdapter,
	type ContextArgument,
	type ProtooOptions,
	type WebSocketOptions,
} from '../protoo/index.js';
import { strict, validator, webSocketProperties } from '../schemas.js';
import { pathOf, UpgradeRoutes, type UpgradingServer } from './UpgradeRoutes.js';

/**
 * The options of an {@link ExpressAdapter}.
 *
 * @typeParam Context - the value that `authorize` gets with each client
 * @typeParam Request - the request as the middleware leaves it, for example with a session
 */
export interface ExpressOptions<Context = IncomingMessage, Request extends IncomingMessage = IncomingMessage>
	extends ProtooOptions<Context>, WebSocketOptions {
	/** The path of the WebSocket, from the root of the server. Default `/webrtc`. */
	path?: string;
	/** Which pages may open the WebSocket. Others are answered with 403. Default: those of the host that they connect to. */
	origins?: Origins;
	/**
	 * Makes the context of a client from the request, after the middleware of the app has run. If it throws an `SfuError`, the
	 * WebSocket is refused with its code as the status. Other errors go to the error handlers of the app. Default: the
	 * request itself.
	 */
	context?: (request: Request) => Context | Promise<Context>;
	/** The maximum size of one message of the WebSocket, in bytes. A larger one closes it with 1009. Default 4,194,304. */
	maxPayload?: number;
}

/** A function that takes requests, for example an app of Express. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

const checkOptions = validator<object>(strict(webSocketProperties), 'options');

/** How long the app may take to let a WebSocket through, in ms. Node limits that for other requests alone. */
const upgradeTimeout = 30_000;

interface Upgrade {
	socket: Socket;
	head: Buffer;
	timer: NodeJS.Timeout;
	destroy: () => void;
}

/**
 * Serves clients over WebSockets on the server of an Express app, in the envelope of protoo 4. A request for the WebSocket
 * goes through the app like any other one: its sessions, its sign-in and its limits come first.
 *
 * @typeParam Context - the value that `authorize` gets with each client
 * @typeParam Request - the request as the middleware leaves it
 * @example
 * ```ts
 * const rooms = new ExpressAdapter(await Sfu.create(), {
 * 	context: (request: express.Request) => request.session.userId,
 * 	authorize: { join: ({ userId }, id) => userId === id, push: true, pull: true, autoPull: true },
 * });
 * const app = express().use(sessions, rooms.router);
 * const server = createServer(app);
 * rooms.handleUpgrade(server, app);
 * ```
 */
export class ExpressAdapter<Context = IncomingMessage, Request extends IncomingMessage = IncomingMessage> {
	readonly #sfu: Sfu;
	readonly #protoo: ProtooAdapter<Context>;
	readonly #options: Pick<ExpressOptions<Context, Request>, 'origins' | 'context'>;
	readonly #webSocketOptions: WebSocketOptions;
	readonly #path: string;
	readonly #webSockets: WebSocketServer;
	readonly #servers = new Set<UpgradingServer>();
	readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();
	#closed = false;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param options - see {@link ExpressOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, options: ExpressOptions<Context, Request> = {}) {
		const { path = '/webrtc', origins, context, maxPayload = 4_194_304, pingInterval, ...others } = options;
		const given = { path, origins, maxPayload, pingInterval };
		checkOptions(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
		this.#sfu = sfu;
		this.#path = path;
		this.#options = { ...(origins && { origins }), ...(context && { context }) };
		this.#webSocketOptions = pingInterval === undefined ? {} : { pingInterval };
		this.#protoo = new ProtooAdapter(sfu, others);
		this.#webSockets = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload });
	}

	/** The number of open sockets. */
	get sockets(): number {
		return this.#protoo.sockets;
	}

	/**
	 * Returns the context of the socket that speaks, or spoke last, for a user.
	 *
	 * @param user - the user
	 * @returns `undefined` if the user has not joined through this adapter
	 */
	contextOf(user: User): Context | undefined {
		return this.#protoo.contextOf(user);
	}

	/** Closes all sockets with 1001, and makes all users leave. The servers and the Sfu stay open. */
	close(): void {
		this.#closed = true;
		for (const server of this.#servers) UpgradeRoutes.of(server).remove(this.#path);
		this.#servers.clear();
		this.#protoo.close();
	}

	/**
	 * Takes the WebSockets of a server. Those of other paths are left to the other listeners for `upgrade`.
	 *
	 * @param server - the HTTP or HTTPS server
	 * @param app - the Express app that uses {@link ExpressAdapter.router}: each request for the WebSocket goes through it
	 * @throws `SfuError` `conflict` if another adapter has the path on this server, `closed` after
	 *   {@link ExpressAdapter.close}
	 */
	handleUpgrade(server: UpgradingServer, app: RequestListener): void {
		if (this.#closed) throw new SfuError('closed', 'the adapter has been closed');
		const isFree = UpgradeRoutes.of(server).add(this.#path, (request, socket, head) => {
			this.#begin(app, request, { socket, head });
		});
		if (!isFree) throw new SfuError('conflict', `another adapter has the path ${this.#path} on this server`);
		this.#servers.add(server);
	}

	/**
	 * The router: give it to `app.use()` behind everything that a request for the WebSocket has to pass. It takes the
	 * requests for `path`, and answers those that ask for no WebSocket with 426.
	 */
	readonly router = (request: Request, response: ServerResponse, next: (error?: unknown) => void): void => {
		if (pathOf(request) !== this.#path) {
			next();
			return;
		}
		const upgrade = this.#upgrades.get(request);
		if (!upgrade) {
			response.writeHead(426, { connection: 'Upgrade', upgrade: 'websocket' }).end('This is a WebSocket.');
			return;
		}
		this.#accept(request, response, upgrade).catch((error: unknown) => {
			if (error instanceof SfuError) refuse(response, errorCodes[error.code], error.message);
			else next(error);
		});
	};

	/** Sends a request for the WebSocket through the app. */
	#begin(app: RequestListener, request: IncomingMessage, { socket, head }: Pick<Upgrade, 'socket' | 'head'>): void {
		const response = new ServerResponse(request);
		const destroy = () => socket.destroy();
		const timer = setTimeout(destroy, upgradeTimeout);
		// Node listens no more, and an error without a listener would be thrown.
		socket.on('error', destroy);
		socket.once('close', () => {
			clearTimeout(timer);
		});
		this.#upgrades.set(request, { socket, head, timer, destroy });
		response.shouldKeepAlive = false;
		response.assignSocket(socket);
		response.once('finish', () => socket.end(destroy));
		const failed = (error: unknown) => {
			this.#sfu.logger.error('the app could not handle a request for a WebSocket', { error });
			destroy();
		};
		try {
			// An app other than Express may be asynchronous.
			Promise.resolve(app(request, response)).catch(failed);
		} catch (error) {
			failed(error);
		}
	}

	async #accept(request: Request, response: ServerResponse, upgrade: Upgrade): Promise<void> {
		const { origins, context: contextOf } = this.#options;
		if (!isAllowedOrigin(request, origins)) {
			refuse(response, 403, 'This page may not open the WebSocket.');
			return;
		}
		const context = contextOf ? await contextOf(request) : (request as unknown as Context);
		const { socket, head, timer, destroy } = upgrade;
		// The app has answered by itself.
		if (response.headersSent) return;
		if (this.#closed) {
			refuse(response, errorCodes.unavailable, 'The server is going away.');
			return;
		}
		clearTimeout(timer);
		response.detachSocket(socket);
		this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
			socket.off('error', destroy);
			const given = [context] as unknown as ContextArgument<Context>;
			this.#protoo.accept(fromWebSocket(webSocket, this.#webSocketOptions), ...given);
		});
	}
}

function refuse(response: ServerResponse, status: number, reason: string): void {
	if (response.headersSent) return;
	response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(reason);
}
