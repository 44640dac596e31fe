import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertAnswers, editMedia, replaceLine, sections, withoutLine } from '../support/offers.js';
import { pullAll, specsOf, startRoom } from './setup.js';

/** Offers of clients in the field, in the forms that have failed. */
const field = (name: string) => readFileSync(new URL(`../fixtures/field/${name}.sdp`, import.meta.url), 'utf8');

const startAlice = async (t: Parameters<typeof startRoom>[0]) => (await startRoom(t)).join('alice');

const kindsOf = (pushers: readonly { kind: string }[]) => pushers.map(({ kind }) => kind);

describe('Simulcast layers that a client has paused', () => {
	it('stay paused in the answer, and are resumed when the offer resumes them', async (t) => {
		const alice = await startAlice(t);
		const paused = field('sim-paused');
		const { answer } = await alice.push(paused);
		assert.match(answer, /^a=simulcast:recv l;~m;~h\r$/m);
		const resumed = await alice.push(paused.replace('send l;~m;~h', 'send l;m;~h'));
		assert.match(resumed.answer, /^a=simulcast:recv l;m;~h\r$/m);
		assert.equal(resumed.pushers.length, 1);
	});
});

describe('The attributes of the transport', () => {
	it('are those of the BUNDLE tag, and no bundle-only m-line needs them', async (t) => {
		const { answer, pushers, rejected } = await (await startAlice(t)).push(field('whip-rfc-form'));
		assert.deepEqual(kindsOf(pushers), ['audio', 'video']);
		assert.deepEqual(rejected, []);
		assertAnswers(field('whip-rfc-form'), answer);
	});

	it('are not asked of any other bundled m-line, in a later offer neither', async (t) => {
		const alice = await startAlice(t);
		const offer = field('bundled-video-no-mux-port9');
		assert.deepEqual(kindsOf((await alice.push(offer)).pushers), ['audio', 'video']);
		const bare = editMedia(offer, 1, (media) =>
			['a=ice-ufrag', 'a=ice-pwd', 'a=fingerprint', 'a=setup'].reduce(withoutLine, media),
		);
		assert.deepEqual(kindsOf((await alice.push(bare)).pushers), ['audio', 'video']);
	});

	it('are those of the tag when it is not the first m-line', async (t) => {
		const offer = replaceLine(field('bundled-video-no-mux-port9'), 'a=group:BUNDLE', 'a=group:BUNDLE 1 0');
		const [session, audio, video] = sections(offer);
		const swapped = [session, withoutLine(audio!, 'a=rtcp-mux'), `${video!}a=rtcp-mux\r\n`].join('');
		const { answer, pushers, connection } = await (await startAlice(t)).push(swapped);
		assert.deepEqual(kindsOf(pushers), ['audio', 'video']);
		assert.match(answer, /^a=group:BUNDLE 1 0\r$/m);
		assert.equal(connection.closed, false);
	});
});

describe('An answer', () => {
	it('has no BUNDLE group that was not offered', async (t) => {
		const offer = field('no-bundle-group-one-mline');
		const { answer, pushers } = await (await startAlice(t)).push(offer);
		assert.deepEqual(kindsOf(pushers), ['audio']);
		assert.doesNotMatch(answer, /^a=group/m);
	});

	it('has the direction of a header extension that flows one way', async (t) => {
		const offer = field('whip-rfc-form').replaceAll('a=extmap:4 ', 'a=extmap:4/sendonly ');
		const { answer } = await (await startAlice(t)).push(offer);
		assert.match(answer, /^a=extmap:4\/recvonly urn:ietf:params:rtp-hdrext:sdes:mid\r$/m);
	});

	it('has the header extensions that the offer has for the whole session', async (t) => {
		const written = field('sim-paused');
		const extensions = written.match(/^a=extmap:.*\r\n/gm)!.join('');
		const offer = withoutLine(written, 'a=extmap').replace('m=video', `${extensions}m=video`);
		const { answer, pushers } = await (await startAlice(t)).push(offer);
		assert.match(answer, /^a=simulcast:recv l;~m;~h\r$/m);
		assert.equal(pushers[0]!.kind === 'video' && pushers[0]!.media.encodings.length, 3);
	});
});

