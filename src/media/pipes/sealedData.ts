import type { DataProducer, DirectTransport, Router } from 'mediasoup/types';
import { payloadProtocol } from '../../sdp/dataChannelProtocol.js';
import { MessageOpener, MessageSealer, sealOverhead, type ChannelMessage } from './messageSeal.js';
import type { DataSizes } from './PipePair.js';

/**
 * mediasoup has no DTLS between servers. So each message of a data channel passes through this process, where it is sealed
 * before it leaves for another server, and opened when it has come.
 */
type Change = (message: Buffer, payloadProtocolId: number) => ChannelMessage | undefined;

/** What pipes between servers carry: messages are longer there. */
export const sealedSizes = (data: DataSizes): DataSizes => ({
	...data,
	maxSendMessageSize: data.maxSendMessageSize + sealOverhead,
	maxReceiveMessageSize: data.maxReceiveMessageSize + sealOverhead,
});

/** @returns a data producer that repeats the messages of another one, sealed. It closes with that one, and to close it leaves that one alone */
export function sealData(router: Router, source: DataProducer, key: Buffer, data: DataSizes): Promise<DataProducer> {
	const sealer = new MessageSealer(key);
	return repeat(router, source, data, (message, payloadProtocolId) => ({
		message: sealer.seal(message, payloadProtocolId),
		payloadProtocolId: payloadProtocol.binary,
	}));
}

/** @returns a data producer that repeats the messages of a sealed one, opened. Each closes with the other one */
export async function openData(
	router: Router,
	sealed: DataProducer,
	key: Buffer,
	data: DataSizes,
): Promise<DataProducer> {
	const opener = new MessageOpener(key);
	const opened = await repeat(router, sealed, data, (message) => opener.open(message));
	opened.observer.once('close', () => {
		sealed.close();
	});
	return opened;
}

/** Repeats the messages of a data producer, changed. Those that become undefined are left out. */
async function repeat(router: Router, source: DataProducer, data: DataSizes, change: Change): Promise<DataProducer> {
	const { maxSendMessageSize, maxReceiveMessageSize } = sealedSizes(data);
	const direct = await router.createDirectTransport({ maxSendMessageSize, maxReceiveMessageSize });
	try {
		return await repeatOn(direct, source, change);
	} catch (error) {
		direct.close();
		throw error;
	}
}

async function repeatOn(direct: DirectTransport, source: DataProducer, change: Change): Promise<DataProducer> {
	const [input, output] = await Promise.all([
		direct.consumeData({ dataProducerId: source.id }),
		direct.produceData({ label: source.label, protocol: source.protocol }),
	]);
	const end = () => {
		direct.close();
	};
	input.observer.once('close', end);
	output.observer.once('close', end);
	if (input.closed || output.closed) end();
	input.on('message', (message, payloadProtocolId) => {
		const changed = output.closed ? undefined : change(message, payloadProtocolId);
		if (changed) output.send(changed.message, changed.payloadProtocolId);
	});
	return output;
}
