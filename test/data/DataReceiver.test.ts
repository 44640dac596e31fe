import type { DataConsumerOptions, DataProducerOptions, WebRtcTransport } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { DataReceiver } from '../../src/data/DataReceiver.js';
import { DataSender } from '../../src/data/DataSender.js';
import { SctpTransport, type DataContext } from '../../src/data/SctpTransport.js';
import type { Logger } from '../../src/Logger.js';
import { dataSizes } from '../../src/media/pipes/PipePair.js';
import { RoomRouter } from '../../src/media/RoomRouter.js';
import { defaultLimits, type Limits } from '../../src/options.js';
import { Quota } from '../../src/Quota.js';
import { ackMessage, payloadProtocol, writeOpen } from '../../src/sdp/dataChannelProtocol.js';
import type { DataPusher } from '../../src/tracks/DataPusher.js';
import type { AnnouncedChannel } from '../../src/tracks/PushOptions.js';
import { turns, until } from '../media/setup.js';
import { AppPauses } from '../../src/rooms/AppPauses.js';
import type { Permissions } from '../../src/rooms/Permissions.js';
import { UserGate } from '../../src/rooms/UserGate.js';
import { outcome } from '../rooms/setup.js';
import { FakeWorkers, type Delay } from '../support/fakeWorkers.js';

const parameters = { protocol: '', ordered: true, maxPacketLifeTime: undefined, maxRetransmits: undefined };

const openOf = (label: string) => writeOpen({ ...parameters, label });

const announced = (...ids: number[]): AnnouncedChannel[] =>
	ids.map((id) => ({ id, channel: { ...parameters, label: `announced ${id}` }, details: {} }));

interface Options {
	limits?: Partial<Limits>;
	clientIsDtlsClient?: boolean;
	delay?: Delay;
	opened?: (pusher: DataPusher) => void;
	permissions?: Partial<Permissions>;
}

/** A receiver on a worker that is not real. By default the client is the DTLS client, which has the even ids. */
async function start(t: TestContext, options: Options = {}) {
	const { clientIsDtlsClient = true, delay } = options;
	const warnings: string[] = [];
	const record = (message: string, { reason }: { reason?: string } = {}) =>
		void warnings.push([message, reason ?? []].flat().join(': '));
	const logger = { debug: () => undefined, info: () => undefined, warn: record, error: record } as Logger;
	const workers = new FakeWorkers(logger, delay);
	const received = () => undefined;
	const sizes = dataSizes(defaultLimits);
	const router = await RoomRouter.create(workers.place({}), { audio: undefined, data: sizes, received, logger });
	const transport = await router.createTransport({});
	const closings = recordClosings(transport);
	const directTransport = await router.directDataTransport();
	const limits = { ...defaultLimits, dataPushersPerUser: 2, ...options.limits };
	const context: DataContext = {
		userId: 'alice',
		gate: new UserGate({
			userId: 'alice',
			user: undefined as never,
			findUser: () => undefined as never,
			pauses: new AppPauses(),
			permissions: options.permissions ?? {},
			logger,
		}),
		dataPusherQuota: new Quota(limits.dataPushersPerUser, 'data pushers of one user'),
		pullerQuota: new Quota(limits.pullersPerUser, 'pullers of one user'),
		options: { limits },
		logger,
	};
	const sctp = new SctpTransport({ connectionId: 'connection', router, transport, clientIsDtlsClient }, context);
	const opened: DataPusher[] = [];
	const receiver = new DataReceiver(sctp, directTransport, (pusher) => {
		opened.push(pusher);
		options.opened?.(pusher);
	});
	t.after(() => {
		sctp.close('closed');
	});
	const { data } = workers.books;
	return {
		sctp,
		receiver,
		transport,
		warnings,
		opened,
		closings,
		data,
		labels: () => opened.map(({ channelId, label }) => `${channelId} ${label}`),
		/** The ids of the streams in a state. */
		ids: (state: string) => [...sctp.streams.values()].filter((one) => one.state === state).map((one) => one.channelId),
		/** The client sends a message on a stream. The worker drops it if there is no such stream. */
		clientSends: (channelId: number, message: Buffer, payloadProtocolId: number = payloadProtocol.control) => {
			const producerId = [...data.producers].find(([, { streamId }]) => streamId === channelId)?.[0];
			for (const tap of data.taps) {
				if (data.consumers.get(tap.id)?.producerId === producerId && !tap.closed) {
					tap.emit('message', message, payloadProtocolId);
				}
			}
		},
		/** The client closes its end of a channel. The worker drops the consumer that sends on it, and tells nobody. */
		clientCloses: (channelId: number) => {
			const [, consumer] = data.sent.find(([, { streamId }]) => streamId === channelId) ?? [];
			if (consumer) data.clientCloses(consumer);
		},
		acknowledged: () =>
			data.messages.filter(({ message }) => ackMessage.equals(message as Buffer)).map(({ streamId }) => streamId),
	};
}