describe('What cannot be used is left out, and does not refuse the rest', () => {
	it('RTX of audio', async (t) => {
		const { answer, pushers, rejected } = await (await startAlice(t)).push(field('audio-rtx-with-video'));
		assert.deepEqual(kindsOf(pushers), ['audio', 'video']);
		assert.deepEqual(rejected, []);
		assert.doesNotMatch(sections(answer)[1]!, /rtx/);
	});

	for (const parameter of ['apt=foo', 'apt=1.5', 'minptime=99999999999', 'x', '=', 'a==b;;;', 'apt=96']) {
		it(`a=fmtp:111 ${parameter}`, async (t) => {
			const offer = replaceLine(field('same-msid-alice'), 'a=fmtp:111', `a=fmtp:111 ${parameter}`);
			assert.deepEqual(kindsOf((await (await startAlice(t)).push(offer)).pushers), ['audio', 'video']);
		});
	}

	it('an m-line whose packets could not be recognized, with the reason', async (t) => {
		const alice = await startAlice(t);
		const offer = field('no-mid-ext-no-ssrc');
		await assert.rejects(alice.push(offer), { code: 'unsupported', message: /could not be recognized/ });
		const { pushers, rejected } = await alice.push(editMedia(offer, 0, (media) => `${media}a=ssrc:7 cname:a\r\n`));
		assert.deepEqual(kindsOf(pushers), ['audio']);
		assert.deepEqual(
			rejected.map(({ mid, reason }) => [mid, reason.includes('could not be recognized')]),
			[['1', true]],
		);
	});

	it('the second video of the old form "Plan B", with the reason', async (t) => {
		const offer = `${field('rtx-ssrc-first')}a=ssrc:44 cname:abcd\r\na=ssrc:44 msid:stream second\r\n`;
		const { pushers, rejected } = await (await startAlice(t)).push(offer);
		assert.equal(pushers.length, 1);
		assert.match(rejected[0]!.reason, /2 tracks \("Plan B"\)/);
	});

	it('H264 in a profile that is not allowed, with the profile and the packetization mode', async (t) => {
		for (const [profile, mode] of [
			['640028', '1'],
			['42e01f', '0'],
		]) {
			const offer = replaceLine(
				field('h264-ffmpeg-with-audio'),
				'a=fmtp:106',
				`a=fmtp:106 packetization-mode=${mode};profile-level-id=${profile}`,
			);
			const { pushers, rejected } = await (await startAlice(t)).push(offer);
			assert.deepEqual(kindsOf(pushers), ['audio']);
			assert.equal(rejected[0]!.mid, '1');
			assert.match(rejected[0]!.reason, new RegExp(`packetization-mode=${mode}, profile-level-id=${profile}`));
			assert.match(rejected[0]!.reason, /packetization-mode=1, profile-level-id=42e01f/);
		}
	});
});

describe('H264 of Baseline', () => {
	it('is taken as Constrained Baseline, and answered as it was offered', async (t) => {
		const { answer, pushers } = await (await startAlice(t)).push(field('h264-ffmpeg-with-audio'));
		assert.deepEqual(kindsOf(pushers), ['audio', 'video']);
		assert.match(answer, /^a=fmtp:106 .*profile-level-id=42000d/m);
	});
});

describe('The sources of an m-line', () => {
	it('are those of the media, wherever RTX is listed', async (t) => {
		const { pushers } = await (await startAlice(t)).push(field('rtx-ssrc-first'));
		const [pusher] = pushers;
		assert.ok(pusher?.kind === 'video');
		assert.deepEqual([pusher.media.ssrc, pusher.media.rtxSsrc], [22, 33]);
	});

	it('are not those of FEC', async (t) => {
		const offer = replaceLine(field('rtx-ssrc-first'), 'a=ssrc-group', 'a=ssrc-group:FEC-FR 22 33');
		const { pushers } = await (await startAlice(t)).push(offer);
		assert.equal(pushers[0]?.kind === 'video' && pushers[0].media.ssrc, 22);
	});
});

