/**
 * The core alone, without an adapter. This server has an API of its own: HTTP calls that take an SDP offer and respond
 * with the answer.
 *
 *     POST /push?room=studio&user=alice              alice's RTCPeerConnection begins to send
 *     POST /pull?room=studio&user=bob&from=alice     bob's RTCPeerConnection receives all that alice sends
 *     DELETE /?room=studio&user=alice                alice leaves
 *
 * LISTEN_IP (default 127.0.0.1) is the address that HTTP and media listen on, PORT (default 3000) the port of HTTP.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Sfu, SfuError } from 'sfu-rooms';

const { PORT = '3000', LISTEN_IP = '127.0.0.1' } = process.env;

// A signal ends the process while it starts, too.
let close = (): void => process.exit();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.on(signal, () => {
		close();
	});
}

const sfu = await Sfu.create({ webRtc: { listen: [{ ip: LISTEN_IP }] } });

sfu.on('roomOpened', ({ room }) => {
	room.on('userJoined', ({ user }) => {
		console.log(`${user.userId} joined ${room.roomId}`);
	});
	room.on('pusherAdded', ({ pusher, user }) => {
		console.log(`${user.userId} pushes ${pusher.kind}`);
	});
	room.on('userLeft', ({ user, reason }) => {
		console.log(`${user.userId} left ${room.roomId}: ${reason}`);
	});
});

async function handle(request: IncomingMessage): Promise<string> {
	const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
	const parameter = (name: string) => searchParams.get(name) ?? '';
	const room = await sfu.getOrCreateRoom(parameter('room'));
	const userId = parameter('user');
	const user = room.users.get(userId) ?? (await room.join({ userId }));
	switch (`${request.method ?? ''} ${pathname}`) {
		case 'POST /push':
			return (await user.push(await text(request))).answer;
		case 'POST /pull': {
			const targetUserId = parameter('from');
			const specs = [...(room.users.get(targetUserId)?.pushers.values() ?? [])];
			return (await user.pull({ targetUserId, specs, offer: await text(request) })).answer;
		}
		case 'DELETE /':
			user.close();
			return '';
		default:
			throw new SfuError('not_found', 'no such call');
	}
}

const server = createServer((request, response) => {
	response.setHeader('Access-Control-Allow-Origin', '*').setHeader('Access-Control-Allow-Methods', '*');
	handle(request).then(
		(answer) => response.setHeader('Content-Type', 'application/sdp').end(answer),
		(error: unknown) => {
			const known = error instanceof SfuError;
			response.writeHead(known && error.code !== 'internal' ? 400 : 500).end(known ? error.message : 'internal error');
		},
	);
});
server.listen(Number(PORT), LISTEN_IP, () => {
	console.log(`http://${LISTEN_IP}:${(server.address() as AddressInfo).port}`);
});

close = () => {
	server.close();
	server.closeAllConnections();
	sfu.close();
};
