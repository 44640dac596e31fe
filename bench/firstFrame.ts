/**
 * How long it takes from a pull to the first frame in Chromium, with sfu-rooms by offers of the client and of the server,
 * compared with mediasoup-client on bare mediasoup: the baseline. The puller is on the worker of the pusher, or on another
 * one. The first puller of a pusher is cold, and makes the pipe to the other worker; a second one is warm.
 *
 *     scripts/namespace.sh node --import tsx bench/firstFrame.ts [--rounds 20] [--json FILE]
 *
 * It needs Chromium, and what scripts/namespace.sh needs: root, or namespaces for users, and iproute2. A round takes about ten
 * seconds. In each one every system has a new pusher, and all take turns: one pull at a time, and the two of a pusher three
 * seconds apart or more.
 *
 * The clock of a page starts with its request to pull: for bare mediasoup with its request to consume, on a transport that the
 * page has been told of, and on a router that is there. The row "with its transport" starts with the request for that
 * transport, in the same pulls. The clock ends when the first frame is shown. All messages go over WebSockets. The video is
 * the fake camera in 320×240 at 15 frames a second, so a keyframe that was asked for takes up to 67 ms to begin. A pull that
 * takes more than 400 ms has missed that keyframe, and waits for a second one. The ratios divide by the median of bare
 * mediasoup, cold or warm, in the same place.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startBareMediasoup } from './firstFrame/bareMediasoup.js';
import { play, type Taken } from './firstFrame/play.js';
import { chromiumVersion, playRounds } from './firstFrame/playRounds.js';
import { startSfuRooms } from './firstFrame/sfuRooms.js';
import { rowsOf } from './firstFrame/table.js';
import { report } from './report.js';

const { values } = parseArgs({
	options: { rounds: { type: 'string', default: '20' }, json: { type: 'string' } },
});

const versionOf = (name: string) => {
	const manifest = readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8');
	return (JSON.parse(manifest) as { version: string }).version;
};

let taken: Taken[];
const closers: (() => unknown)[] = [];
try {
	const [sfuRooms, bare] = [await startSfuRooms(), await startBareMediasoup()];
	closers.push(sfuRooms.close, bare.close);
	const urls = { client: sfuRooms.url, server: sfuRooms.url, bare: bare.url };
	taken = await playRounds(Number(values.rounds), (round, pages) => play(round, urls, pages));
} finally {
	for (const close of closers.reverse()) await close();
}

report(
	{
		name: 'first-frame',
		rows: rowsOf(taken),
		versions: {
			chromium: chromiumVersion(),
			'mediasoup-client': versionOf('mediasoup-client'),
		},
		details: taken,
	},
	values.json,
);
