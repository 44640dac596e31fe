import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { JoinSuccess, PusherData, RtpParam } from 'sfu-rooms/protoo';
import { receivingOffer, reversed, sendingOffer, without } from './offers.js';
import { serve, specsOf } from './setup.js';
import { anOffer, sections } from '../support/offers.js';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** The messages of seed/join-push-pull.md, as they are written there. */
const golden = (name: string) =>
	JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as Json;

const isObject = (value: Json | undefined): value is Record<string, Json> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** Asserts that a message has the keys and the types of the golden one, at every depth. */
function assertShape(actual: Json | undefined, expected: Json, extra: Record<string, string[]> = {}, path = 'message') {
	if (Array.isArray(expected)) {
		assert.ok(Array.isArray(actual), `${path} is no array`);
		// A pusher is compared with one of its own kind: audio and video have different keys.
		for (const [index, item] of actual.entries()) {
			const like = expected.find((candidate) => kindOf(candidate) === kindOf(item));
			if (like !== undefined) assertShape(item, like, extra, `${path}.${index}`);
			else assert.deepEqual(expected, [], `${path}.${index} is like nothing in the seed`);
		}
	} else if (isObject(expected)) {
		assert.ok(isObject(actual), `${path} is no object`);
		assert.deepEqual(Object.keys(actual).sort(), [...Object.keys(expected), ...(extra[path] ?? [])].sort(), path);
		for (const [key, value] of Object.entries(expected)) assertShape(actual[key], value, extra, `${path}.${key}`);
	} else {
		assert.equal(typeof actual, typeof expected, path);
	}
}

function kindOf(item: Json): Json | undefined {
	return isObject(item) && isObject(item.rtpParam) ? item.rtpParam.av_type : undefined;
}

const last = ({ received }: { received: unknown[] }) => received.at(-1) as Json;

/** What the offer says about each m-line, read the plain way. */
function offered(sdp: string, kind: 'audio' | 'video') {
	const section = sections(sdp).find((candidate) => candidate.startsWith(`m=${kind}`)) ?? '';
	const first = (pattern: RegExp) => pattern.exec(section)?.[1];
	const payloadType = first(/^m=\w+ \d+ \S+ (\d+)/) ?? '';
	const [ssrc = '0', rtxSsrc = '0'] = (first(/^a=ssrc-group:FID (.+)\r$/m) ?? first(/^a=ssrc:(\d+)/m) ?? '').split(' ');
	return {
		payload_type: Number(payloadType),
		fmtp_param: first(new RegExp(`^a=fmtp:${payloadType} (.*)\r$`, 'm')) ?? '',
		rtcp_features: [...section.matchAll(new RegExp(`^a=rtcp-fb:${payloadType} (.*)\r$`, 'gm'))].map(
			([, feature]) => feature,
		),
		ssrc: Number(ssrc),
		rtx_ssrc: Number(rtxSsrc),
		rtx_payload_type: Number(first(new RegExp(`^a=fmtp:(\\d+) apt=${payloadType}\r$`, 'm')) ?? 0),
		mid_ext_id: Number(first(/^a=extmap:(\d+) urn:ietf:params:rtp-hdrext:sdes:mid\r$/m)),
		tcc_ext_id: Number(first(/^a=extmap:(\d+) http:\/\/www.ietf.org\/id\/draft-holmer-rmcat-transport-wide-cc-/m)),
	};
}

const paramOf = (pushers: PusherData[], kind: 'audio' | 'video'): RtpParam | undefined =>
	pushers.find(({ rtpParam }) => rtpParam.av_type === kind)?.rtpParam;

