import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { consoleLogger, guarded, limited, withFields, type LogFields, type Logger } from '../src/Logger.js';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** A logger that passes every entry to one function. */
const loggerOf = (log: (level: string, message: string, fields?: LogFields) => unknown) =>
	Object.fromEntries(
		levels.map((level) => [level, (message: string, fields?: LogFields) => log(level, message, fields)]),
	) as unknown as Logger;

describe('A guarded logger', () => {
	it('passes on every entry', () => {
		const entries: unknown[] = [];
		const logger = guarded(loggerOf((...entry) => entries.push(entry)));
		for (const level of levels) logger[level]('message', { userId: 'alice' });
		assert.deepEqual(
			entries,
			levels.map((level) => [level, 'message', { userId: 'alice' }]),
		);
	});

	it('never throws, and its promises never reject', async () => {
		const throwing = guarded(
			loggerOf(() => {
				throw new Error('of the logger');
			}),
		);
		const rejecting = guarded(loggerOf(() => Promise.reject(new Error('of the logger'))));
		for (const level of levels) {
			throwing[level]('message');
			rejecting[level]('message');
		}
		// An unhandled rejection would end the process now.
		await new Promise(setImmediate);
	});

	it('calls the logger as its own method', () => {
		class Counter {
			count = 0;
			debug() {
				this.count++;
			}
			info() {
				this.debug();
			}
			warn() {
				this.debug();
			}
			error() {
				this.debug();
			}
		}
		const counter = new Counter();
		for (const level of levels) guarded(counter)[level]('message');
		assert.equal(counter.count, 4);
	});
});

it('A logger with fields adds them to every entry', () => {
	const entries: unknown[] = [];
	const logger = withFields(
		loggerOf((_, __, fields) => entries.push(fields)),
		{ roomId: 'a', userId: 'b' },
	);
	logger.info('message');
	logger.info('message', { userId: 'c', reason: 'd' });
	assert.deepEqual(entries, [
		{ roomId: 'a', userId: 'b' },
		{ roomId: 'a', userId: 'c', reason: 'd' },
	]);
});

describe('The console logger', () => {
	it('writes warnings and errors, and nothing else', (t) => {
		const written = (['debug', 'info', 'log', 'warn', 'error'] as const).map((method) =>
			t.mock.method(console, method, () => undefined),
		);
		for (const level of levels) consoleLogger[level]('message');
		assert.deepEqual(
			written.map(({ mock }) => mock.callCount()),
			[0, 0, 0, 1, 1],
		);
	});

	it('writes an id with line breaks on one line', (t) => {
		const lines: string[] = [];
		t.mock.method(process.stderr, 'write', (text: string) => lines.push(text));
		consoleLogger.warn('a user left', { userId: 'alice\nsfu-rooms: a user joined\r\u001b[2K' });
		assert.equal(
			lines
				.join('')
				.trimEnd()
				.split(/[\r\n]/).length,
			1,
		);
		assert.ok(!lines.join('').includes('\u001b[2K'));
	});
});

describe('A limited logger', () => {
	it('passes on 20 warnings of a cause at once, and tells later how many it has left out', async () => {
		const entries: unknown[] = [];
		const logger = limited(loggerOf((...entry) => entries.push(entry)));
		for (let count = 0; count < 1000; count++) logger.warn('malformed', { count });
		assert.equal(entries.length, 20);
		await setTimeout(1100);
		logger.warn('malformed', { count: 'later' });
		assert.deepEqual(entries.at(-1), ['warn', 'malformed', { count: 'later', suppressed: 980 }]);
		await setTimeout(1100);
		logger.warn('malformed', { count: 'last' });
		assert.deepEqual(entries.at(-1), ['warn', 'malformed', { count: 'last' }]);
	});

	it('counts each cause on its own, and each level but debug and info', () => {
		const entries: unknown[] = [];
		const logger = limited(loggerOf((level, message) => entries.push(`${level} ${message}`)));
		for (let count = 0; count < 100; count++) {
			for (const level of levels) for (const message of ['one', 'two']) logger[level](message);
		}
		const counted = (entry: string) => entries.filter((other) => other === entry).length;
		assert.deepEqual(
			levels.flatMap((level) => ['one', 'two'].map((message) => counted(`${level} ${message}`))),
			[100, 100, 100, 100, 20, 20, 20, 20],
		);
	});
});