describe('The rids of simulcast', () => {
	const rids = async (t: Parameters<typeof startRoom>[0], edit: (offer: string) => string) => {
		const { pushers } = await (await startAlice(t)).push(edit(field('sim-paused')));
		const [pusher] = pushers;
		return pusher?.kind === 'video' ? pusher.media.encodings.map(({ rid }) => rid) : [];
	};

	it('may have a minus and an underscore', async (t) => {
		const renamed = (offer: string) => offer.replace('rid:m', 'rid:m-2_x').replace('~m', '~m-2_x');
		assert.deepEqual(await rids(t, renamed), ['l', 'm-2_x', 'h']);
	});

	it('may follow a blank', async (t) => {
		assert.deepEqual(await rids(t, (offer) => offer.replace('a=simulcast:', 'a=simulcast: ')), ['l', 'm', 'h']);
	});

	it('may come after those that the client receives', async (t) => {
		assert.deepEqual(await rids(t, (offer) => offer.replace('a=simulcast:', 'a=simulcast:recv x ')), ['l', 'm', 'h']);
	});
});

describe('An offer is refused with the true reason', () => {
	const reasons: [string, string, RegExp][] = [
		['without rtcp-mux', field('no-rtcp-mux-at-all'), /it has no a=rtcp-mux/],
		[
			'without encryption',
			field('no-bundle-group-one-mline').replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP'),
			/the protocol RTP\/AVP cannot be taken/,
		],
		['by an ICE-lite agent', field('sim-paused').replace('t=0 0', 't=0 0\r\na=ice-lite'), /ICE-lite/],
	];
	for (const [name, offer, reason] of reasons) {
		it(name, async (t) => {
			await assert.rejects((await startAlice(t)).push(offer), { code: 'unsupported', message: reason });
		});
	}

	it('with data channels of the drafts', async (t) => {
		const data = [
			'm=application 9 DTLS/SCTP 5000',
			'c=IN IP4 0.0.0.0',
			'a=mid:2',
			'a=sctpmap:5000 webrtc-datachannel 1024',
			'',
		];
		const offer = replaceLine(field('same-msid-alice'), 'a=group', 'a=group:BUNDLE 0 1 2') + data.join('\r\n');
		const { pushers } = await (await startAlice(t)).push(offer);
		assert.deepEqual(kindsOf(pushers), ['audio', 'video']);
		const announced = (await startAlice(t)).push(offer, { data: [{ id: 1 }] });
		await assert.rejects(announced, { code: 'invalid_argument' });
	});
});

describe('Of several fingerprints', () => {
	it('one that can be checked counts, whatever comes after it', async (t) => {
		const { pushers } = await (await startAlice(t)).push(field('fingerprints-last-unknown'));
		assert.deepEqual(kindsOf(pushers), ['audio']);
	});

	it('one of SHA-1 or SHA-224 does not', async (t) => {
		for (const [algorithm, bytes] of [
			['sha-1', 20],
			['sha-224', 28],
		] as const) {
			const weak = `a=fingerprint:${algorithm} ${Array(bytes).fill('AB').join(':')}`;
			const offer = replaceLine(field('no-bundle-group-one-mline'), 'a=fingerprint', weak);
			await assert.rejects((await startAlice(t)).push(offer), {
				code: 'invalid_argument',
				message: new RegExp(`"${algorithm}" is not supported`),
			});
		}
	});
});

