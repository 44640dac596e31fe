/**
 * Where the library writes what an operator wants to know. `console` is one, and so are most loggers' children.
 */
export interface Logger {
	debug(message: string, details?: unknown): void;
	info(message: string, details?: unknown): void;
	warn(message: string, details?: unknown): void;
	error(message: string, details?: unknown): void;
}

const nothing = () => undefined;

/** The default: warnings and errors on the console, nothing else. */
export const consoleLogger: Logger = {
	debug: nothing,
	info: nothing,
	warn: (message, details) => {
		console.warn(`sfu-rooms: ${message}`, details ?? '');
	},
	error: (message, details) => {
		console.error(`sfu-rooms: ${message}`, details ?? '');
	},
};
