/**
 * Rooms for video calls, on Express. Run `npm run demo`, and open the printed address in two windows.
 *
 * - LISTEN_IP: the address that the page, the WebSocket and the media listen on. Default 127.0.0.1: this machine alone.
 * - ANNOUNCED_ADDRESS: the address that browsers send media to. Default LISTEN_IP.
 * - ORIGIN: of the page, such as https://example.com, if a proxy changes the header `Host`. Several with blanks between.
 * - INSPECT: 1 shows everybody who is in which room, at /inspect.html, and metrics at /metrics. Default: neither.
 * - PORT: of the page and the WebSocket. Default 3000. 0 takes a free one.
 *
 * Firefox sends no media to 127.0.0.1: set LISTEN_IP to 0.0.0.0 and ANNOUNCED_ADDRESS to an address of this machine.
 *
 * With CLUSTER_SECRET it shares its rooms with other servers: examples/cluster/start.ts runs three of them.
 */
import express from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Sfu } from 'sfu-rooms';
import { ExpressAdapter } from 'sfu-rooms/express';
import { bundleClient } from '../bundleClient.js';

const { PORT = '3000', LISTEN_IP = '127.0.0.1', ANNOUNCED_ADDRESS = LISTEN_IP, ORIGIN } = process.env;
if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) {
	console.error(`PORT must be a number from 0 to 65535, and is "${PORT}".`);
	process.exit(1);
}

// A signal ends the process while it starts, too.
let close = (_signal?: string): void => process.exit();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.on(signal, () => {
		close(signal);
	});
}

const cluster = process.env.CLUSTER_SECRET === undefined ? undefined : await import('../cluster/member.js');
const sfu = await Sfu.create({
	webRtc: { listen: [{ ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS }] },
	audioObservers: {},
	qualityInterval: 2000,
	...cluster?.options,
});
const rooms = new ExpressAdapter(sfu, {
	rtcpilot: true,
	...(ORIGIN !== undefined && { origins: ORIGIN.split(' ') }),
	...(cluster && { authorize: cluster.authorize }),
});

const app = express().use(express.static(path.join(import.meta.dirname, 'public')), rooms.router);
const client = bundleClient();
app.get('/client.js', (_, response) => {
	response.type('text/javascript').send(client);
});
app.get('/ready', (_, response) => {
	const { health } = sfu;
	response.status(health.ready ? 200 : 503).json(health);
});
if (process.env.INSPECT === '1') (await import('./operator.js')).showOperator(app, sfu);
const server = createServer(app);
rooms.handleUpgrade(server, app);
cluster?.tellNodes(sfu);

close = (signal) => {
	// In a cluster the pages go to other servers first.
	if (cluster && signal === 'SIGTERM') {
		void sfu.drain({ timeout: 10_000 }).then(() => {
			close();
		});
		return;
	}
	rooms.close();
	sfu.close();
	server.close();
	server.closeAllConnections();
};

server.on('error', ({ message }) => {
	console.error(`The server cannot run: ${message}`);
	process.exitCode = 1;
	close();
});
server.listen(Number(PORT), LISTEN_IP, () => {
	const host = ['127.0.0.1', '0.0.0.0', '::'].includes(LISTEN_IP) ? 'localhost' : LISTEN_IP;
	console.log(`Open http://${host}:${(server.address() as AddressInfo).port}`);
});