describe('Messages have the shape of the seed', () => {
	it('join answers with the others and what they push', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		await alice.push(sendingOffer());
		const bob = await server.join('bob');
		assertShape(last(bob), golden('joinResponse'), { 'message.data': ['resumed', 'resumeToken'] });
		const { users } = (bob.received[0] as { data: { users: { userId: string; pushers: unknown[] }[] } }).data;
		assert.deepEqual(
			users.map(({ userId, pushers }) => [userId, pushers.length]),
			[['alice', 2]],
		);
	});

	it('join leaves the caller out', async (t) => {
		const server = await serve(t);
		const { resumeToken, ...success } = await server.connect().join('room', 'alice');
		assert.deepEqual(success, { code: 0, message: 'join success', users: [], resumed: false });
		assert.equal(typeof resumeToken, 'string');
	});

	it('the seed’s own join request is understood', async (t) => {
		const client = (await serve(t)).connect();
		client.send(JSON.stringify(golden('joinRequest')));
		const { data, ...response } = await client.response(6385452);
		assert.deepEqual(response, { response: true, id: 6385452, ok: true });
		const { resumeToken: _, ...success } = data as JoinSuccess;
		assert.deepEqual(success, { code: 0, message: 'join success', users: [], resumed: false });
	});

	it('push answers with the SDP as a string', async (t) => {
		const alice = await (await serve(t)).join('alice');
		const { code, message, sdp } = await alice.push(sendingOffer());
		assertShape(last(alice), golden('pushResponse'), { 'message.data': ['connectionId', 'pushers'] });
		assert.deepEqual({ code, message }, { code: 0, message: 'push success' });
		assert.match(sdp, /^v=0\r\n/);
	});

	it('pull answers with the SDP as a string, and reads pusher_id', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const { code, message, sdp } = await bob.pull(receivingOffer(), 'alice', specsOf(await alice.push(sendingOffer())));
		assertShape(last(bob), golden('pullResponse'), { 'message.data': ['connectionId', 'pullers'] });
		assert.deepEqual({ code, message }, { code: 0, message: 'pull success' });
		assert.match(sdp, /^v=0\r\n/);
	});

	it('newUser is an array of one user without pushers', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		await server.join('bob');
		assert.deepEqual(await alice.next('newUser'), [{ userId: 'bob', userName: 'User_bob', pushers: [] }]);
		assertShape(last(alice), golden('newUser'));
	});

	it('newPusher is an object with the room, the user and the new pushers alone', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.push(sendingOffer());
		await bob.next('newPusher');
		assertShape(last(bob), golden('newPusher'));
		const { pushers } = await alice.push(without('audio', sendingOffer()));
		const { pushers: announced, ...from } = await bob.next('newPusher');
		assertShape(last(bob), golden('newPusher'));
		assert.deepEqual(from, { roomId: 'room', userId: 'alice', userName: 'User_alice' });
		assert.deepEqual(
			announced.map(({ pusherId }) => pusherId),
			pushers.map(({ pusherId }) => pusherId),
		);
	});

	it('userLeft is an array of user ids', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		bob.close();
		assert.deepEqual(await alice.next('userLeft'), ['bob']);
		assertShape(last(alice), golden('userLeft'));
	});
});

describe('rtpParam', () => {
	for (const codec of ['H264', 'VP8'] as const) {
		it(`tells what was negotiated with a pusher of ${codec} and Opus, in its own numbers`, async (t) => {
			const server = await serve(t);
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			const offer = sendingOffer(codec);
			const { sdp } = await alice.push(offer);
			const { pushers } = await bob.next('newPusher');

			assert.deepEqual(paramOf(pushers, 'video'), {
				av_type: 'video',
				codec,
				clock_rate: 90000,
				key_request: true,
				use_nack: true,
				...offered(offer, 'video'),
			});
			assert.deepEqual(paramOf(pushers, 'audio'), {
				av_type: 'audio',
				codec: 'opus',
				clock_rate: 48000,
				channel: 2,
				use_nack: false,
				...offered(offer, 'audio'),
			});
			for (const kind of ['video', 'audio'] as const) {
				// What the answer hints at beyond that was not negotiated.
				const answer = sdp.replace(/[ ;]x-google-start-bitrate=\d+\r$/gm, '\r');
				const { fmtp_param, rtcp_features, payload_type, mid_ext_id, tcc_ext_id } = offered(answer, kind);
				const answered = { fmtp_param, rtcp_features, payload_type, mid_ext_id, tcc_ext_id };
				const { ...param } = paramOf(pushers, kind);
				assert.deepEqual({ ...param, ...answered }, param, `the answer has the same for ${kind}`);
			}
		});
	}

	it('has the rids of simulcast instead of an SSRC, and the first SSRC of simulcast without rids', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.push(anOffer('chromium-sendonly-video-simulcast'));
		const byRids = paramOf((await bob.next('newPusher')).pushers, 'video');
		assert.deepEqual([byRids?.ssrc, byRids?.rtx_ssrc], [0, 0]);
		assert.deepEqual(byRids?.encodings, [{ rid: 'h' }, { rid: 'm' }, { rid: 'l' }]);
		const offer = anOffer('libwebrtc-sendonly-audio-simulcast');
		await alice.push(offer);
		const bySsrcs = paramOf((await bob.next('newPusher')).pushers, 'video');
		const [, ssrc, rtx] = /^a=ssrc-group:FID (\d+) (\d+)\r$/m.exec(offer) ?? [];
		assert.deepEqual([bySsrcs?.ssrc, bySsrcs?.rtx_ssrc], [Number(ssrc), Number(rtx)]);
		assert.equal(bySsrcs?.encodings, undefined);
	});

	it('has zeros, an empty string and false where there is nothing', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const bare = sendingOffer('VP8').replace(
			/^a=(ssrc|ssrc-group|extmap:(?!\d+ urn:ietf:params:rtp-hdrext:sdes:mid)|rtcp-fb|fmtp|rtpmap:97).*\r\n/gm,
			'',
		);
		await alice.push(bare);
		const { pushers } = await bob.next('newPusher');
		const nothing = {
			fmtp_param: '',
			rtcp_features: [],
			ssrc: 0,
			rtx_ssrc: 0,
			rtx_payload_type: 0,
			use_nack: false,
			tcc_ext_id: 0,
		};
		for (const [kind, more] of [
			['video', { ...nothing, key_request: false }],
			['audio', nothing],
		] as const) {
			const { ...param } = paramOf(pushers, kind);
			assert.deepEqual({ ...param, ...more }, param);
		}
	});
});

