import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { receivingOffer, sendingOffer } from './offers.js';
import { held, serve, specsOf } from './setup.js';
import { sections } from '../support/offers.js';
import { RequestError } from '../support/protooClient.js';

/** Many m-lines, each with what is needed alone, so that it is not the length of the SDP that matters. */
function repeatMedia(sdp: string, count: number) {
	const [session = '', media = ''] = sections(sdp);
	const needed = media.match(/^(m=|a=(ice-|fingerprint|setup|rtcp-mux|sendonly|recvonly)).*\r\n/gm) ?? [];
	return session + Array.from({ length: count }, (_, mid) => [...needed, `a=mid:${mid}\r\n`].join('')).join('');
}
const drop = (pattern: RegExp) => (sdp: string) => sdp.replace(pattern, '');

type Fault = [name: string, change: (sdp: string) => string, code: number, reason: RegExp];

/** What no offer may be, whether it sends or receives. */
const faults: Fault[] = [
	['empty', () => '', 400, /SDP is empty/],
	['blank', () => '\r\n \r\n', 400, /SDP is empty/],
	['no SDP', () => 'hello', 400, /v=0/],
	['JSON', (sdp) => JSON.stringify({ type: 'offer', sdp }), 400, /v=0/],
	['of 1 MB', (sdp) => sdp + 'a=x\r\n'.repeat(200_000), 413, /\d+ characters.*allowed/],
	['too long for an SDP but not for a message', (sdp) => sdp + 'a=x\r\n'.repeat(30_000), 413, /\d+ bytes.*131072/],
	['without m-lines', (sdp) => sections(sdp)[0]!, 400, /no m-line/],
	['of 200 m-lines', (sdp) => repeatMedia(sdp, 200), 413, /200 m-lines.*100/],
	['without o= line', drop(/^o=.*\r\n/m), 400, /o= line/],
	['without fingerprint', drop(/^a=fingerprint.*\r\n/gm), 400, /a=fingerprint/],
	['with a fingerprint cut off', (sdp) => sdp.replace(/^(a=fingerprint:sha-256 ..).*/gm, '$1'), 400, /a=fingerprint/],
	['with an unknown fingerprint', (sdp) => sdp.replace(/sha-256/g, 'md5'), 400, /algorithm "md5"/],
	[
		'with a fingerprint named like an object’s own',
		(sdp) => sdp.replace(/sha-256/g, 'constructor'),
		400,
		/algorithm "constructor"/,
	],
	['without ICE username', drop(/^a=ice-ufrag.*\r\n/gm), 400, /a=ice-ufrag/],
	['without ICE password', drop(/^a=ice-pwd.*\r\n/gm), 400, /a=ice-pwd/],
	['without DTLS role', drop(/^a=setup.*\r\n/gm), 400, /a=setup/],
	['with one mid twice', (sdp) => sdp.replace(/^a=mid:.*/gm, 'a=mid:0'), 400, /mid "0"/],
];

const faultsOfPush: Fault[] = [
	[
		'with codecs that we lack',
		(sdp) => sdp.replace(/H264\/90000/g, 'H265/90000').replace(/opus\/48000\/2/g, 'speex/16000'),
		406,
		/sends nothing.*video.*H265.*audio.*speex/,
	],
	['that only receives', () => receivingOffer(), 406, /sends nothing.*recvonly/],
	['with data channels alone', toDataChannel, 406, /application/],
	['that announces one SSRC twice', (sdp) => sdp.replace(/^a=ssrc:\d+/gm, 'a=ssrc:5'), 400, /SSRC 5 .* twice/],
];

const faultsOfPull: Fault[] = [
	['with codecs that the pusher lacks', (sdp) => sdp.replace(/H264|opus/g, 'speex'), 406, /no codec in common.*H264/],
	['with data channels alone', toDataChannel, 400, /receives video on 0 /],
];

