import { Sfu } from 'sfu-rooms';
import { fromWebSocket, ProtooAdapter } from 'sfu-rooms/protoo';
import { mediaAddress } from '../../test/support/namespace.js';
import { workerOf, type Server } from './System.js';
import { acceptWebSockets } from './webSockets.js';

/** Starts sfu-rooms, with its default options but for the place of the users. */
export async function startSfuRooms(): Promise<Server> {
	const sfu = await Sfu.create({
		webRtc: { listen: [{ ip: mediaAddress }] },
		workers: { count: 2, place: workerOf },
	});
	const adapter = new ProtooAdapter(sfu);
	const { url, close } = await acceptWebSockets((webSocket) => {
		adapter.accept(fromWebSocket(webSocket));
	});
	return {
		url,
		close() {
			close();
			sfu.close();
		},
	};
}