/** The producers and consumers on a transport that are closed: which ones, and in which turn. */
function recordClosings(transport: WebRtcTransport) {
	const closings: { what: string; turn: number }[] = [];
	let turn = 0;
	const follow = <Closable extends { close(): void }>(what: string, closable: Closable): Closable => {
		const close = closable.close.bind(closable);
		closable.close = () => {
			closings.push({ what, turn });
			queueMicrotask(() => turn++);
			close();
		};
		return closable;
	};
	const produceData = transport.produceData.bind(transport);
	const consumeData = transport.consumeData.bind(transport);
	transport.produceData = (async (options: DataProducerOptions) =>
		follow(`producer ${options.sctpStreamParameters?.streamId}`, await produceData(options))) as typeof produceData;
	transport.consumeData = (async (options: DataConsumerOptions) => {
		const consuming = consumeData(options);
		const consumer = await consuming;
		return follow(`consumer ${consumer.sctpStreamParameters?.streamId}`, consumer);
	}) as typeof consumeData;
	return closings;
}

describe('A user that may not open data channels', () => {
	it('opens none in-band, by however many messages, and the log tells', async (t) => {
		const { receiver, clientSends, labels, acknowledged, warnings } = await start(t, {
			permissions: { openDataChannels: false },
		});
		await receiver.accept();
		for (const channelId of [0, 2, 1, 0, 4]) {
			clientSends(channelId, openOf('chat'));
			clientSends(channelId, Buffer.from('hi'), payloadProtocol.string);
			await turns(20);
		}
		assert.deepEqual([labels(), acknowledged()], [[], []]);
		assert.equal(warnings[0], 'a data channel was refused: the user may not open data channels');
		assert.equal(await outcome(receiver.push(announced(6))), 'forbidden');
	});
});

describe('The streams for data channels', () => {
	it('wait on the ids that a client may take, of either half until its first channel decides', async (t) => {
		const { receiver, ids, clientSends, labels, acknowledged } = await start(t);
		await receiver.accept();
		await receiver.accept();
		assert.deepEqual(
			ids('waiting').sort((a, b) => a - b),
			[0, 1, 2, 3, 4, 5, 6, 7, 8, 10],
		);
		clientSends(0, openOf('a'));
		clientSends(1, openOf('of the wrong half'));
		assert.deepEqual([labels(), ids('open')], [['0 a'], [0]]);
		await until(() => ids('waiting').includes(12), 'another one waits');
		assert.deepEqual(acknowledged(), [0]);
	});

	it('wait on odd ids for a client that is the DTLS server', async (t) => {
		const { receiver, ids } = await start(t, { clientIsDtlsClient: false });
		await receiver.accept();
		assert.deepEqual(
			ids('waiting').filter((id) => id > 7),
			[9, 11],
		);
	});

	it('are of the half that aiortc and werift take, once one of them has opened a channel', async (t) => {
		const { sctp, receiver, ids, clientSends, labels } = await start(t);
		await receiver.accept();
		clientSends(1, openOf('a'));
		clientSends(0, openOf('of the other half'));
		clientSends(3, openOf('b'));
		assert.deepEqual([labels(), sctp.firstClientId], [['1 a', '3 b'], 1]);
		await until(() => ids('waiting').includes(13), 'those of its half wait');
	});

	it('that are not needed are closed beyond a number', async (t) => {
		const { sctp, receiver, ids, clientSends, opened, closings } = await start(t);
		await receiver.accept();
		for (let id = 0; id < 160; id += 2) {
			sctp.beforePoll?.();
			clientSends(id, openOf('next'));
			assert.equal(opened.at(-1)?.channelId, id);
			opened.at(-1)?.close('channelClosed');
			await until(() => ids('waiting').includes(id + 12), 'the next ones wait');
		}
		await until(() => ids('closing').length === 0 && ids('closed').length === 0, 'all is done');
		// 6 free ids of its half, 6 after the greatest one, and 64 that are kept.
		assert.equal(ids('waiting').length, 76);
		assert.ok(closings.some(({ what }) => what === 'producer 12'));
		assert.ok(!closings.some(({ what }) => what === 'producer 0'), 'those that are needed again are kept');
	});
});

