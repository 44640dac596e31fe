import websocket from '@fastify/websocket';
import type {
	FastifyInstance,
	FastifyPluginAsync,
	FastifyPluginOptions,
	FastifyRequest,
	preValidationAsyncHookHandler,
	RouteShorthandOptions,
} from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { Sfu, SfuError, type DrainOptions, type SfuOptions } from '../index.js';
import { isAllowedOrigin, type Origins } from '../isAllowedOrigin.js';
import {
	closeCodes,
	errorCodes,
	fromWebSocket,
	ProtooAdapter,
	type ProtooOptions,
	type WebSocketOptions,
} from '../protoo/index.js';
import { milliseconds, strict, validator, webSocketProperties } from '../schemas.js';
import { Shutdown } from './Shutdown.js';

/**
 * The options of the plugin {@link sfuRooms}.
 *
 * @typeParam Context - the value that `authorize` gets with each client
 */
export interface FastifyOptions<Context = FastifyRequest> extends ProtooOptions<Context>, WebSocketOptions {
	/**
	 * An Sfu, which the app closes, or the options of one, which the plugin creates and closes. Default: the Sfu of a plugin
	 * that this instance has already, else a new one.
	 */
	sfu?: Sfu | SfuOptions;
	/** The path of the WebSocket, after `prefix`. Default `/webrtc`. */
	path?: string;
	/** As for every plugin: stands before `path`. Default: none. */
	prefix?: string;
	/** Which pages may open the WebSocket. Others are answered with 403. Default: those of the host that they connect to. */
	origins?: Origins;
	/**
	 * Makes the context of a client from the request, after the hooks `onRequest` and `preValidation`. If it throws an
	 * `SfuError`, the WebSocket is refused with its code as the status. Other errors go to the error handler of the app.
	 * Default: the request itself.
	 */
	context?: (request: FastifyRequest) => Context | Promise<Context>;
	/** Options for the route, for example hooks of its own, or `config`. Default: none. */
	route?: Pick<RouteShorthandOptions, 'onRequest' | 'preParsing' | 'preValidation' | 'config' | 'constraints'>;
	/**
	 * The maximum size of one message of the WebSocket, in bytes. A larger one closes it with 1009. It counts if the plugin
	 * registers `@fastify/websocket`, not if the app has. Default 4,194,304.
	 */
	maxPayload?: number;
	/**
	 * Drains the Sfu when the app closes, before the sockets close: see `sfu.drain()`. Only of an Sfu that the plugin has
	 * created, and only where the plugin registers `@fastify/websocket`. Default: none.
	 */
	drain?: DrainOptions;
}

declare module 'fastify' {
	interface FastifyInstance {
		/** The Sfu of the plugin `sfuRooms`. */
		sfu: Sfu;
		/** The adapter of the plugin `sfuRooms`; of several in one scope, that of the first. */
		// eslint-disable-next-line @typescript-eslint/no-explicit-any -- The context is known where the plugin is registered.
		protoo: ProtooAdapter<any>;
	}
}

const checkOptions = validator<object>(
	strict({
		...webSocketProperties,
		prefix: { type: 'string' },
		drain: strict({ timeout: milliseconds }),
	}),
	'options',
);

/** The servers on which a plugin has registered @fastify/websocket. */
const withWebSockets = new WeakSet();

/**
 * Registers @fastify/websocket unless the app has. Twice on one server, each would answer the upgrades of the other.
 *
 * @param drains - whether the WebSockets have to stay open for a while when the app closes
 */
async function ensureWebSockets(app: FastifyInstance, maxPayload: number, drains: boolean): Promise<void> {
	const isOurs = withWebSockets.has(app.server);
	if (app.hasDecorator('websocketServer')) {
		if (isOurs || !drains) return;
		throw new SfuError('conflict', 'options.drain needs the plugin to register @fastify/websocket');
	}
	if (isOurs) {
		throw new SfuError(
			'conflict',
			'register @fastify/websocket on the root instance, before the scopes that use sfuRooms',
		);
	}
	withWebSockets.add(app.server);
	const shutdown = Shutdown.of(app.server);
	await app.register(websocket, {
		options: { maxPayload },
		// Its own one closes all WebSockets at once. A hook must not take long, but the server waits for its WebSockets.
		preClose: (done) => {
			void shutdown.run().then(() => {
				for (const client of app.websocketServer.clients) client.close(closeCodes.goingAway);
				app.websocketServer.close();
			});
			done();
		},
	});
}

