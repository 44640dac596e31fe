import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Client } from '../clients/Client.js';
import { isNotInstalled, startGStreamer } from '../clients/processClients.js';
import { until } from '../media/setup.js';
import { mediaAddress } from '../support/namespace.js';
import { mediaPushers } from '../support/parted.js';
import { sdp, sdpFragment, serve, startHttp } from './setup.js';

const patience = 60_000;

/** All that webrtcbin lacks for WHIP and WHEP: it lets a client exchange its offer for an answer, and sends a fragment. */
async function exchange(client: Client, endpoint: string, { id, offer }: { id: string; offer: string }) {
	const response = await fetch(endpoint, { method: 'POST', headers: { 'content-type': sdp }, body: offer });
	const answer = await response.text();
	assert.equal(response.status, 201, answer);
	await client.acceptAnswer(id, answer);
	const session = new URL(response.headers.get('location')!, endpoint);
	const [mid, ufrag, password] = ['mid', 'ice-ufrag', 'ice-pwd'].map(
		(name) => new RegExp(`^a=${name}:.*$`, 'm').exec(offer)![0],
	);
	const fragment = [ufrag, password, 'm=audio 9 UDP/TLS/RTP/SAVPF 97', mid, 'a=end-of-candidates', ''].join('\r\n');
	const headers = { 'content-type': sdpFragment, 'if-match': response.headers.get('etag')! };
	assert.equal((await fetch(session, { method: 'PATCH', headers, body: fragment })).status, 204);
	return {
		leave: async () => {
			assert.equal((await fetch(session, { method: 'DELETE' })).status, 200);
		},
	};
}

async function start(t: TestContext) {
	const { sfu, http } = await startHttp(t, {}, { webRtc: { listen: [{ ip: mediaAddress }] } });
	const client = startGStreamer();
	t.after(() => client.stop());
	return { sfu, http, client, origin: await serve(t, http.handle) };
}

describe("GStreamer's webrtcbin", { skip: isNotInstalled('GStreamer') }, () => {
	it('pushes by WHIP and plays by WHEP with a script around it, until it says DELETE', async (t) => {
		const { sfu, http, client, origin } = await start(t);
		const playing = await client.createPuller({ kinds: ['audio', 'video'] });
		const watching = await exchange(client, `${origin}/whep/stage/alice`, playing);
		const pushing = await exchange(client, `${origin}/whip/stage/alice`, await client.createPusher({ codec: 'VP8' }));
		await until(
			async () => {
				const { video, audio } = await client.received(playing.id);
				return (video[0] ?? 0) > 10 && (audio[0] ?? 0) > 10;
			},
			'it plays what it pushes',
			patience,
		);
		const codecs = mediaPushers(sfu.rooms.get('stage')!.users.get('alice')!).map(({ media }) => media.codec);
		assert.deepEqual(codecs.sort(), ['VP8', 'opus']);
		await pushing.leave();
		assert.equal(sfu.rooms.get('stage')!.users.has('alice'), false);
		await watching.leave();
		assert.equal(http.sessions, 0);
	});
});
