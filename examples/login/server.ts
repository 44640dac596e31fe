/**
 * Rooms for users who have signed in, on Express: `npx tsx examples/login/server.ts`. A request for the WebSocket goes
 * through the app, and so has the session. LISTEN_IP and PORT are those of ../socket.io.
 *
 *     POST /login/alice       signs in, and sets the cookie
 *     WebSocket /webrtc            with the cookie: the messages of protoo
 */
import express from 'express';
import session from 'express-session';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Sfu, SfuError } from 'sfu-rooms';
import { ExpressAdapter } from 'sfu-rooms/express';

declare module 'express-session' {
	interface SessionData {
		userId: string;
	}
}

const { PORT = '3000', LISTEN_IP = '127.0.0.1', SECRET = 'change me' } = process.env;

const sfu = await Sfu.create({ webRtc: { listen: [{ ip: LISTEN_IP }] } });
const rooms = new ExpressAdapter(sfu, {
	context: ({ session }: express.Request) => {
		if (!session.userId) throw new SfuError('forbidden', 'sign in first');
		return session.userId;
	},
	authorize: { join: ({ userId }, id) => userId === id && { takeOver: true }, push: true, pull: true, autoPull: true },
});

const app = express();
app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, cookie: { sameSite: 'lax' } }));
app.post('/login/:name', (request, response) => {
	request.session.userId = request.params.name; // Check a password here.
	response.json(request.session.userId);
});
app.use(rooms.router);

const server = createServer(app);
rooms.handleUpgrade(server, app);
server.listen(Number(PORT), LISTEN_IP, () => {
	console.log(`Open http://${LISTEN_IP}:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		rooms.close();
		sfu.close();
		server.close();
	});
}
