import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { SfuOptions } from 'sfu-rooms';
import { HttpAdapter, toNodeListener, type Handle, type HttpOptions } from 'sfu-rooms/http';
import { startSfu } from '../rooms/setup.js';
import { anOffer } from '../support/offers.js';

export const sdp = 'application/sdp';
export const sdpFragment = 'application/trickle-ice-sdpfrag';

export const camera = () => anOffer('chromium-sendonly-audio-video');
export const player = () => anOffer('chromium-recvonly-video-audio');

export interface Sent {
	token?: string;
	body?: string;
	type?: string;
	headers?: Record<string, string>;
	address?: string;
}

/** An adapter on a real Sfu, and a client that sends requests to it. */
export async function startHttp(t: TestContext, options: HttpOptions = {}, sfuOptions: SfuOptions = {}) {
	const { sfu, ...rest } = await startSfu(t, sfuOptions);
	const http = new HttpAdapter(sfu, options);
	return { sfu, http, ...rest, send: clientOf(http) };
}

/** Lets a listener of node:http serve. @returns the origin */
export async function listen(t: TestContext, listener: RequestListener): Promise<string> {
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.after(() => {
		server.close();
		server.closeAllConnections();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves an adapter. @returns the origin */
export const serve = (t: TestContext, handle: Handle): Promise<string> => listen(t, toNodeListener(handle));

/** Sends requests to an adapter. */
export function clientOf(http: HttpAdapter) {
	return async (method: string, path: string, { token, body, type, headers = {}, address }: Sent = {}) =>
		http.handle(
			new Request(`http://localhost${path}`, {
				method,
				headers: {
					...(token !== undefined && { authorization: `Bearer ${token}` }),
					...(type !== undefined && { 'content-type': type }),
					...headers,
				},
				...(body !== undefined && { body }),
			}),
			address === undefined ? {} : { address },
		);
}

export type Send = ReturnType<typeof clientOf>;

/** Opens a session, and asserts that it is there. */
export async function open(send: Send, path: string, offer: string, sent: Sent = {}) {
	const response = await send('POST', path, { type: sdp, body: offer, ...sent });
	assert.equal(response.status, 201, await response.clone().text());
	return {
		response,
		answer: await response.text(),
		url: response.headers.get('location')!,
		etag: response.headers.get('etag')!,
		links: response.headers.get('link') ?? '',
	};
}

/** Asserts that a response is a problem with this status. */
export async function assertProblem(response: Response, status: number, detail?: RegExp) {
	const text = await response.text();
	assert.equal(response.status, status, text);
	assert.equal(response.headers.get('content-type'), 'application/problem+json');
	const problem = JSON.parse(text) as { status: number; title: string; detail: string; code?: string };
	assert.equal(problem.status, status);
	if (detail) assert.match(problem.detail, detail);
	return problem;
}

/** A fragment with the candidates of an offer's ICE session, or of a new one. */
export function fragmentOf(offer: string, ice?: { ufrag: string; pwd: string }): string {
	const ufrag = ice?.ufrag ?? /^a=ice-ufrag:(\S+)/m.exec(offer)![1]!;
	const pwd = ice?.pwd ?? /^a=ice-pwd:(\S+)/m.exec(offer)![1]!;
	return [
		'a=group:BUNDLE 0 1',
		'm=audio 9 UDP/TLS/RTP/SAVPF 111',
		'a=mid:0',
		`a=ice-ufrag:${ufrag}`,
		`a=ice-pwd:${pwd}`,
		'a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0',
		'a=candidate:473322822 1 tcp 1518280447 nowhere.example 9 typ host tcptype active',
		'a=end-of-candidates',
		'',
	].join('\r\n');
}

export const otherIce = { ufrag: 'ysXw', pwd: 'vw5LmwG4y/e6dPP/zAP9Gp5k' };
