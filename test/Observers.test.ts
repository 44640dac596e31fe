import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OperationEnd, Operation } from 'sfu-rooms';
import { Observers } from '../src/Observers.js';
import { SfuError } from '../src/SfuError.js';
import { recorder } from './media/setup.js';

const failing = () => {
	throw new Error('of the observer');
};

describe('Observers', () => {
	it('are told what began, what was found out meanwhile, how it ended and how long it took', async () => {
		const observers = new Observers(recorder().logger);
		const told: unknown[] = [];
		observers.add({
			begun: (operation: Operation) => {
				told.push({ ...operation });
				return {
					ended: ({ duration, error }: OperationEnd) => {
						assert.ok(duration >= 0);
						told.push({ ...operation, code: error?.code });
					},
				};
			},
		});
		const own = observers.of({ roomId: 'room' }).of({ userId: 'alice' });
		const pushed = await own.run('push', {}, (operation) => {
			operation.connectionId = 'connection';
			return Promise.resolve('answer');
		});
		assert.equal(pushed, 'answer');
		const refused = new SfuError('forbidden', 'no');
		await assert.rejects(
			own.run('pull', {}, () => Promise.reject(refused)),
			refused,
		);
		const foreign = new TypeError('a bug');
		await assert.rejects(
			own.run('answer', {}, () => Promise.reject(foreign)),
			foreign,
		);
		const alice = { roomId: 'room', userId: 'alice' };
		assert.deepEqual(told, [
			{ name: 'push', ...alice },
			{ name: 'push', ...alice, connectionId: 'connection', code: undefined },
			{ name: 'pull', ...alice },
			{ name: 'pull', ...alice, code: 'forbidden' },
			{ name: 'answer', ...alice },
			{ name: 'answer', ...alice, code: 'internal' },
		]);
	});

	it('that fail are logged, and the work is done once all the same', async () => {
		const { logger, messages } = recorder();
		const observers = new Observers(logger);
		observers.add({ begun: failing });
		observers.add({ begun: () => ({ within: failing, ended: failing }) });
		observers.add({ begun: () => ({ within: () => undefined, ended: () => undefined }) });
		observers.add({
			begun: () => ({
				within: (work) => {
					work();
					work();
					failing();
				},
				ended: () => undefined,
			}),
		});
		let times = 0;
		assert.equal(await observers.run('push', {}, () => Promise.resolve(++times)), 1);
		assert.equal(times, 1);
		assert.deepEqual(messages, Array(4).fill('an observer failed'));
	});

	it('that have gone are told nothing more, and one that was added twice is told twice', async () => {
		const observers = new Observers(recorder().logger);
		let ended = 0;
		const observer = {
			begun: () => ({
				ended: () => {
					ended++;
				},
			}),
		};
		const [remove] = [observers.add(observer), observers.add(observer)];
		await observers.run('join', {}, () => Promise.resolve());
		assert.equal(ended, 2);
		remove();
		remove();
		await observers.run('join', {}, () => Promise.resolve());
		assert.equal(ended, 3);
	});

	it('are told of messages that fail and of connections that close, if they want to know', () => {
		const { logger, messages } = recorder();
		const observers = new Observers(logger);
		const told: unknown[] = [];
		observers.add({ begun: () => undefined });
		observers.add({ begun: () => undefined, messageFailed: failing, connectionClosed: failing });
		observers.add({
			begun: () => undefined,
			messageFailed: ({ method, error }) => told.push([method, error.code]),
			connectionClosed: (end) => told.push(end),
		});
		observers.messageFailed({ method: 'push', error: new SfuError('forbidden', 'no') });
		const ids = { roomId: 'room', userId: 'alice', connectionId: 'one' };
		observers.of(ids).connectionClosed('userLeft');
		assert.deepEqual(told, [['push', 'forbidden'], { ...ids, reason: 'userLeft' }]);
		assert.deepEqual(messages, Array(2).fill('an observer failed'));
	});

	it('are told once that something has ended', () => {
		const observers = new Observers(recorder().logger);
		const codes: unknown[] = [];
		observers.add({ begun: () => ({ ended: ({ error }) => codes.push(error?.code) }) });
		const end = observers.begin('connect', {});
		end(new SfuError('timeout', 'too late'));
		end();
		assert.deepEqual(codes, ['timeout']);
	});
});
