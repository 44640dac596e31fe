import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { createWorker } from 'mediasoup';
import type { DataProducer, DirectTransport } from 'mediasoup/types';
import { IncomingPipes } from '../../../src/media/pipes/IncomingPipes.js';
import { OutgoingPipes } from '../../../src/media/pipes/OutgoingPipes.js';
import type { HostEnd, Taken, TakeRequest } from '../../../src/media/pipes/hostPipes.js';
import { dataSizes } from '../../../src/media/pipes/PipePair.js';
import { payloadProtocol } from '../../../src/sdp/dataChannelProtocol.js';
import { recorder, until } from '../setup.js';

const sizes = dataSizes({ dataMessageBytes: 100_000, dataBufferBytes: 1_000_000 });
const listen = { ip: '127.0.0.1' };
const { string, binary, emptyString } = payloadProtocol;

/** Stands between two servers, and sees all that they send each other. */
class Wire {
	readonly seen: Buffer[] = [];
	readonly #sockets: Socket[] = [];

	/** @returns where to send to instead */
	async put(end: HostEnd, back: Wire): Promise<HostEnd> {
		const socket = createSocket('udp4').bind(0, listen.ip);
		await once(socket, 'listening');
		this.#sockets.push(socket);
		socket.on('message', (packet) => {
			this.seen.push(packet);
			// It goes out where the answers come in: each end hears the other one alone.
			back.#sockets[0]?.send(packet, end.port, end.ip);
		});
		return { ...end, port: socket.address().port };
	}

	close(): void {
		for (const socket of this.#sockets) socket.close();
	}
}

/** A data channel of one server, on its way to another one, past somebody who reads all. */
async function bringAcross(t: TestContext) {
	const workers = [await createWorker({ logLevel: 'none' }), await createWorker({ logLevel: 'none' })] as const;
	const [there, here] = [new Wire(), new Wire()];
	t.after(() => {
		for (const end of [...workers, there, here]) end.close();
	});
	const [from, to] = [await workers[0].createRouter(), await workers[1].createRouter()];
	const directs = [await from.createDirectTransport(), await to.createDirectTransport()] as const;
	const source = await directs[0].produceData();
	const outgoing = new OutgoingPipes(() => undefined, listen, sizes);
	const answer = async (method: string, params: object): Promise<unknown> => {
		if (method === 'take') {
			const taken = await outgoing.take('here', { router: from, dataProducer: source }, params as TakeRequest);
			return { ...taken, end: await there.put(taken.end, here) };
		}
		const { pairId, end } = params as { pairId: string; end: HostEnd };
		await outgoing.connect('here', pairId, await here.put(end, there));
		return undefined;
	};
	const told: { method: string; params: object }[] = [];
	const incoming = new IncomingPipes({
		// What crosses is JSON.
		ask: async (_, method, params) =>
			JSON.parse(JSON.stringify((await answer(method, params)) ?? null)) as Taken | null,
		tell: (_, __, method, params) => {
			told.push({ method, params });
		},
		listen,
		data: sizes,
		logger: recorder().logger,
	});
	const { producer, close } = await incoming.bringData('there', 'a pusher', to);
	return { from, to, source, producer, close, directs, outgoing, incoming, told, wires: [there, here] };
}

/** Keeps the messages of a data producer. */
async function listenTo(direct: DirectTransport, producer: DataProducer) {
	const heard: [message: Buffer, payloadProtocolId: number][] = [];
	const consumer = await direct.consumeData({ dataProducerId: producer.id });
	consumer.on('message', (message, payloadProtocolId) => heard.push([Buffer.from(message), payloadProtocolId]));
	return heard;
}

describe('A data channel that goes to another server', () => {
	it('brings its messages, which nobody can read on the way', async (t) => {
		const { source, producer, directs, wires } = await bringAcross(t);
		const heard = await listenTo(directs[1], producer);
		const text = 'meet me at the old bridge';
		const large = Buffer.alloc(sizes.maxSendMessageSize, 'bridge');
		await until(() => {
			// What is sent before the pipe is up is lost.
			source.send(text, string);
			return heard.length > 0;
		}, 'messages come');
		source.send(large, binary);
		source.send(' ', emptyString);
		await until(() => heard.at(-1)?.[1] === emptyString, 'the last one comes');
		assert.deepEqual(heard[0], [Buffer.from(text), string]);
		assert.deepEqual(heard.at(-2), [large, binary], 'one of the greatest size comes, too');
		assert.deepEqual(heard.at(-1), [Buffer.from(' '), emptyString]);
		const seen = Buffer.concat(wires.flatMap((wire) => wire.seen));
		assert.ok(seen.length > large.length, 'all has passed here');
		assert.ok(!seen.includes('bridge'), 'nothing of it can be read');
	});

	it('ends here when it ends there, and leaves nothing', async (t) => {
		const { source, producer, from, to, outgoing } = await bringAcross(t);
		const objects = async () => [(await from.dump()).transportIds.length, (await to.dump()).transportIds.length];
		assert.deepEqual(await objects(), [3, 3], 'a transport of the test, a pipe, and one to seal or open');
		assert.equal(outgoing.size, 1);
		source.close();
		await until(() => outgoing.size === 0, 'it is not sent any more');
		// The other server is told by messages that its pusher has gone.
		producer.close();
		await until(async () => (await objects()).join() === '2,2', 'only the pair is left for now');
	});

	it('ends there when nobody needs it here, and the channel itself goes on', async (t) => {
		const { source, close, told, outgoing, from, to } = await bringAcross(t);
		close();
		const drop = told.find(({ method }) => method === 'drop')!.params as { takeId: string };
		outgoing.drop('here', drop.takeId);
		assert.equal(outgoing.size, 0);
		assert.equal(source.closed, false);
		await until(async () => {
			const left = [await from.dump(), await to.dump()].map(({ transportIds }) => transportIds.length);
			return left.join() === '2,2';
		}, 'only the pair is left for now');
	});
});
