import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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

	/** Plays through the loss, and tells by how much the counters of the video grew in the meantime. */
	async function playWithLoss(codec: VideoCodec) {
		const [from, to] = [await chromium.newPage(), await chromium.newPage()];
		const room = await sfu.getOrCreateRoom(codec);
		const id = await call(room, { from, to, codec });
		await untilPlaying(to, id, { within: 5000 });

		const before = await to.client.stats(id);
		const loss = dropIncoming({ percent: 5, udpPort: before.localPort });
		try {
			await assertPlaysOn(to, id, { seconds: 15 });
		} finally {
			loss.stop();
		}
		const after = await to.client.stats(id);
		const grown = (counter: 'nackCount' | 'packetsLost' | 'retransmittedPacketsReceived') =>
			after.video[0]![counter] - before.video[0]![counter];
		return {
			nacks: grown('nackCount'),
			lost: grown('packetsLost'),
			retransmitted: grown('retransmittedPacketsReceived'),
		};
	}

	it('VP8 keeps decoding, and what was lost comes again over RTX', async () => {
		const { nacks, retransmitted } = await playWithLoss('VP8');
		assert.ok(nacks > 0, 'no packet was asked for again');
		assert.ok(retransmitted > 0, `${nacks} NACKs, and nothing came again`);
	});

	// Chromium's RTX type for AV1 is out of the range that mediasoup can be made to use. A packet that comes again in its
	// own stream is no longer counted as lost.
	it('AV1 keeps decoding, and what was lost comes again without RTX', async () => {
		const { nacks, lost } = await playWithLoss('AV1');
		assert.ok(nacks > 0, 'no packet was asked for again');
		assert.ok(lost < nacks, `${lost} lost for good, ${nacks} NACKs`);
	});
});
