import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Nodes } from '../../src/cluster/Nodes.js';
import { watchful } from '../properties/setup.js';

const info = {
	nodeId: 'one',
	name: 'one',
	draining: false,
	load: 0,
	rooms: 0,
	users: 0,
	address: { ip: '127.0.0.1', port: 1 },
};

/** Sees who lives, every 750 ms. */
function createNodes() {
	let now = 0;
	const nodes = new Nodes(watchful().logger, () => now);
	const told: string[] = [];
	nodes.on('joined', ({ node }) => told.push(`joined ${node.nodeId}`));
	nodes.on('lost', ({ node, reason }) => told.push(`${reason} ${node.nodeId}`));
	const pass = (ms: number, { bus = true, isDirect = false } = {}) => {
		for (const end = now + ms; now < end;) {
			now += 750;
			nodes.sweep(bus, () => isDirect);
		}
	};
	const sleep = (ms: number) => (now += ms);
	return { nodes, told, pass, sleep };
}

describe('the servers that are alive', () => {
	it('are without one that is silent for 3 s', () => {
		const { nodes, told, pass } = createNodes();
		nodes.heard('one', info);
		pass(1500);
		assert.deepEqual(told, ['joined one']);
		pass(1500);
		assert.deepEqual(told, ['joined one', 'nodeLost one']);
		nodes.heard('one', info);
		assert.deepEqual(told.slice(2), ['joined one']);
	});

	it('do not come back after a farewell, however late their last signs of life come', () => {
		const { nodes, told, pass } = createNodes();
		nodes.heard('one', info);
		nodes.stopped('one');
		pass(9000);
		nodes.heard('one', info);
		assert.deepEqual(told, ['joined one', 'nodeStopped one']);
	});

	it('are all of them without the bus, unless one was heard directly', () => {
		const { nodes, told, pass } = createNodes();
		nodes.heard('one', info);
		pass(60_000, { bus: false });
		assert.deepEqual(told, ['joined one']);
		pass(3000, { bus: false, isDirect: true });
		assert.deepEqual(told, ['joined one', 'nodeLost one']);
	});

	it('have time to be heard when the bus is lost or back, and when this process has slept', () => {
		for (const happen of ['bus', 'sleep']) {
			const { nodes, told, pass, sleep } = createNodes();
			nodes.heard('one', info);
			pass(1500);
			if (happen === 'bus') nodes.busChanged();
			else sleep(10_000);
			pass(1500, { isDirect: true });
			assert.deepEqual(told, ['joined one'], happen);
			pass(1500);
			assert.deepEqual(told, ['joined one', 'nodeLost one'], happen);
		}
	});
});