async function register(app: FastifyInstance, options: FastifyOptions<unknown> & FastifyPluginOptions): Promise<void> {
	const { sfu: given, path = '/webrtc', prefix = '', origins, maxPayload = 4_194_304, drain, ...more } = options;
	const { context, route, pingInterval, logLevel: _, logSerializers: __, ...protooOptions } = more;
	const checked = { path, prefix, origins, maxPayload, pingInterval, drain };
	checkOptions(Object.fromEntries(Object.entries(checked).filter(([, value]) => value !== undefined)));
	const known = given instanceof Sfu ? given : given === undefined && app.hasDecorator('sfu') ? app.sfu : undefined;
	if (known && drain) throw new SfuError('invalid_argument', 'options.drain is for an Sfu that the plugin creates');

	const shutdown = Shutdown.of(app.server);
	await ensureWebSockets(app, maxPayload, drain !== undefined);

	let created: Sfu | undefined;
	app.addHook('onClose', async () => {
		await shutdown.run();
		created?.close();
	});
	const sfu = known ?? (created = await Sfu.create(given as SfuOptions | undefined));
	// The app may have closed, or given up waiting, while the workers started.
	if (shutdown.begun) {
		created?.close();
		throw new SfuError('closed', 'the app has been closed');
	}
	let protoo: ProtooAdapter;
	try {
		protoo = new ProtooAdapter<unknown>(sfu, protooOptions);
	} catch (error) {
		created?.close();
		throw error;
	}
	shutdown.add(async () => {
		if (drain) await sfu.drain(drain);
		protoo.close();
	});
	if (!Object.hasOwn(app, 'sfu') && !(app.hasDecorator('sfu') && app.sfu === sfu)) app.decorate('sfu', sfu);
	if (!Object.hasOwn(app, 'protoo')) app.decorate('protoo', protoo);

	const contexts = new WeakMap<FastifyRequest, unknown>();
	const hooks: RouteShorthandOptions = {
		...route,
		preValidation: [originCheck(origins), route?.preValidation ?? []].flat(),
		preHandler: async (request: FastifyRequest) => {
			contexts.set(request, context ? await withStatus(() => context(request)) : request);
		},
	};
	app.get(prefix + path, { ...hooks, websocket: true }, (webSocket, request) => {
		const socket = fromWebSocket(webSocket, pingInterval === undefined ? {} : { pingInterval });
		protoo.accept(socket, contexts.get(request));
	});
}

const originCheck =
	(origins: Origins | undefined): preValidationAsyncHookHandler =>
	async (request, reply) => {
		if (isAllowedOrigin(request.raw, origins)) return;
		await reply
			.code(403)
			.send({ statusCode: 403, error: 'Forbidden', message: 'This page may not open the WebSocket.' });
	};

/** Fastify answers an error with its `statusCode`. */
async function withStatus(context: () => unknown): Promise<unknown> {
	try {
		return await context();
	} catch (error) {
		throw error instanceof SfuError ? Object.assign(error, { statusCode: errorCodes[error.code] }) : error;
	}
}

/**
 * A plugin for Fastify 5: rooms on a WebSocket, in the envelope of protoo 4. The hooks of the app run before the WebSocket
 * opens. It decorates the instance with `sfu` and `protoo`, and closes what it has created with the app. It registers
 * `@fastify/websocket` unless the app has.
 *
 * @example
 * ```ts
 * await app.register(sfuRooms, {
 * 	sfu: { webRtc: { listen: [{ ip: '127.0.0.1' }] } },
 * 	context: (request) => request.session.userId,
 * 	authorize: { join: ({ userId }, id: string) => userId === id, push: true, pull: true, autoPull: true },
 * });
 * app.sfu.on('roomOpened', ({ room }) => app.log.info(room.roomId));
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- Fastify infers no type parameter of a plugin.
export const sfuRooms: FastifyPluginAsync<FastifyOptions<any>> = fastifyPlugin(register, {
	name: 'sfu-rooms',
	fastify: '5.x',
});
