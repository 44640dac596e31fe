import { RateLimit } from './RateLimit.js';

/** Facts of a log entry: ids, reasons, errors. They never contain SDP, ICE passwords, tokens or the data of users. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Takes the log of the library. `console` is one. Each entry has a constant message, and its ids and reasons as fields, so
 * that a client cannot forge a line of the log. Of warnings and errors with the same message, 20 come at once and one per second
 * in the long run; the next one has the number of those that were left out in `suppressed`.
 *
 * A logger that takes the fields first, such as pino, needs a line for each level:
 *
 * @example
 * ```ts
 * const logger: Logger = {
 *   debug: (message, fields) => pino.debug(fields, message),
 *   info: (message, fields) => pino.info(fields, message),
 *   warn: (message, fields) => pino.warn(fields, message),
 *   error: (message, fields) => pino.error(fields, message),
 * };
 * ```
 */
export interface Logger {
	/** Logs a step of one user or connection: an offer, a pusher, a puller. */
	debug(message: string, fields?: LogFields): void;
	/** Logs that a user joined or left, and that a connection changed its state or closed. */
	info(message: string, fields?: LogFields): void;
	/** Logs a fault that the library can live with. */
	warn(message: string, fields?: LogFields): void;
	/** Logs a fault of the library, of the app's listeners, or of a worker. */
	error(message: string, fields?: LogFields): void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

const nothing = () => undefined;

/** The default logger: warnings and errors on the console, and nothing else. */
export const consoleLogger: Logger = {
	debug: nothing,
	info: nothing,
	warn: (message, fields = {}) => {
		console.warn(`sfu-rooms: ${message}`, fields);
	},
	error: (message, fields = {}) => {
		console.error(`sfu-rooms: ${message}`, fields);
	},
};

/** A logger that adds fields to every entry. */
export function withFields(logger: Logger, added: LogFields): Logger {
	return perLevel((level) => (message, fields) => {
		logger[level](message, { ...added, ...fields });
	});
}

/** A logger that never throws, and whose promises never reject, whatever the app's logger does. */
export function guarded(logger: Logger): Logger {
	return perLevel((level) => (message, fields) => {
		try {
			const log: (message: string, fields?: LogFields) => unknown = logger[level].bind(logger);
			const result = log(message, fields);
			if (result instanceof Promise) result.catch(nothing);
		} catch {
			// There is nowhere to tell it.
		}
	});
}

// So many lines of a cause at once, and per second in the long run.
const burst = 20;
const perSecond = 1;

/**
 * A logger that logs warnings and errors with the same message only so often: what clients do again and again must not fill
 * the disk. The next line of the same message says in `suppressed` how many were left out.
 */
export function limited(logger: Logger): Logger {
	return perLevel((level) => {
		const isLimited = level === 'warn' || level === 'error';
		const causes = new Map<string, { rate: RateLimit; suppressed: number }>();
		return (message, fields) => {
			const cause = causes.get(message) ?? { rate: new RateLimit(burst, perSecond), suppressed: 0 };
			if (isLimited) causes.set(message, cause);
			if (!cause.rate.take()) {
				cause.suppressed++;
				return;
			}
			const { suppressed } = cause;
			cause.suppressed = 0;
			logger[level](message, suppressed > 0 ? { ...fields, suppressed } : fields);
		};
	});
}

function perLevel(log: (level: (typeof levels)[number]) => Logger['debug']): Logger {
	return Object.fromEntries(levels.map((level) => [level, log(level)])) as unknown as Logger;
}