describe('OPEN', () => {
	it('that is malformed closes the stream, and another one takes its place', async (t) => {
		const { sctp, receiver, ids, clientSends, opened, warnings, closings, acknowledged } = await start(t);
		await receiver.accept();
		const before = sctp.streams.get(0);
		clientSends(0, Buffer.from('0300000000000000ffffffff', 'hex'));
		assert.deepEqual(warnings, ['a data channel was refused: it is malformed']);
		assert.deepEqual(
			closings.map(({ what }) => what),
			['producer 0'],
		);
		await until(() => ids('waiting').includes(0) && sctp.streams.get(0) !== before, 'another one waits');
		clientSends(0, ackMessage);
		clientSends(0, Buffer.from('not a channel'), payloadProtocol.string);
		clientSends(0, openOf('good'));
		assert.deepEqual([opened.length, warnings.length], [1, 1]);
		clientSends(0, Buffer.from('03', 'hex'));
		assert.equal(opened[0]?.closed, false, 'what is malformed on an open stream is ignored');
		await until(() => acknowledged().length === 1, 'the good one is acknowledged');
	});

	it('beyond a limit is refused without an acknowledgement', async (t) => {
		const { receiver, ids, clientSends, labels, warnings, acknowledged, data } = await start(t, {
			limits: { idLength: 5, dataPushersPerUser: 3 },
		});
		await receiver.accept();
		clientSends(0, openOf('too long'));
		clientSends(2, writeOpen({ ...parameters, label: '', protocol: 'too long' }));
		for (const id of [4, 6, 8, 10]) clientSends(id, openOf('ok'));
		assert.deepEqual(labels(), ['4 ok', '6 ok', '8 ok']);
		assert.deepEqual(warnings, [
			'a data channel was refused: label must NOT have more than 5 characters',
			'a data channel was refused: protocol must NOT have more than 5 characters',
			'a data channel was refused: more than 3 data pushers of one user are not allowed',
		]);
		await until(() => acknowledged().length === 3, 'the others are acknowledged');
		await until(() => ids('waiting').includes(0) && ids('waiting').includes(10), 'others take their place');
		assert.deepEqual(
			data.sent.map(([, { streamId }]) => streamId),
			[4, 6, 8],
		);
	});

	it('often in a row is refused from a number on, until the next refill', async (t) => {
		const { sctp, receiver, ids, clientSends, opened, warnings } = await start(t);
		await receiver.accept();
		const openAndClose = async () => {
			clientSends(0, openOf('again'));
			opened.at(-1)?.close();
			await until(() => ids('waiting').includes(0), 'another one waits');
		};
		for (let round = 0; round < 6; round++) await openAndClose();
		assert.deepEqual([opened.length, warnings], [4, Array(2).fill('a data channel was refused: there are too many')]);
		sctp.beforePoll?.();
		await openAndClose();
		assert.equal(opened.length, 5);
	});

	it('many times at once opens one channel, and more streams wait', async (t) => {
		const { receiver, ids, clientSends, labels, warnings, acknowledged } = await start(t, {
			limits: { dataPushersPerUser: 5 },
		});
		await receiver.accept();
		for (const id of [0, 0, 2, 0, 4, 2, 6, 8, 8]) clientSends(id, openOf('x'));
		assert.deepEqual(labels(), ['0 x', '2 x', '4 x', '6 x', '8 x']);
		await until(() => acknowledged().length === 5 && ids('waiting').includes(26), 'all is done');
		assert.deepEqual([ids('open'), labels().length, warnings], [[0, 2, 4, 6, 8], 5, []]);
	});

	it('on an open stream replaces a channel that the client has closed, and no other', async (t) => {
		const { receiver, clientSends, clientCloses, opened, labels, acknowledged, closings, ids } = await start(t);
		await receiver.accept();
		clientSends(0, openOf('first'));
		await until(() => acknowledged().length === 1, 'it is acknowledged');
		clientSends(0, openOf('at fault'));
		await turns(20);
		assert.deepEqual([labels(), opened[0]?.closed], [['0 first'], false]);
		const reasons: string[] = [];
		opened[0]?.on('closed', ({ reason }) => reasons.push(reason));
		clientCloses(0);
		clientSends(0, openOf('second'));
		clientSends(0, openOf('third'));
		await until(() => acknowledged().length === 2, 'the second one is acknowledged');
		assert.deepEqual([labels(), reasons, ids('open')], [['0 first', '0 second'], ['channelClosed'], [0]]);
		assert.ok(!closings.some(({ what }) => what === 'producer 0'), 'the stream is not reset');
	});

	it('is not answered when the app closes the channel in the event', async (t) => {
		const { receiver, clientSends, acknowledged, data, closings, ids } = await start(t, {
			opened: (pusher) => {
				pusher.close();
			},
		});
		await receiver.accept();
		clientSends(0, openOf('unwanted'));
		await until(() => ids('waiting').includes(0), 'another one waits');
		assert.deepEqual([acknowledged(), data.sent, closings.map(({ what }) => what)], [[], [], ['producer 0']]);
	});
});

