import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpPeer } from './authorize.js';

/** Answers a request of the web's own types: {@link HttpAdapter.handle}. */
export type Handle = (request: Request, peer?: HttpPeer) => Promise<Response>;

/** What Express adds to a request. */
type NodeRequest = IncomingMessage & { originalUrl?: string; body?: unknown };

/**
 * Makes a listener for node:http, which Express takes as a middleware, too. No parser of bodies is needed before it.
 *
 * @param handle - see {@link HttpAdapter.handle}
 * @example
 * ```ts
 * createServer(toNodeListener(http.handle)).listen(3000);
 * express().use('/rtc', toNodeListener(http.handle));
 * ```
 */
export function toNodeListener(handle: Handle): (request: IncomingMessage, response: ServerResponse) => void {
	return (request, response) => {
		const gone = new AbortController();
		response.once('close', () => {
			if (!response.writableFinished) gone.abort();
		});
		answer(handle, request, response, gone.signal).catch(() => {
			response.destroy();
		});
	};
}

async function answer(handle: Handle, raw: NodeRequest, response: ServerResponse, signal: AbortSignal): Promise<void> {
	const { address, request } = readRequest(raw, signal);
	const { status, headers, body } = request
		? await handle(request, { ...(address !== undefined && { address }), raw })
		: new Response(null, { status: 400 });
	// What was not read of the body would be read now, for nothing.
	const unread = !raw.complete ? { connection: 'close' } : {};
	response.writeHead(status, { ...Object.fromEntries(headers), ...unread });
	if (!body) response.end();
	else {
		response.flushHeaders();
		// Node and the DOM each have types of their own for the streams of the web.
		await pipeline(Readable.fromWeb(body as never), response);
	}
}

/** @returns no request for one that the web's types cannot have, such as TRACE, or a malformed URL */
function readRequest(raw: NodeRequest, signal: AbortSignal): { address: string | undefined; request?: Request } {
	const { method = 'GET', originalUrl, url = '/', rawHeaders, socket } = raw;
	const address = socket.remoteAddress;
	try {
		const headers = new Headers();
		for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
			const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
			// Those of HTTP/2 that begin with a colon are no headers.
			if (!name.startsWith(':')) headers.append(name, value);
		}
		const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(raw);
		const target = `http://localhost${originalUrl ?? url}`;
		return {
			address,
			request: new Request(target, { method, headers, signal, ...(body && { body, duplex: 'half' }) }),
		};
	} catch {
		return { address };
	}
}

/** The body. A parser may have read it already. */
function bodyOf(raw: NodeRequest): NonNullable<RequestInit['body']> {
	const { body } = raw;
	if (typeof body === 'string' || body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
	return Readable.toWeb(raw) as never;
}
