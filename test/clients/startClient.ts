import * as browsers from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { startBrowserClient } from './browserClient.js';
import type { Client, ClientName } from './Client.js';
import { isNotInstalled, startAiortc, startGStreamer, startWerift } from './processClients.js';

/** For node:test's `skip`: why this client cannot be used here, or false. */
export function cannotRun(name: ClientName): string | false {
	if (name === 'Chromium' || name === 'Firefox') return browsers.cannotRun(name);
	if (mediaAddress === '127.0.0.1')
		return `${name} has no loopback candidate: needs the network namespace of scripts/test.mjs`;
	return name !== 'werift' && isNotInstalled(name);
}

/** Whoever starts a client, stops it. */
export async function startClient(name: ClientName): Promise<Client> {
	switch (name) {
		case 'Chromium':
		case 'Firefox':
			return startBrowserClient(name);
		case 'GStreamer':
			return startGStreamer();
		case 'aiortc':
			return startAiortc();
		case 'werift':
			return startWerift();
	}
}