describe('A stream that closes while its reply consumer is made', () => {
	it('is reset once, when that is there, and the next one waits for it', async (t) => {
		let release: (() => void) | undefined;
		let held: Promise<void> | undefined;
		const delay = () => held ?? Promise.resolve();
		const { sctp, receiver, clientSends, opened, ids, closings, acknowledged } = await start(t, { delay });
		await receiver.accept();
		const stream = sctp.streams.get(0)!;
		held = new Promise((resolve) => (release = resolve));
		clientSends(0, openOf('short'));
		await turns(3);
		opened[0]?.close();
		const sending = outcome(opened[0]!.send('late'));
		await turns(3);
		assert.deepEqual([closings, stream.state, stream.pusher], [[], 'closing', undefined]);
		clientSends(0, openOf('meanwhile'));
		assert.equal(opened.length, 1);
		held = undefined;
		release?.();
		await until(() => ids('waiting').includes(0), 'another one waits');
		assert.deepEqual(
			closings.map(({ what }) => what),
			['producer 0', 'consumer 0'],
		);
		assert.equal(closings[0]?.turn, closings[1]?.turn, 'in one turn');
		assert.equal(stream.state, 'closed');
		assert.deepEqual([acknowledged(), await sending], [[], 'closed']);
		await assert.rejects(stream.replyConsumer(), { code: 'closed' });
		clientSends(0, openOf('next'));
		await until(() => acknowledged().length === 1, 'the next channel is acknowledged');
	});

	it('is closed, too, when that cannot be made', async (t) => {
		const { receiver, transport, clientSends, opened, ids, closings } = await start(t);
		await receiver.accept();
		const consumeData = transport.consumeData.bind(transport);
		transport.consumeData = () => Promise.reject(new Error('no'));
		clientSends(0, openOf('short'));
		opened[0]?.close();
		transport.consumeData = consumeData;
		await until(() => ids('waiting').includes(0), 'another one waits');
		assert.deepEqual(
			closings.map(({ what }) => what),
			['producer 0'],
		);
	});
});

describe('A push of announced channels', () => {
	it('takes waiting streams, keeps channels that are open, and replaces those that the client has closed', async (t) => {
		const { receiver, clientCloses, ids, sctp } = await start(t, { limits: { dataPushersPerUser: 4 } });
		await receiver.accept();
		const first = await receiver.push(announced(0, 101));
		assert.deepEqual(
			[ids('open'), first.map(({ isNew }) => isNew)],
			[
				[0, 101],
				[true, true],
			],
		);
		assert.deepEqual(
			first.map(({ pusher }) => [pusher.label, sctp.pushers.includes(pusher)]),
			[
				['announced 0', true],
				['announced 101', true],
			],
		);
		clientCloses(101);
		const second = await receiver.push(announced(0, 101));
		assert.deepEqual(
			second.map(({ isNew }) => isNew),
			[false, true],
		);
		assert.deepEqual([second[0]?.pusher === first[0]?.pusher, first[1]?.pusher.closed], [true, true]);
	});

	it('that fails closes the channels that it has made, and no others', async (t) => {
		const { receiver, sctp, ids, data } = await start(t);
		const [known] = await receiver.push(announced(1));
		assert.equal(await outcome(receiver.push(announced(1, 3, 5))), 'limit_exceeded');
		assert.deepEqual([ids('open'), known?.pusher.closed], [[1], false]);
		await turns(5);
		assert.deepEqual([sctp.pushers.length, data.sent.map(([, { streamId }]) => streamId)], [1, [1]]);
	});

	it('is rejected with the id of a channel that the client receives', async (t) => {
		const { receiver, sctp } = await start(t);
		const [pushed] = await receiver.push(announced(1));
		const puller = await new DataSender(sctp).pull({ pusher: pushed!.pusher, negotiated: true });
		assert.ok(puller);
		assert.equal(await outcome(receiver.push(announced(puller.channelId))), 'conflict');
	});

	it('takes an id whose stream is closing after that has closed', async (t) => {
		const { receiver, ids, closings } = await start(t);
		const first = receiver.push(announced(1));
		await turns(1);
		const [pushed] = await first;
		pushed?.pusher.close();
		const [again] = await receiver.push(announced(1));
		assert.deepEqual([again?.isNew, ids('open')], [true, [1]]);
		assert.deepEqual(
			closings.map(({ what }) => what),
			['producer 1', 'consumer 1'],
		);
	});

	it('is rejected after closing', async (t) => {
		const { receiver, sctp } = await start(t);
		sctp.close('connectionClosed');
		sctp.close('connectionClosed');
		assert.equal(await outcome(receiver.push(announced(1))), 'closed');
		assert.equal(await outcome(receiver.accept()), 'closed');
	});
});

