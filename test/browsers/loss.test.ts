import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { type Browser, cannotRun, startBrowser } from '../support/browsers.js';
import { call } from '../support/call.js';
import type { VideoCodec } from '../support/client.js';
import { cannotDropPackets, dropIncoming, overUdp } from '../support/namespace.js';
import { assertPlaysOn, untilPlaying } from '../support/playback.js';

const skip = cannotDropPackets || cannotRun('Chromium');

describe('With 5 % of the packets towards the puller lost', { skip }, () => {
	let sfu: Sfu;
	let chromium: Browser;

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [overUdp] } });
		chromium = await startBrowser('Chromium');
	});

	after(async () => {
		sfu.close();
		await chromium.close();
	});

	interface Grown {
		nacks: number;
		lost: number;
		retransmitted: number;
	}

	/** Plays through the loss, until the counters of the video have grown as they should. */
	async function playWithLoss(codec: VideoCodec, isEnough: (grown: Grown) => boolean) {
		const [from, to] = [await chromium.newPage(), await chromium.newPage()];
		const room = await sfu.getOrCreateRoom(codec);
		const id = await call(room, { from, to, codec });
		await untilPlaying(to, id);

		const before = await to.client.stats(id);
		const loss = dropIncoming({ percent: 5, udpPort: before.localPort });
		const grown = async (): Promise<Grown> => {
			const { video } = await to.client.stats(id);
			const by = (counter: 'nackCount' | 'packetsLost' | 'retransmittedPacketsReceived') =>
				video[0]![counter] - before.video[0]![counter];
			return {
				nacks: by('nackCount'),
				lost: by('packetsLost'),
				retransmitted: by('retransmittedPacketsReceived'),
			};
		};
		try {
			await assertPlaysOn(to, id, { frames: 75 });
			const deadline = performance.now() + 60_000;
			for (;;) {
				const now = await grown();
				if (isEnough(now)) return;
				assert.ok(performance.now() < deadline, JSON.stringify(now));
				await sleep(200);
			}
		} finally {
			loss.stop();
		}
	}

	it('VP8 keeps decoding, and what was lost comes again over RTX', () =>
		playWithLoss('VP8', ({ nacks, retransmitted }) => nacks > 0 && retransmitted > 0));

	// Chromium's RTX type for AV1 is out of the range that mediasoup can be made to use. A packet that comes again in its
	// own stream is no longer counted as lost.
	it('AV1 keeps decoding, and what was lost comes again without RTX', () =>
		playWithLoss('AV1', ({ nacks, lost }) => nacks > 0 && lost < nacks));
});
