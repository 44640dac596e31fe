import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedRoom } from '../../src/cluster/SharedRoom.js';
import type { RoomMessage, Snapshot } from '../../src/cluster/wire.js';

/** What another server says of the room. */
const snapshotOf = (seq: number, ...userIds: string[]): Snapshot => ({
	seq,
	epoch: seq,
	users: userIds.map((userId) => [userId, seq, 'state'] as const),
	settings: [],
});

/** A room whose messages the test carries. */
function createRoom() {
	const told: string[] = [];
	const published: RoomMessage[] = [];
	const fetches: { answer: (snapshot?: Snapshot) => void; fail: () => void }[] = [];
	const nothing = () => undefined;
	const room = new SharedRoom<string>(
		{
			nodeId: 'here',
			publish: (message) => published.push(message),
			fetch: () =>
				new Promise((resolve, reject) => {
					const fail = () => {
						reject(new Error('no answer'));
					};
					fetches.push({ answer: resolve, fail });
				}),
			request: () => Promise.reject(new Error('not in this test')),
			close: nothing,
		},
		{
			joined: (userId) => told.push(`joined ${userId}`),
			changed: (userId) => told.push(`changed ${userId}`),
			left: (userId, reason) => told.push(`left ${userId} ${reason}`),
			replaced: (userId) => told.push(`replaced ${userId}`),
			settingChanged: (key, value) => told.push(`${key} ${String(value)}`),
			factChanged: (nodeId, key, value) => told.push(`${nodeId} ${key} ${String(value)}`),
			event: (name) => told.push(name),
		},
		1000,
	);
	return { room, told, published, fetches };
}

const turns = async () => {
	for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('a shared room', () => {
	it('does not go back to an older snapshot, but for settings that it does not know', () => {
		const { room, told } = createRoom();
		room.load('there', snapshotOf(7, 'ann'));
		const setting = { epoch: 1, nodeId: 'there', value: true };
		room.load('there', { ...snapshotOf(5, 'bob'), settings: [['locked', setting]] });
		assert.deepEqual(told, ['joined ann', 'locked true']);
	});

	it('keeps a room that another server has opened after it has answered that it had not', async () => {
		const { room, told, fetches } = createRoom();
		void room.fetch('there');
		room.load('there', snapshotOf(7, 'ann'));
		fetches[0]?.answer(undefined);
		await turns();
		assert.deepEqual(told, ['joined ann']);
	});

	it('keeps a room that another server has closed and opened again', () => {
		const { room, told } = createRoom();
		room.load('there', snapshotOf(5));
		const closed = { kind: 'closed', seq: 5 } as const;
		room.load('there', snapshotOf(7, 'ann'));
		room.receive('there', closed);
		assert.deepEqual(told, ['joined ann']);
		room.receive('there', { kind: 'closed' });
		assert.deepEqual(told, ['joined ann', 'left ann left'], 'an earlier version does not say the number');
	});

	it('asks a server that says nothing any more, until it answers', async () => {
		const { room, told, fetches } = createRoom();
		room.load('there', snapshotOf(7, 'ann'));
		for (let digest = 0; digest < 2; digest++) room.digest();
		room.receive('there', { kind: 'digest', seq: 7 });
		for (let digest = 0; digest < 2; digest++) room.digest();
		assert.equal(fetches.length, 0);
		room.digest();
		fetches[0]?.fail();
		await turns();
		room.digest();
		fetches[1]?.answer(undefined);
		await turns();
		assert.deepEqual(told, ['joined ann', 'left ann left']);
		room.digest();
		assert.equal(fetches.length, 2);
	});

	it('fetches a setting that it has missed', async () => {
		const { room, published, told, fetches } = createRoom();
		const other = createRoom().room;
		other.setSetting('locked', true);
		const digestOf = (of: SharedRoom<string>, messages: RoomMessage[]) => {
			of.digest();
			return messages.at(-1)!;
		};
		room.load('there', snapshotOf(1000));
		room.receive('there', { kind: 'digest', seq: 1000, settings: 'of others' });
		assert.equal(fetches.length, 1);
		fetches[0]?.answer(other.snapshot);
		await turns();
		assert.deepEqual(told, ['locked true']);
		room.receive('there', digestOf(room, published));
		assert.equal(fetches.length, 1);
	});

	it('learns from a snapshot, and from each change, what a server tells of itself, and forgets it with the server', () => {
		const { room, told } = createRoom();
		room.load('there', { ...snapshotOf(7, 'ann'), facts: [['speaker', 1]] });
		room.receive('there', { kind: 'change', seq: 8, changes: [], facts: [['speaker', 2]] });
		room.receive('there', { kind: 'change', seq: 8, changes: [], facts: [['speaker', 1]] });
		room.load('there', { ...snapshotOf(7, 'ann'), facts: [['speaker', 1]] });
		room.load('there', { ...snapshotOf(7, 'ann'), seq: 8, facts: [['speaker', 2]] });
		const all = ['joined ann', 'there speaker 1', 'there speaker 2', 'changed ann'];
		assert.deepEqual(told.splice(0), all, 'nothing goes back');
		room.receive('there', { kind: 'change', seq: 9, changes: [], facts: [['speaker', null]] });
		room.receive('there', { kind: 'change', seq: 10, changes: [], facts: [['speaker', 3]] });
		room.lose('there', 'nodeLost');
		assert.deepEqual(told, [
			'there speaker undefined',
			'there speaker 3',
			'there speaker undefined',
			'left ann nodeLost',
		]);
	});

	it('tells what it tells of itself with its changes, and to who opens the room later', async () => {
		const { room, published } = createRoom();
		room.setFact('speaker', 1);
		room.setFact('speaker', 2);
		room.set('ann', 'state');
		await turns();
		const [change] = published as Extract<RoomMessage, { kind: 'change' }>[];
		assert.deepEqual([published.length, change!.changes.length, change!.facts], [1, 1, [['speaker', 2]]]);
		assert.deepEqual(room.snapshot.facts, [['speaker', 2]]);
		room.setFact('speaker', undefined);
		assert.equal(room.snapshot.facts, undefined);
		assert.deepEqual(published.at(-1), {
			kind: 'change',
			seq: room.snapshot.seq,
			changes: [],
			facts: [['speaker', null]],
		});
	});

	it('takes whoever joins after it has been opened again for somebody else', () => {
		const { room, told } = createRoom();
		const users = (firstSeq: number) => {
			const there = new SharedRoom<string>(
				{
					nodeId: 'there',
					publish: () => undefined,
					fetch: () => Promise.resolve(undefined),
					request: () => Promise.resolve(),
					close: () => undefined,
				},
				{
					joined: () => undefined,
					changed: () => undefined,
					left: () => undefined,
					replaced: () => undefined,
					settingChanged: () => undefined,
					factChanged: () => undefined,
					event: () => undefined,
				},
				firstSeq,
			);
			there.set('ann', 'state');
			return there.snapshot;
		};
		room.load('there', users(2000));
		room.load('there', users(3000));
		assert.deepEqual(told, ['joined ann', 'left ann replaced', 'joined ann']);
	});

	it('tells nothing after it has been closed', () => {
		const { room, told, published } = createRoom();
		room.load('there', snapshotOf(7, 'ann'));
		room.close();
		room.receive('there', { kind: 'closed' });
		room.load('there', snapshotOf(8));
		room.setSetting('locked', true);
		assert.deepEqual(told, ['joined ann']);
		assert.equal(published.at(-1)?.kind, 'closed');
	});
});
