import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { consoleLogger, defaultCodecs } from 'sfu-rooms';
import { defaultLimits } from '../src/options.js';
import { resolveOptions } from '../src/resolveOptions.js';

const rejects = (options: unknown, message: string) => {
	assert.throws(() => resolveOptions(options as object), { name: 'SfuError', code: 'invalid_argument', message });
};

describe('Without options', () => {
	it('everything has its documented default', () => {
		assert.deepEqual(resolveOptions({}), {
			webRtc: {
				listen: [{ ip: '127.0.0.1' }],
				connectTimeout: 30_000,
				answerTimeout: 30_000,
				consentTimeout: 15_000,
				disconnectTimeout: 30_000,
				initialOutgoingBitrate: 1_000_000,
				maxIncomingBitrate: 0,
				maxOutgoingBitrate: 0,
				keptSources: ['screen'],
				startBitrate: 1_250_000,
				keyframeRequestDelay: 500,
				layersSettleTime: 5000,
			},
			workers: {
				count: availableParallelism(),
				fullCpu: 0.7,
				fullTracks: 500,
				place: undefined,
				logLevel: 'error',
				healthTimeout: 15_000,
				binary: undefined,
			},
			codecs: defaultCodecs,
			limits: {
				rooms: 10_000,
				usersPerRoom: 500,
				waitingPerRoom: 100,
				connectionsPerUser: 100,
				pushersPerUser: 16,
				dataPushersPerUser: 16,
				pullersPerUser: 500,
				mediaSections: 100,
				sdpBytes: 131_072,
				idLength: 256,
				metadataBytes: 4096,
				appMessageBytes: 16_384,
				dataMessageBytes: 262_144,
				dataBufferBytes: 2_000_000,
			},
			audioObservers: undefined,
			qualityInterval: 0,
			stallInterval: 800,
			emptyRoomTimeout: 30_000,
			iceServers: [],
			iceServersTimeout: 5000,
			cluster: undefined,
			logger: consoleLogger,
		});
	});
});

describe('An option', () => {
	it('replaces its own default alone', () => {
		const { limits, webRtc } = resolveOptions({ limits: { rooms: 1 }, webRtc: { connectTimeout: 0 } });
		assert.deepEqual(limits, { ...defaultLimits, rooms: 1 });
		assert.equal(webRtc.connectTimeout, 0);
		assert.equal(webRtc.consentTimeout, 15_000);
	});

	it('that is undefined has its default', {}, () => {
		const options = { webRtc: { listen: undefined }, workers: { count: undefined }, limits: { sdpBytes: undefined } };
		const { webRtc, workers, limits } = resolveOptions(options as object);
		assert.deepEqual(webRtc.listen, [{ ip: '127.0.0.1' }]);
		assert.equal(workers.count, availableParallelism());
		assert.equal(limits.sdpBytes, defaultLimits.sdpBytes);
	});

	it('may be a logger of any class', () => {
		class Log {
			readonly #lines: string[] = [];
			debug(line: string) {
				this.#lines.push(line);
			}
			info(line: string) {
				this.debug(line);
			}
			warn(line: string) {
				this.debug(line);
			}
			error(line: string) {
				this.debug(line);
			}
		}
		const logger = new Log();
		assert.equal(resolveOptions({ logger }).logger, logger);
	});
});