describe('The MediaStreams of several users', () => {
	const streamsOf = (answer: string) => [...answer.matchAll(/^a=msid:(\S+) /gm)].map(([, id]) => id);

	it('are different ones for those who pull them, though their clients use the same id', async (t) => {
		const { join } = await startRoom(t);
		const [alice, bob, carol] = [await join('alice'), await join('bob'), await join('carol')];
		await alice.push(field('same-msid-alice'));
		await bob.push(field('same-msid-bob'));
		const answers = [await carol.pull(pullAll(alice)), await carol.pull(pullAll(bob))].map(({ answer }) => answer);
		const [ofAlice, ofBob] = answers.map((answer) => new Set(streamsOf(answer)));
		assert.deepEqual([ofAlice!.size, ofBob!.size], [1, 1], 'the tracks of one user are one MediaStream');
		assert.notDeepEqual(ofAlice, ofBob);
		const offered = await (await join('dan')).pull({ targetUserId: 'bob', specs: specsOf(bob) });
		assert.deepEqual(new Set(streamsOf(offered.sdp)), ofBob);
	});

	it('have ids of any characters, and none is cut', async (t) => {
		const { join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		await alice.push(field('msid-pipe'));
		const { answer } = await bob.pull(pullAll(alice));
		assert.deepEqual(streamsOf(answer).sort(), ['PA_1|camera', 'PA_1|mic']);
	});

	it('have ids that SDP may have, however the client writes them', async (t) => {
		const { join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		await alice.push(field('msid-pipe').replace('PA_1|mic', 'x'.repeat(2000)).replace('PA_1|camera', 'ä"\u202e'));
		const streams = streamsOf((await bob.pull(pullAll(alice))).answer);
		assert.equal(new Set(streams).size, 2);
		for (const id of streams) assert.match(id!, /^[\w-]{1,64}$/);
	});
});

describe('An offer belongs to the RTCPeerConnection', () => {
	it('of its process: FFmpeg, started again with its certificate, is another one', async (t) => {
		const alice = await startAlice(t);
		const first = await alice.push(field('ffmpeg-restart-1'));
		const second = await alice.push(field('ffmpeg-restart-2'));
		assert.notEqual(second.connection, first.connection);
		assert.deepEqual([first.connection.closed, second.pushers.length], [false, 1]);
	});

	it('that restarts ICE with another session id, as werift does', async (t) => {
		const alice = await startAlice(t);
		const first = await alice.push(field('werift-icerestart-1'));
		const second = await alice.push(field('werift-icerestart-2'));
		assert.equal(second.connection, first.connection);
		assert.deepEqual(second.pushers, first.pushers);
	});

	const restarted = (offer: string) =>
		replaceLine(offer, 'o=', `o=${/^o=(\S+ \d+)/m.exec(offer)![1]} 3 IN IP4 127.0.0.1`).replace(
			/^a=ice-ufrag:.*$/gm,
			'a=ice-ufrag:other',
		);

	it('that the client names', async (t) => {
		const alice = await startAlice(t);
		const offer = field('ffmpeg-restart-1');
		const { connection } = await alice.push(offer);
		const { connectionId } = connection;
		// Neither the session nor the sources are those of the first offer.
		const other = field('ffmpeg-restart-2').replace(/^o=.*$/m, 'o=- 5 5 IN IP4 127.0.0.1');
		assert.equal((await alice.push(other, { connectionId })).connection, connection);
		await assert.rejects(alice.push(offer, { connectionId: 'none' }), { code: 'not_found' });
		await assert.rejects(alice.push(field('msid-pipe'), { connectionId }), { code: 'conflict' });
		connection.close();
		await assert.rejects(alice.push(offer, { connectionId }), { code: 'conflict' });
	});

	it('whose connection has been closed, and which needs a new one then', async (t) => {
		const alice = await startAlice(t);
		for (const name of ['same-msid-alice', 'werift-icerestart-1', 'sim-paused']) {
			const offer = field(name);
			const { connection } = await alice.push(offer);
			connection.close();
			await assert.rejects(alice.push(restarted(offer)), { code: 'conflict', message: /new RTCPeerConnection/ });
		}
		assert.equal(alice.connections.length, 0);
	});
});

describe('What others are told of a client', () => {
	it('is short: a codec with endless parameters is left out', async (t) => {
		const endless = Array.from({ length: 2000 }, (_, index) => `p${index}=1`).join(';');
		const offer = replaceLine(field('same-msid-alice'), 'a=fmtp:111', `a=fmtp:111 ${endless}`);
		const { pushers, rejected } = await (await startAlice(t)).push(offer);
		assert.deepEqual(kindsOf(pushers), ['video']);
		assert.deepEqual(
			rejected.map(({ mid }) => mid),
			['0'],
		);
	});
});
