/**
 * Rooms for programs that speak TCP, with one message on each line: `npx tsx examples/tcp/server.ts`. LISTEN_IP and PORT are
 * those of ../socket.io. Try it: `nc localhost 3000`, and
 *
 *     {"request":true,"id":1,"method":"join","data":{"roomId":"lobby","userId":"ada","userName":"Ada"}}
 */
import { createServer, type AddressInfo } from 'node:net';
import { Sfu } from 'sfu-rooms';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { fromTcp } from './fromTcp.js';

const { PORT = '3000', LISTEN_IP = '127.0.0.1' } = process.env;

const sfu = await Sfu.create({ webRtc: { listen: [{ ip: LISTEN_IP }] } });
const protoo = new ProtooAdapter<string | undefined>(sfu);
const server = createServer((connection) => {
	connection.setKeepAlive(true, 15_000);
	protoo.accept(fromTcp(connection), connection.remoteAddress);
});
server.listen(Number(PORT), LISTEN_IP, () => {
	console.log(`Connect to tcp://${LISTEN_IP}:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		protoo.close();
		sfu.close();
		server.close();
	});
}
