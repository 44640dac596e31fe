import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { anOffer } from '../support/offers.js';
import { receivingOffer } from './offers.js';
import { serve, specsOf, until } from './setup.js';

/** Alice pushes simulcast. */
async function start(t: TestContext) {
	const server = await serve(t, {}, { webRtc: { layersSettleTime: 100 } });
	const alice = await server.join('alice');
	const bob = await server.join('bob');
	const offer = anOffer('chromium-sendonly-video-simulcast');
	const pushed = await alice.push(offer);
	const [{ pusherId } = { pusherId: '' }] = pushed.pushers;
	const wanted = (...active: boolean[]) => ['h', 'm', 'l'].map((rid, index) => ({ rid, active: active[index] }));
	return { ...server, alice, bob, offer, pushed, pusherId, wanted };
}

const as = (userId: string) => ({ roomId: 'room', userId });

describe('layersWanted', () => {
	it('tells the client of a pusher, and nobody else, what others want of it', async (t) => {
		const { alice, bob, pushed, pusherId, wanted } = await start(t);
		assert.deepEqual(Object.keys(pushed.pushers[0]!), ['pusherId', 'mid', 'kind']);
		assert.deepEqual(await alice.next('layersWanted'), { pusherId, encodings: wanted(true, false, false) });
		const pulled = await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
		assert.deepEqual(await alice.next('layersWanted'), { pusherId, encodings: wanted(true, true, true) });
		const [{ pullerId } = { pullerId: '' }] = pulled.pullers;
		await bob.request('setPreferredLayers', { ...as('bob'), pullerId, spatialLayer: 1 });
		assert.deepEqual(await alice.next('layersWanted'), { pusherId, encodings: wanted(true, true, false) });
		await bob.request('pausePuller', { ...as('bob'), pullerId });
		assert.deepEqual(await alice.next('layersWanted'), { pusherId, encodings: wanted(true, false, false) });
		assert.ok((await bob.told()).every(({ method }) => method !== 'layersWanted'));
	});

	it('is in the responses to a resumed join and to another push, unless all layers are wanted', async (t) => {
		const { alice, bob, offer, connect, pushed, wanted, sfu } = await start(t);
		await alice.next('layersWanted');
		const again = await alice.push(offer);
		assert.deepEqual(again.pushers, [{ ...pushed.pushers[0], encodings: wanted(true, false, false) }]);

		const resume = async (resumeToken = '') => {
			const joined = await connect().request('join', { ...as('alice'), userName: 'alice', resumeToken });
			assert.equal(joined.resumed, true);
			return joined;
		};
		const first = await resume(alice.token);
		assert.deepEqual(first.connections?.[0]?.pushers, again.pushers);
		await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
		const pusher = [...sfu.rooms.get('room')!.users.get('alice')!.pushers.values()][0]!;
		await until(
			() => pusher.kind !== 'data' && (pusher.wantedEncodings ?? []).every(({ active }) => active),
			'all layers are wanted',
		);
		const second = await resume(first.resumeToken);
		assert.deepEqual(second.connections?.[0]?.pushers, pushed.pushers);
	});
});