function toDataChannel(sdp: string) {
	const [session = '', media = ''] = sections(sdp);
	return session + media.replace(/^m=.*/, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel');
}

async function start(t: Parameters<typeof serve>[0]) {
	// As many messages as it takes.
	const server = await serve(t, { limits: { messageBurst: 10_000, offerBurst: 10_000 } });
	const [alice, bob] = [await server.join('alice'), await server.join('bob')];
	const specs = specsOf(await alice.push(sendingOffer()));
	await alice.told();
	await bob.told();
	return {
		server,
		alice,
		bob,
		push: (sdp: string) => alice.push(sdp),
		pull: (sdp: string) => bob.pull(sdp, 'alice', specs),
	};
}

const cases = {
	push: [sendingOffer, [...faults, ...faultsOfPush]],
	pull: [receivingOffer, [...faults, ...faultsOfPull]],
} as const;

for (const method of ['push', 'pull'] as const) {
	const [offer, refused] = cases[method];

	describe(`${method} refuses an offer`, () => {
		for (const [name, change, code, reason] of refused) {
			it(`${name}, with ${code}`, async (t) => {
				const { server, alice, bob, [method]: send } = await start(t);
				const before = await held(server.sfu);
				await assert.rejects(send(change(offer())), { errorCode: code, errorReason: reason });
				assert.deepEqual([...(await alice.told()), ...(await bob.told())], [], 'nobody is told anything');
				assert.deepEqual(await held(server.sfu), before, 'nothing is left in the worker');
				assert.deepEqual(server.errors, [], 'it is no fault of ours');
				await send(offer());
			});
		}
	});

	it(`${method} takes an offer cut off after any line, or refuses it with a reason`, async (t) => {
		const { server, alice, bob, [method]: send } = await start(t);
		const room = await server.sfu.getOrCreateRoom('room');
		const before = await held(server.sfu);
		const sdp = offer();
		const lines = sdp.split(/(?<=\n)/);
		let taken = 0;
		for (const cut of lines.keys()) {
			try {
				await send(lines.slice(0, cut).join(''));
				taken++;
				// Make room for the next offer of the same connection.
				const connections = [...room.users.values()].flatMap((user) => user.connections);
				connections.at(method === 'push' ? 1 : -1)!.close();
				await alice.told();
				await bob.told();
			} catch (error) {
				assert.ok(error instanceof RequestError, String(error));
				assert.ok([400, 406].includes(error.errorCode!), `after ${cut} lines: ${error.message}`);
				assert.doesNotMatch(error.errorReason!, /undefined|NaN|\[object/, `after ${cut} lines`);
				assert.deepEqual([...(await alice.told()), ...(await bob.told())], []);
			}
			assert.deepEqual(await held(server.sfu), before, `after ${cut} lines`);
		}
		assert.ok(taken > 0 && taken < lines.length, `${taken} of ${lines.length} were taken`);
		assert.deepEqual(server.errors, []);
		await send(sdp);
	});
}

it('An offer that is made twice adds nothing', async (t) => {
	const { server, alice, bob, push, pull } = await start(t);
	const [sending, receiving] = [sendingOffer(), receivingOffer()];
	const pushed = await push(sending);
	const pulled = await pull(receiving);
	await bob.next('newPusher');
	const before = await held(server.sfu);
	assert.equal((await push(sending)).connectionId, pushed.connectionId);
	assert.equal((await pull(receiving)).connectionId, pulled.connectionId);
	assert.deepEqual([...(await alice.told()), ...(await bob.told())], []);
	assert.deepEqual(await held(server.sfu), before);
});

it('More pushers than a user may have are refused with 429', async (t) => {
	const server = await serve(t, {}, { limits: { pushersPerUser: 3 } });
	const [alice, bob] = [await server.join('alice'), await server.join('bob')];
	await alice.push(sendingOffer());
	await bob.next('newPusher');
	const before = await held(server.sfu);
	await assert.rejects(alice.push(sendingOffer()), { errorCode: 429, errorReason: /more than 3 pushers/ });
	assert.deepEqual(await bob.told(), []);
	assert.deepEqual(await held(server.sfu), before);
});