describe('Closing during each await', () => {
	type Started = Awaited<ReturnType<typeof start>>;
	const operations: Record<string, (started: Started) => Promise<unknown>> = {
		'to accept channels': ({ receiver }) => receiver.accept(),
		'to push channels': ({ receiver }) => receiver.push(announced(0, 101)),
		'to open one': async ({ receiver, clientSends, ids }) => {
			await receiver.accept();
			clientSends(0, openOf('a'));
			await until(() => ids('waiting').includes(12) || ids('open').length === 0, 'all is done');
		},
		'to open one where one was closed': async ({ receiver, clientSends, clientCloses, acknowledged, ids }) => {
			await receiver.push(announced(0));
			clientCloses(0);
			clientSends(0, openOf('again'));
			await until(() => acknowledged().length === 1 || ids('open').length === 0, 'it is done');
		},
	};
	for (const [what, operate] of Object.entries(operations)) {
		it(`${what} leaves nothing`, async (t) => {
			for (let wanted = 1; ; wanted++) {
				let calls = -Infinity;
				const interrupted: { sctp?: SctpTransport } = {};
				const delay = () => {
					if (++calls === wanted) interrupted.sctp?.close('connectionClosed');
					return Promise.resolve();
				};
				const started = await start(t, { delay });
				const { sctp, data, ids, opened } = started;
				interrupted.sctp = sctp;
				calls = 0;
				assert.match(await outcome(operate(started)), /^(done|closed)$/, `at step ${wanted}`);
				const wasInterrupted = calls >= wanted;
				sctp.close('connectionClosed');
				await until(
					() => data.sent.length === 0 && data.taps.length === 0 && data.producers.size === 1,
					'nothing is left',
				);
				assert.ok(opened.every(({ closed }) => closed));
				await until(() => ids('open').length + ids('waiting').length === 0, 'nothing is open');
				if (!wasInterrupted) {
					assert.ok(wanted > 3);
					return;
				}
			}
		});
	}
});

describe('The copies of messages', () => {
	it('stop when a client sends much that nobody listens to, until the next refill', async (t) => {
		const { sctp, receiver, clientSends, opened, data } = await start(t);
		await receiver.accept();
		clientSends(0, openOf('a'));
		const observer = data.taps.find(
			(tap) => data.producers.get(data.consumers.get(tap.id)!.producerId)?.streamId === 0,
		)!;
		const large = Buffer.alloc(64 * 1024);
		for (let round = 0; round < 3; round++) clientSends(0, large, payloadProtocol.binary);
		await until(() => observer.paused, 'it is paused');
		const heard: unknown[] = [];
		const listener = ({ data: message }: { data: string | Buffer }) => heard.push(message);
		opened[0]?.on('message', listener);
		await until(() => !observer.paused, 'it flows to a listener');
		for (let round = 0; round < 3; round++) clientSends(0, large, payloadProtocol.binary);
		assert.deepEqual([heard.length, observer.paused], [3, false]);
		opened[0]?.off('message', listener);
		await until(() => observer.paused, 'it is paused again');
		sctp.beforePoll?.();
		await until(() => !observer.paused, 'it is refilled');
	});
});