describe('A wrong option is named:', () => {
	const wrong: [options: unknown, message: string][] = [
		[null, 'options must be object'],
		[[], 'options must be object'],
		[{ rooms: 1 }, 'options.rooms is not known'],
		[{ webRtc: 1 }, 'options.webRtc must be object'],
		[{ webRtc: { listenIp: '1.2.3.4' } }, 'options.webRtc.listenIp is not known'],
		[{ webRtc: { listen: [] } }, 'options.webRtc.listen must NOT have fewer than 1 items'],
		[{ webRtc: { listen: [{}] } }, 'options.webRtc.listen.0.ip is missing'],
		[{ webRtc: { listen: [{ ip: '' }] } }, 'options.webRtc.listen.0.ip must NOT have fewer than 1 characters'],
		[{ webRtc: { listen: [{ ip: '::', port: 0 }] } }, 'options.webRtc.listen.0.port must be >= 1'],
		[{ webRtc: { listen: [{ ip: '::', port: 65536 }] } }, 'options.webRtc.listen.0.port must be <= 65535'],
		[
			{ webRtc: { listen: [{ ip: '::', announcedAddress: '' }] } },
			'options.webRtc.listen.0.announcedAddress must NOT have fewer than 1 characters',
		],
		[
			{ webRtc: { listen: [{ ip: 'localhost' }] } },
			'options.webRtc.listen.0.ip must be an IP address, and is "localhost"',
		],
		...['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::0.0.0.0'].map((ip): [unknown, string] => [
			{ webRtc: { listen: [{ ip: '127.0.0.1' }, { ip }] } },
			`options.webRtc.listen.1.announcedAddress is missing: clients cannot send to ${ip}, so name an address of this machine`,
		]),
		...[
			'http://sfu.example.com',
			'sfu.example.com:443',
			'0.0.0.0',
			'::',
			'1.2.3',
			'256.1.1.1',
			'a b',
			'-a',
			'[::1]',
		].map((announcedAddress): [unknown, string] => [
			{ webRtc: { listen: [{ ip: '0.0.0.0', announcedAddress }] } },
			`options.webRtc.listen.0.announcedAddress must be an IP address or a host name that clients can send to, and is "${announcedAddress}"`,
		]),
		[
			{ webRtc: { listen: [{ ip: '::', protocols: ['sctp'] }] } },
			'options.webRtc.listen.0.protocols.0 must be one of ["udp","tcp"]',
		],
		[{ webRtc: { connectTimeout: -1 } }, 'options.webRtc.connectTimeout must be >= 0'],
		[{ webRtc: { connectTimeout: 2 ** 31 } }, 'options.webRtc.connectTimeout must be <= 2147483647'],
		[{ webRtc: { consentTimeout: 999 } }, 'options.webRtc.consentTimeout must be >= 1000'],
		[{ webRtc: { disconnectTimeout: 0.5 } }, 'options.webRtc.disconnectTimeout must be integer'],
		[{ webRtc: { initialOutgoingBitrate: 0 } }, 'options.webRtc.initialOutgoingBitrate must be >= 1'],
		[{ webRtc: { keyframeRequestDelay: '1' } }, 'options.webRtc.keyframeRequestDelay must be integer'],
		[{ workers: { count: 0 } }, 'options.workers.count must be >= 1'],
		[{ workers: { fullCpu: 0 } }, 'options.workers.fullCpu must be >= 0.05'],
		[{ workers: { fullCpu: 1.1 } }, 'options.workers.fullCpu must be <= 1'],
		[{ workers: { fullTracks: 0.5 } }, 'options.workers.fullTracks must be integer'],
		[{ workers: { place: 1 } }, 'options.workers.place must be a function'],
		[{ workers: { binary: '' } }, 'options.workers.binary must NOT have fewer than 1 characters'],
		[{ workers: { logLevel: 'info' } }, 'options.workers.logLevel must be one of ["debug","warn","error","none"]'],
		[{ codecs: [] }, 'options.codecs must NOT have fewer than 1 items'],
		[{ codecs: [{ kind: 'video', mimeType: 'video/VP8' }] }, 'options.codecs.0.clockRate is missing'],
		[
			{ codecs: [{ kind: 'text', mimeType: 'video/VP8', clockRate: 1 }] },
			'options.codecs.0.kind must be one of ["audio","video"]',
		],
		[
			{ codecs: [{ kind: 'video', mimeType: 'VP8', clockRate: 90000 }] },
			'options.codecs.0.mimeType must match pattern "^(audio|video)/."',
		],
		[{ limits: { users: 1 } }, 'options.limits.users is not known'],
		[{ iceServers: {} }, 'options.iceServers must be array'],
		[{ iceServers: [{}] }, 'options.iceServers.0.urls is missing'],
		[
			{ iceServers: [{ urls: 'stun:a' }, { urls: ['stun:a', 'turns:b'], username: 'c' }] },
			'options.iceServers.1 is a TURN server, and needs username and credential',
		],
		[{ iceServers: [{ urls: 'stun:a', password: 'b' }] }, 'options.iceServers.0.password is not known'],
		[{ iceServersTimeout: 0 }, 'options.iceServersTimeout must be >= 1'],
		[{ emptyRoomTimeout: NaN }, 'options.emptyRoomTimeout must be integer'],
		[{ logger: {} }, 'options.logger.debug is missing'],
		[{ logger: () => undefined }, 'options.logger must be object'],
		...Object.keys(defaultLimits).map((limit): [unknown, string] => [
			{ limits: { [limit]: 0 } },
			`options.limits.${limit} must be >= 1`,
		]),
	];
	for (const [options, message] of wrong) {
		it(message, () => {
			rejects(options, message);
		});
	}
});
