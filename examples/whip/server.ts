/**
 * Push by WHIP, watch by WHEP: `npx tsx examples/whip/server.ts`, then for example
 *
 *     ffmpeg -re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=frequency=440 -c:v libx264 -profile:v baseline -bf 0 -g 60 \
 *       -c:a libopus -ar 48000 -ac 2 -f whip -authorization key -cert_file certificate.pem -key_file key.pem \
 *       -whip_flags dtls_active http://localhost:3000/rtc/whip/stage/alice
 *
 * or OBS with the service WHIP, that URL and the bearer token `key`. Then open the printed address: the page plays whoever speaks.
 *
 * - LISTEN_IP: the address that the page and the media listen on. Default 127.0.0.1: this machine alone.
 * - ANNOUNCED_ADDRESS: the address that clients send media to. Default LISTEN_IP.
 * - TOKEN: what those who push must send. Default `key`.
 * - PORT: default 3000. 0 takes a free one.
 */
import express from 'express';
import { timingSafeEqual, createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Sfu } from 'sfu-rooms';
import { HttpAdapter, toNodeListener } from 'sfu-rooms/http';

const { PORT = '3000', LISTEN_IP = '127.0.0.1', ANNOUNCED_ADDRESS = LISTEN_IP, TOKEN = 'key' } = process.env;

const hashed = (text: string) => createHash('sha256').update(text).digest();
const expected = hashed(TOKEN);

const sfu = await Sfu.create({
	webRtc: { listen: [{ ip: LISTEN_IP, announcedAddress: ANNOUNCED_ADDRESS }] },
	audioObservers: {},
});
const http = new HttpAdapter(sfu, {
	path: '/rtc',
	// Everybody may watch. Whoever has the token may push as the user that the URL names.
	authorize: ({ action, token }) =>
		action === 'whep' || (token !== undefined && timingSafeEqual(hashed(token), expected)),
});

const app = express();
app.use('/rtc', toNodeListener(http.handle));
app.use(express.static(path.join(import.meta.dirname, 'public')));
const server = createServer(app);
server.listen(Number(PORT), LISTEN_IP, () => {
	const host = ['127.0.0.1', '0.0.0.0', '::'].includes(LISTEN_IP) ? 'localhost' : LISTEN_IP;
	console.log(`Open http://${host}:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		http.close();
		sfu.close();
		server.close();
		server.closeAllConnections();
	});
}
