/**
 * The core alone, without an adapter: a room API of one's own, here two HTTP calls that take an SDP offer and give the
 * answer.
 *
 *     POST /push?room=studio&user=alice              what alice's RTCPeerConnection sends
 *     POST /pull?room=studio&user=bob&from=alice     all that alice sends, to bob's
 *     DELETE /?room=studio&user=alice                alice leaves
 */
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Sfu, SfuError } from 'sfu-rooms';

const sfu = await Sfu.create({ webRtc: { listen: [{ ip: process.env.LISTEN_IP ?? '127.0.0.1' }] } });

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
server.listen(Number(process.env.PORT ?? 3000), () => {
	const address = server.address();
	console.log(`http://localhost:${typeof address === 'object' && address ? address.port : ''}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		server.close();
		server.closeAllConnections();
		sfu.close();
	});
}
