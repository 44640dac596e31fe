/**
 * How long it takes from a pull to the first frame in Chromium when the pusher is on another server of a cluster, compared with
 * a pusher on the same server: the baseline. By offers of the client and of the server.
 *
 *     scripts/namespace.sh node --import tsx bench/acrossServers.ts [--rounds 30] [--json FILE]
 *
 * It needs Chromium, redis-server, and what scripts/namespace.sh needs: root, or namespaces for users, and iproute2. The two
 * servers are processes of their own with a worker each, and Redis is their bus; all is on one machine, without a delay
 * between the servers. A round takes about twelve seconds.
 *
 * Each room has two users who push on one server. It is pulled from three times, by other users: the first pull is cold, and
 * on the other server it opens the way between the servers, too. The next one is the first of the second pusher: the way is
 * there, and the track is not. In the third one the track is there, too. Pulls on the same server and on the other one
 * alternate. The ratios divide by the median of the same pull on the same server.
 *
 * The clock starts with the request to pull, and ends when the first frame is shown. The video is the fake camera in 320×240
 * at 15 frames a second, so a keyframe that was asked for takes up to 67 ms to begin. A pull that takes more than 400 ms has
 * missed that keyframe, and waits for a second one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRedis } from '../test/support/redis.js';
import { play, type Taken } from './acrossServers/play.js';
import { startServers } from './acrossServers/startServers.js';
import { rowsOf } from './acrossServers/table.js';
import { chromiumVersion, playRounds } from './firstFrame/playRounds.js';
import { report } from './report.js';

const { values } = parseArgs({
	options: { rounds: { type: 'string', default: '30' }, json: { type: 'string' } },
});

let taken: Taken[];
const closers: (() => unknown)[] = [];
try {
	const redis = await startRedis();
	closers.push(() => redis.end());
	const { urls, close } = await startServers(redis.port);
	closers.push(close);
	taken = await playRounds(Number(values.rounds), async (round, pages) => {
		const byClient = await play(round, 'client', urls, pages);
		await sleep(500);
		return [...byClient, ...(await play(round, 'server', urls, pages))];
	});
} finally {
	for (const close of closers.reverse()) await close();
}

report(
	{
		name: 'across-servers',
		rows: rowsOf(taken),
		versions: { chromium: chromiumVersion() },
		details: taken,
	},
	values.json,
);
