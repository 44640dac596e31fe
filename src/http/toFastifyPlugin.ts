import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeListener, type Handle } from './toNodeListener.js';

/** The part of a Fastify instance that the plugin uses. */
export interface FastifyLike {
	/** Forgets the parsers of bodies, within the plugin alone. */
	removeAllContentTypeParsers(): void;
	/** Adds a parser of bodies. */
	addContentTypeParser(
		type: string,
		parser: (request: unknown, payload: unknown, done: (error: Error | null) => void) => void,
	): unknown;
	/** Adds a route for all methods. */
	all(
		path: string,
		handler: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => void,
	): unknown;
}

/**
 * Makes a plugin for Fastify 5.
 *
 * @param handle - see {@link HttpAdapter.handle}
 * @example
 * ```ts
 * await fastify.register(toFastifyPlugin(http.handle), { prefix: '/rtc' });
 * ```
 */
export function toFastifyPlugin(handle: Handle): (fastify: FastifyLike, options: unknown, done: () => void) => void {
	const listener = toNodeListener(handle);
	return (fastify, _options, done) => {
		// The adapter reads the bodies itself, as long as they keep its limits.
		fastify.removeAllContentTypeParsers();
		fastify.addContentTypeParser('*', (_request, _payload, parsed) => {
			parsed(null);
		});
		fastify.all('/*', (request, reply) => {
			reply.hijack();
			listener(request.raw, reply.raw);
		});
		done();
	};
}
