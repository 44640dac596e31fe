import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'sfu-rooms/protoo';

/** A TCP connection with one message on each line. A line that is too long is cut, and so refused. */
export const fromTcp = (tcp: TcpSocket): Socket => ({
	get bufferedAmount() {
		return tcp.writableLength;
	},
	send: (text) => void tcp.write(`${text}\n`),
	close: () => void tcp.setTimeout(5000, () => tcp.destroy()).end(),
	listen({ message, closed }) {
		let lines = [''];
		tcp.setEncoding('utf8').on('data', (text: string) => {
			lines = (lines.join('') + text).slice(-300_000).split('\n');
			while (lines.length > 1) message(lines.shift());
		});
		tcp.on('error', () => undefined).on('close', closed.bind(undefined, 1006));
	},
});
