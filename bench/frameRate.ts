/**
 * The frame rates that getStats() counts of a pusher and its puller, compared with what the browser encoded meanwhile, which
 * is the baseline. The ratio should be about 1.
 *
 *     scripts/namespace.sh node --import tsx bench/frameRate.ts [rounds]
 */
import { Sfu } from 'sfu-rooms';
import { startBrowser } from '../test/support/browsers.js';
import { call } from '../test/support/call.js';
import { mediaAddress } from '../test/support/namespace.js';
import { untilPlaying } from '../test/support/playback.js';
import { mediaPullers, mediaPushers } from '../test/support/parted.js';

const rounds = Number(process.argv[2] ?? 10);
const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: mediaAddress }] } });
const chromium = await startBrowser('Chromium');
const rows: Record<string, string>[] = [];
try {
	const [from, to] = [await chromium.newPage(), await chromium.newPage()];
	const room = await sfu.getOrCreateRoom('room');
	await untilPlaying(to, await call(room, { from, to, codec: 'VP8' }));
	const [alice, bob] = [room.users.get('alice')!, room.users.get('bob')!];
	const counted = [
		mediaPushers(alice).find(({ kind }) => kind === 'video')!,
		mediaPullers(bob).find(({ kind }) => kind === 'video')!,
	];
	// The first connection of its page.
	const encoded = async () => (await from.client.outbound('0'))[0]!.framesEncoded;
	for (let round = 1; round <= rounds; round++) {
		const [before, started] = [await encoded(), performance.now()];
		const [pusher, puller] = await Promise.all(counted.map((each) => each.getStats({ frameRate: true })));
		const baseline = ((await encoded()) - before) / ((performance.now() - started) / 1000);
		rows.push({
			encoded: baseline.toFixed(1),
			pusher: pusher!.frameRate!.toFixed(1),
			'× baseline': (pusher!.frameRate! / baseline).toFixed(2),
			puller: puller!.frameRate!.toFixed(1),
			'× baseline ': (puller!.frameRate! / baseline).toFixed(2),
		});
	}
} finally {
	await chromium.close();
	sfu.close();
}
console.table(rows);
