/**
 * What the messages between the servers of a large cluster cost: by simulation, and on a real Redis.
 *
 *     node --max-old-space-size=8000 --import tsx bench/cluster.ts [--nodes 200] [--users 100000] [--rooms 10000]
 *         [--spread any|few] [--scale 10] [--seconds 60] [--json FILE]
 *     node --import tsx bench/cluster.ts --redis FILE [--json FILE]
 *
 * The first command runs the real `Cluster` of each server in this process, over a bus that counts, with a clock that waits for
 * nothing. User states are replaced by a mark, and counted with the size that they have on two real servers. With `--spread any`
 * each user lands on any server, as behind a balancer that knows no rooms; with `few` a room uses one server for each 50 users.
 * A tenth of the users and rooms is simulated, on all servers, and what follows from rooms is multiplied by `--scale`: rooms do
 * not depend on each other. A second file `…-moments.json` has the table of what happens once: starts, deaths, reconnections. A third one,
 * `…-media.json`, has what the media between the servers would cost, computed.
 *
 * The second command takes the first file of a simulation, and sends the same mixture of messages over a real Redis, more and more
 * of it, until the p99 of the delay exceeds 50 ms. The baseline is a plain PUBLISH, without the script of `redisBus()`.
 */
import { parseArgs } from 'node:util';
import { mediaRows } from './cluster/media.js';
import { loadRedis } from './cluster/redisLoad.js';
import { simulate } from './cluster/simulate.js';
import { readReport, report } from './report.js';

const { values } = parseArgs({
	options: {
		nodes: { type: 'string', default: '200' },
		users: { type: 'string', default: '100000' },
		rooms: { type: 'string', default: '10000' },
		spread: { type: 'string', default: 'any' },
		scale: { type: 'string', default: '10' },
		seconds: { type: 'string', default: '60' },
		redis: { type: 'string' },
		json: { type: 'string' },
	},
});

if (values.redis === undefined) {
	const { messages, moments, shares, details } = await simulate({
		nodes: Number(values.nodes),
		users: Number(values.users),
		rooms: Number(values.rooms),
		spread: values.spread === 'few' ? 'few' : 'any',
		scale: Number(values.scale),
		seconds: Number(values.seconds),
	});
	const file = (name: string) => values.json?.replace(/(\.json)?$/, `${name}.json`);
	const few = values.spread === 'few' ? '-few' : '';
	report({ name: `cluster-messages${few}`, rows: messages, details }, file(''));
	report({ name: `cluster-moments${few}`, rows: moments }, file('-moments'));
	report({ name: `cluster-media${few}`, rows: mediaRows(shares, Number(values.nodes)) }, file('-media'));
	console.log(JSON.stringify(details));
} else {
	const { rows, versions, details } = await loadRedis(readReport(values.redis));
	const few = details.spread === 'few' ? '-few' : '';
	report({ name: `cluster-redis${few}`, rows, versions, details }, values.json);
}
process.exit(0);
