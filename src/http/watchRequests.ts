import { validator } from '../schemas.js';
import { checkLayerRequest } from './layers.js';
import { noSession, Problem } from './Problem.js';
import { watchEvents, type WhepSession } from './WhepSession.js';

const checkEvents = validator<string[]>({ type: 'array', maxItems: 32, items: { type: 'string' } }, 'body');

function readJson(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		throw new Problem(400, 'the body is not JSON', { code: 'invalid_argument' });
	}
}

/** Selects a layer (WHEP, Video Layer Selection extension). */
export async function selectLayer(session: WhepSession, body: string): Promise<Response> {
	const request = readJson(body);
	if (typeof request === 'object' && request !== null && ('maxWidth' in request || 'maxHeight' in request)) {
		throw new Problem(422, 'the sizes of the layers are not known: select one by its rid or its number', {
			code: 'unsupported',
		});
	}
	await session.selectLayer(checkLayerRequest(request));
	return new Response(null);
}

/**
 * Creates an event stream (WHEP, Server Sent Events extension).
 *
 * @param url - the URL of the event streams of the session
 */
export function createStream(session: WhepSession, body: string, url: string): Response {
	const events = body === '' ? [...watchEvents] : checkEvents(readJson(body));
	const stream = session.openStream(events);
	return new Response(null, { status: 201, headers: { location: `${url}/${stream.streamId}` } });
}

/** Opens an event stream for reading, or ends it. */
export function useStream(session: WhepSession, streamId: string, method: string): Response {
	const stream = session.streamOf(streamId);
	if (!stream) throw noSession();
	if (method === 'DELETE') {
		session.closeStream(streamId);
		return new Response(null);
	}
	return new Response(stream.open(), {
		headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
	});
}
