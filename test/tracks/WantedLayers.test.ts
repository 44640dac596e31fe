import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import type { User, WantedEncoding } from 'sfu-rooms';
import { recorder, until } from '../media/setup.js';
import { anOffer } from '../support/offers.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';
import { pullAll, startRoom } from '../rooms/setup.js';
import { Demand } from '../../src/media/Demand.js';
import { WantedLayers } from '../../src/tracks/WantedLayers.js';

const settleTime = 100;

/** The active streams, in a word. */
const inWords = (encodings: readonly WantedEncoding[] = []) =>
	encodings.flatMap(({ rid, active }, index) => (active ? (rid ?? String(index)) : [])).join('');

/** Alice pushes simulcast, of which `told` has what others want; Bob and Carol may pull it. */
async function startSimulcast(
	t: TestContext,
	{ offer = 'chromium-sendonly-video-simulcast', layersSettleTime = settleTime } = {},
) {
	const started = await startRoom(t, { webRtc: { layersSettleTime } });
	const [alice, bob, carol] = [
		await started.join('alice'),
		await started.join('bob'),
		await started.join('carol'),
	] as const;
	const told: string[] = [];
	alice.on('layersWanted', ({ pusher, encodings }) => {
		assert.deepEqual(pusher.wantedEncodings, encodings);
		told.push(inWords(encodings));
	});
	const sdp = anOffer(offer);
	const pushed = await alice.push(sdp);
	const pusher = mediaPushers(pushed).find(({ kind }) => kind === 'video')!;
	const pull = async (user: User) =>
		mediaPullers(await user.pull(pullAll(alice))).find(({ kind }) => kind === 'video')!;
	return { ...started, alice, bob, carol, sdp, pusher, told, pull };
}

/** Waits until as much is told, and no more within the time that anything takes. */
async function untilTold(told: string[], expected: string[]) {
	await until(() => told.length >= expected.length, `${told.join()} becomes ${expected.join()}`);
	await sleep(settleTime * 2);
	assert.deepEqual(told, expected);
}

describe('The layers that are wanted of a simulcast', () => {
	it('are all at first, and the lowest alone when nobody has pulled for a while', async (t) => {
		const { pusher, told } = await startSimulcast(t);
		assert.deepEqual(pusher.wantedEncodings, [
			{ rid: 'h', active: true },
			{ rid: 'm', active: true },
			{ rid: 'l', active: true },
		]);
		await untilTold(told, ['h']);
		assert.equal(inWords(pusher.wantedEncodings), 'h');
	});

	it('are told only when they change: not while somebody takes all', async (t) => {
		const { bob, told, pull } = await startSimulcast(t);
		await pull(bob);
		await untilTold(told, []);
	});

	it('follow what the client prefers and the app allows: more at once, less after a while', async (t) => {
		const { bob, told, pull } = await startSimulcast(t);
		const puller = await pull(bob);
		await puller.setPreferredLayers({ spatialLayer: 0 });
		await untilTold(told, ['h']);
		const preferred = puller.setPreferredLayers({ spatialLayer: 1 });
		assert.deepEqual(told, ['h', 'hm']);
		await preferred;
		await puller.setPreferredLayers({ spatialLayer: 2 });
		await puller.setAllowedLayers({ spatialLayer: 1 });
		assert.deepEqual(told, ['h', 'hm', 'hml']);
		await untilTold(told, ['h', 'hm', 'hml', 'hm']);
	});

	it('are those of the one who wants most, until that one has gone', async (t) => {
		const { bob, carol, told, pull } = await startSimulcast(t);
		const [low, high] = [await pull(bob), await pull(carol)];
		await low.setPreferredLayers({ spatialLayer: 0 });
		await high.setPreferredLayers({ spatialLayer: 1 });
		await untilTold(told, ['hm']);
		high.close();
		await untilTold(told, ['hm', 'h']);
		low.close();
		await untilTold(told, ['hm', 'h']);
	});

	for (const by of ['client', 'app'] as const) {
		it(`leave out those who are paused by the ${by}, and are there again when they resume`, async (t) => {
			const { bob, told, pull } = await startSimulcast(t);
			const puller = await pull(bob);
			await puller.pause(by);
			await untilTold(told, ['h']);
			await puller.resume(by);
			await untilTold(told, ['h', 'hml']);
		});
	}

	it('do not fall for a moment', async (t) => {
		const { bob, told, pull } = await startSimulcast(t);
		const puller = await pull(bob);
		await puller.pause();
		await sleep(settleTime / 2);
		await puller.resume();
		await untilTold(told, []);
	});

	it('are the same whatever the link of a puller bears', async (t) => {
		const { bob, told, pull } = await startSimulcast(t);
		const puller = await pull(bob);
		puller.layerSelection!.step = 1;
		await puller.layerSelection!.apply();
		await untilTold(told, []);
		await puller.setPaused('bandwidth', true);
		await untilTold(told, []);
	});

	it('fall at once without a time to settle', async (t) => {
		const { bob, told, pull } = await startSimulcast(t, { layersSettleTime: 0 });
		const puller = await pull(bob);
		const before = told.length;
		await puller.setPreferredLayers({ spatialLayer: 0 });
		await untilTold(told, [...told.slice(0, before), 'h']);
	});

	it('have no rids if the client has none', async (t) => {
		const { pusher, told } = await startSimulcast(t, { offer: 'libwebrtc-sendonly-audio-simulcast' });
		await untilTold(told, ['0']);
		assert.deepEqual(pusher.wantedEncodings, [{ active: true }, { active: false }, { active: false }]);
	});

	it('are not there without simulcast', async (t) => {
		const { pusher, told } = await startSimulcast(t, { offer: 'chromium-sendonly-audio-video' });
		await untilTold(told, []);
		assert.equal(pusher.wantedEncodings, undefined);
	});

	it('are told no more when the pusher has closed', async (t) => {
		const { pusher, told } = await startSimulcast(t);
		pusher.close();
		await untilTold(told, []);
		assert.equal(inWords(pusher.wantedEncodings), 'hml');
	});

	it('stay when a later offer pauses a stream', async (t) => {
		const { alice, sdp, told, pusher } = await startSimulcast(t);
		await untilTold(told, ['h']);
		await alice.push(sdp.replace('send h;m;l', 'send h;~m;~l'));
		assert.equal(alice.pushers.size, 1);
		await untilTold(told, ['h']);
		assert.equal(inWords(pusher.wantedEncodings), 'h');
	});
});

describe('WantedLayers', () => {
	function start() {
		const demand = new Demand(recorder().logger);
		const told: string[] = [];
		const wanted: WantedLayers = new WantedLayers({
			demand,
			count: 3,
			settleTime,
			changed: () => told.push(wanted.active.map(Number).join('')),
		});
		return { demand, told, wanted };
	}

	it('falls to what is wanted when the time is over, and not to what was wanted at its beginning', async () => {
		const { demand, told } = start();
		const puller = {};
		demand.setLayer(puller, 0);
		await sleep(settleTime / 2);
		demand.setLayer(puller, 1);
		await untilTold(told, ['110']);
	});

	it('has no more layers than there are', async () => {
		const { demand, told } = start();
		demand.setLayer({}, 7);
		await untilTold(told, []);
	});

	it('stops when it is closed', async () => {
		const { demand, told, wanted } = start();
		wanted.close();
		wanted.close();
		demand.setLayer({}, 0);
		await untilTold(told, []);
		assert.equal(demand.listenerCount('layerChanged'), 0);
	});
});