describe('Video comes before audio', () => {
	for (const [name, order] of [
		['video first', (sdp: string) => sdp],
		['audio first', reversed],
	] as const) {
		it(`in newPusher and in the answer to join, for an offer with ${name}`, async (t) => {
			const server = await serve(t);
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			await alice.push(order(sendingOffer()));
			await alice.push(order(sendingOffer('VP8')));
			const kinds = (pushers: PusherData[]) => pushers.map(({ rtpParam }) => rtpParam.av_type);
			assert.deepEqual(kinds((await bob.next('newPusher')).pushers), ['video', 'audio']);
			const { users } = await server.connect().join('room', 'carol');
			const all = users.find(({ userId }) => userId === 'alice')?.pushers ?? [];
			assert.deepEqual(kinds(all), ['video', 'video', 'audio', 'audio']);
		});
	}
});

describe('push and pull add', () => {
	it('the pushers, in the order of the m-lines, with mid and kind', async (t) => {
		const alice = await (await serve(t)).join('alice');
		const { connectionId, pushers } = await alice.push(reversed(sendingOffer()));
		assert.match(connectionId, /./);
		assert.deepEqual(
			pushers.map(({ mid, kind }) => [mid, kind]),
			[
				['0', 'audio'],
				['1', 'video'],
			],
		);
	});

	it('to what the others are told, what the user says of each of its pushers', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.request('push', {
			roomId: 'room',
			userId: 'alice',
			sdp: { type: 'offer', sdp: sendingOffer() },
			media: [
				{ mid: '1', source: 'camera', metadata: { label: 'Front' }, another: 'field' },
				{ mid: '0', source: null, metadata: null },
			],
		});
		const { pushers } = await bob.next('newPusher');
		const said = ({ source, metadata, ...others }: PusherData) => [source, metadata, Object.keys(others)];
		const expected = [
			['camera', { label: 'Front' }, ['pusherId', 'rtpParam']],
			[undefined, undefined, ['pusherId', 'rtpParam']],
		];
		assert.deepEqual(pushers.map(said), expected);
		assert.deepEqual(Object.keys(pushers[1]!), ['pusherId', 'rtpParam']);
		const { users } = await server.connect().join('room', 'carol');
		assert.deepEqual(users[0]?.pushers.map(said), expected);
	});

	it('the pullers, with pusherId, userId and the mid that carries each', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const pushed = await alice.push(sendingOffer());
		const { pullers, connectionId } = await bob.pull(receivingOffer(), 'alice', specsOf(pushed).reverse());
		assert.notEqual(connectionId, pushed.connectionId);
		assert.deepEqual(
			pullers.map(({ pusherId, userId, mid }) => [pusherId, userId, mid]).sort(),
			pushed.pushers.map(({ pusherId, kind }) => [pusherId, 'alice', kind === 'video' ? '0' : '1']).sort(),
		);
	});
});
