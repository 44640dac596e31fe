import { availableParallelism } from 'node:os';
import { checkCluster, clusterSchema } from './clusterOptions.js';
import { checkIceServers } from './iceServers.js';
import { checkListenAddress } from './listenAddress.js';
import { consoleLogger } from './Logger.js';
import { defaultCodecs, defaultLimits, type ResolvedOptions, type SfuOptions } from './options.js';
import { bitrate, count, milliseconds, nonEmpty, strict, validator } from './schemas.js';
import { SfuError } from './SfuError.js';

const checkOptions = validator<SfuOptions>(
	strict({
		webRtc: strict({
			listen: {
				type: 'array',
				minItems: 1,
				items: strict(
					{
						ip: nonEmpty,
						announcedAddress: nonEmpty,
						port: { type: 'integer', minimum: 1, maximum: 65535 },
						protocols: { type: 'array', minItems: 1, items: { enum: ['udp', 'tcp'] } },
					},
					['ip'],
				),
			},
			connectTimeout: milliseconds,
			answerTimeout: milliseconds,
			consentTimeout: { ...milliseconds, minimum: 1000 },
			disconnectTimeout: milliseconds,
			initialOutgoingBitrate: count,
			maxIncomingBitrate: bitrate,
			maxOutgoingBitrate: bitrate,
			keptSources: { type: 'array', items: nonEmpty },
			startBitrate: bitrate,
			keyframeRequestDelay: milliseconds,
			layersSettleTime: milliseconds,
		}),
		workers: strict({
			count,
			fullCpu: { type: 'number', minimum: 0.05, maximum: 1 },
			fullTracks: count,
			place: {},
			binary: nonEmpty,
			healthTimeout: milliseconds,
			logLevel: { enum: ['debug', 'warn', 'error', 'none'] },
		}),
		codecs: {
			type: 'array',
			minItems: 1,
			items: strict(
				{
					kind: { enum: ['audio', 'video'] },
					mimeType: { type: 'string', pattern: '^(audio|video)/.' },
					clockRate: count,
					channels: count,
					parameters: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
				},
				['kind', 'mimeType', 'clockRate'],
			),
		},
		limits: strict(Object.fromEntries(Object.keys(defaultLimits).map((limit) => [limit, count]))),
		audioObservers: strict({
			interval: { type: 'integer', minimum: 250, maximum: 5000 },
			threshold: { type: 'integer', minimum: -127, maximum: 0 },
		}),
		qualityInterval: milliseconds,
		stallInterval: milliseconds,
		emptyRoomTimeout: milliseconds,
		iceServers: {},
		iceServersTimeout: { ...milliseconds, minimum: 1 },
		cluster: clusterSchema,
		logger: { type: 'object', required: ['debug', 'info', 'warn', 'error'] },
	}),
	'options',
);

/** @throws {@link SfuError} `invalid_argument`, naming the option */
export function resolveOptions(options: SfuOptions): ResolvedOptions {
	const checked = checkOptions(options);
	const { webRtc, workers, codecs, limits, audioObservers, qualityInterval, stallInterval, emptyRoomTimeout } = checked;
	const { iceServers = [], iceServersTimeout, cluster, logger } = checked;
	if (cluster) checkCluster(cluster);
	for (const [index, address] of (webRtc?.listen ?? []).entries()) {
		checkListenAddress(address, `options.webRtc.listen.${index}`);
	}
	if (workers?.place !== undefined && typeof workers.place !== 'function') {
		throw new SfuError('invalid_argument', 'options.workers.place must be a function');
	}
	return {
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
			...given(webRtc),
		},
		workers: {
			count: availableParallelism(),
			logLevel: 'error',
			healthTimeout: 15_000,
			fullCpu: 0.7,
			fullTracks: 500,
			binary: undefined,
			place: undefined,
			...given(workers),
		},
		codecs: codecs ?? defaultCodecs,
		limits: { ...defaultLimits, ...given(limits) },
		audioObservers: audioObservers && { interval: 1000, threshold: -80, ...given(audioObservers) },
		qualityInterval: qualityInterval ?? 0,
		stallInterval: stallInterval ?? 800,
		emptyRoomTimeout: emptyRoomTimeout ?? 30_000,
		iceServers: typeof iceServers === 'function' ? iceServers : checkIceServers(iceServers, 'options.iceServers'),
		iceServersTimeout: iceServersTimeout ?? 5000,
		cluster,
		logger: logger ?? consoleLogger,
	};
}

/** Leaves out options that are `undefined`, so that they get their defaults. */
function given<Options extends object>(
	options: Options | undefined,
): { [Key in keyof Options]: Exclude<Options[Key], undefined> } {
	const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries) as { [Key in keyof Options]: Exclude<Options[Key], undefined> };
}
