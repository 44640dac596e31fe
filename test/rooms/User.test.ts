import assert from 'node:assert/strict';
import sdpTransform from 'sdp-transform';
import { describe, it } from 'node:test';
import type { PullOptions, PusherMedia } from 'sfu-rooms';
import {
	anOffer,
	assertAnswers,
	editMedia,
	loadOffer,
	offerNames,
	repeatMedia,
	replaceLine,
	sections,
	withoutLine,
} from '../support/offers.js';
import {
	held,
	interruptEach,
	outcome,
	pullAll,
	rejects,
	specsOf,
	startCall,
	startRoom,
	startSfu,
	story,
	turns,
	untilHeld,
} from './setup.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';

const extensionUris = {
	mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
	transportCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
};

const sendingOffers = offerNames.filter((name) => name.includes('send'));
const receivingOffers = offerNames.filter((name) => /receive|recvonly/.test(name));

type Media = ReturnType<typeof sdpTransform.parse>['media'][number];

/** What one of these m-lines, which begins with a codec that we take, says of itself, but for its feedback. */
function described(media: Media, all: readonly Media[]): Omit<PusherMedia, 'rtcpFeedback'> {
	const payloadType = Number(String(media.payloads).split(' ')[0]);
	const { codec, rate, encoding: channels } = media.rtp.find(({ payload }) => payload === payloadType)!;
	const rtx = media.fmtp.find(({ config }) => config === `apt=${payloadType}`)?.payload;
	const ssrc = media.ssrcs?.[0]?.id;
	const sent = media.simulcast?.dir1 === 'send' ? media.simulcast.list1.split(';') : [];
	const group = media.ssrcGroups
		?.find(({ semantics }) => semantics === 'SIM')
		?.ssrcs.split(' ')
		.map(Number);
	const rtxSsrc = (repaired: number | undefined) =>
		media.ssrcGroups
			?.find(({ semantics, ssrcs }) => semantics === 'FID' && ssrcs.startsWith(`${repaired} `))
			?.ssrcs.split(' ')
			.map(Number)[1];
	const announced = (group ?? (ssrc === undefined ? [undefined] : [ssrc])).map((each) => ({
		...(each !== undefined && { ssrc: each }),
		...(rtxSsrc(each) !== undefined && { rtxSsrc: rtxSsrc(each)! }),
	}));
	const streams = sent.length > 0 ? sent.map((rid) => ({ rid })) : announced;
	const encodings = streams.map((stream) => ({ ...stream, ...(streams.length > 1 && { scalabilityMode: 'L1T3' }) }));
	const absSendTime = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
	// aiortc has another header extension under this id on another m-line, and an id has one meaning on a transport.
	const isTaken = (id: number | undefined) =>
		all.some(({ ext }) => ext?.some(({ value, uri }) => value === id && uri !== absSendTime));
	const idOf = ({ ext }: Media, wanted: string) => ext?.find(({ uri }) => uri === wanted)?.value;
	// A transport knows an extension by one id; werift gives audio and video different ones, and the first counts.
	const extensionId = (wanted: string) => {
		const taken = all.map((each) => idOf(each, wanted)).find((id) => id !== undefined);
		return idOf(media, wanted) === taken ? taken : undefined;
	};
	return {
		kind: media.type as 'audio' | 'video',
		codec: codec === 'OPUS' ? 'opus' : codec,
		clockRate: rate!,
		channels: channels ?? 1,
		payloadType,
		fmtp: media.fmtp.find(({ payload }) => payload === payloadType)?.config ?? '',
		ssrc: sent.length > 0 ? undefined : announced[0]?.ssrc,
		rtxPayloadType: rtx,
		rtxSsrc: sent.length > 0 ? undefined : announced[0]?.rtxSsrc,
		encodings,
		midExtensionId: extensionId(extensionUris.mid),
		transportCcExtensionId: extensionId(extensionUris.transportCc),
		absSendTimeExtensionId: isTaken(extensionId(absSendTime)) ? undefined : extensionId(absSendTime),
	};
}

describe('A push', () => {
	for (const name of sendingOffers) {
		it(`of ${name} has what the offer says`, async (t) => {
			const { room, join } = await startRoom(t);
			const told = story(room);
			const alice = await join('alice');
			const offer = anOffer(name);
			const { answer, connection, ...tracks } = await alice.push(offer);
			const pushers = mediaPushers(tracks);

			assertAnswers(offer, answer);
			const [first, ...rest] = sdpTransform.parse(offer).media.filter(({ type }) => type !== 'application');
			const unbundled = !offer.includes('a=group:BUNDLE');
			const live = [first!, ...(unbundled ? [] : rest)].filter((media) => media.port !== 0 || media.bundleOnly);
			assert.deepEqual(
				pushers.map(({ media }) => media),
				live.map((media, index) => ({ ...described(media, live), rtcpFeedback: pushers[index]?.media.rtcpFeedback })),
			);
			for (const [index, { mid, streamId, userId, connectionId, media }] of pushers.entries()) {
				const written = sections(offer).find((section) => section.includes(`\r\na=mid:${mid}\r\n`))!;
				assert.equal(mid, String(live[index]!.mid));
				assert.equal(streamId, /^a=msid:(\S+)/m.exec(written)?.[1] ?? connectionId);
				assert.deepEqual([userId, connectionId], ['alice', connection.connectionId]);
				for (const feedback of media.rtcpFeedback) {
					assert.ok(written.includes(`a=rtcp-fb:${media.payloadType} ${feedback}\r\n`), feedback);
				}
			}
			assert.deepEqual([...alice.pushers.values()], pushers);
			assert.deepEqual(alice.connections, [connection]);
			assert.deepEqual(told, [
				'alice joined',
				...live.map(({ type }) => `alice has ${type}`),
				`alice pushed ${live.length}`,
			]);
			const answered = sdpTransform.parse(answer).media.filter(({ direction }) => direction === 'recvonly');
			assert.deepEqual(
				answered.map(({ payloads }) => String(payloads)),
				pushers.map(({ media }) => [media.payloadType, media.rtxPayloadType ?? []].flat().join(' ')),
			);
		});
	}

	it("has all of Chromium's feedback that the worker knows", async (t) => {
		const { pushed } = await startCall(t);
		assert.deepEqual(
			pushed.pushers.map(({ media }) => media.rtcpFeedback),
			[['transport-cc'], ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']],
		);
	});

	it('can be written as JSON', async (t) => {
		const { pushed } = await startCall(t);
		const [{ media } = { media: undefined }] = pushed.pushers;
		const { rtxSsrc, rtxPayloadType, ...rest } = media!;
		assert.deepEqual([rtxSsrc, rtxPayloadType], [undefined, undefined]);
		assert.deepEqual(JSON.parse(JSON.stringify(media)), rest);
	});

	it('takes the first codec that the room takes', async (t) => {
		const { join } = await startRoom(t, { codecs: [{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }] });
		const alice = await join('alice');
		const { answer, ...tracks } = await alice.push(anOffer('chromium-sendonly-audio-video'));
		const pushers = mediaPushers(tracks);
		assert.deepEqual(
			pushers.map(({ media }) => [media.codec, media.payloadType]),
			[['VP9', 98]],
		);
		assert.deepEqual(
			sdpTransform.parse(answer).media.map(({ direction }) => direction),
			['inactive', 'recvonly'],
		);
	});

	it('of many users with one offer is many pushers', async (t) => {
		const { join } = await startRoom(t);
		const users = await Promise.all(['a', 'b', 'c', 'd'].map(join));
		const offer = loadOffer('chromium-sendonly-audio-video');
		const results = await Promise.all(users.map((user) => user.push(offer)));
		assert.equal(new Set(results.flatMap(({ pushers }) => pushers.map(({ pusherId }) => pusherId))).size, 8);
	});
});

describe('A push is rejected, and leaves nothing,', () => {
	const chromium = () => anOffer('chromium-sendonly-audio-video');
	const cases: [
		name: string,
		offer: () => string,
		code: 'invalid_argument' | 'unsupported' | 'too_large',
		message: string | RegExp,
	][] = [
		['without an SDP', () => '', 'invalid_argument', 'invalid offer: the SDP is empty'],
		[
			'with something else',
			() => null as unknown as string,
			'invalid_argument',
			'invalid offer: the SDP is not a string',
		],
		['without an m-line', () => sections(chromium())[0]!, 'invalid_argument', 'invalid offer: it has no m-line'],
		[
			'without a fingerprint',
			() => withoutLine(chromium(), 'a=fingerprint'),
			'invalid_argument',
			'invalid offer: it has no a=fingerprint',
		],
		[
			'with 200 m-lines',
			() => repeatMedia(anOffer('gstreamer-send-bundled'), 0, 200),
			'too_large',
			'the offer has 200 m-lines, more than the 100 that are allowed',
		],
		[
			'that is too large',
			() => chromium() + 'a=x\r\n'.repeat(30_000),
			'too_large',
			/^the SDP has \d+ bytes, more than the 131072 that are allowed$/,
		],
		[
			'that only receives',
			() => anOffer('chromium-recvonly-audio-video'),
			'unsupported',
			/^the offer sends nothing that can be taken; it has: recvonly audio \(opus\/G722\/PCMU\/PCMA\), recvonly video \(VP8\/VP9.*H264/,
		],
		[
			'of data channels alone, in their older form',
			() => {
				const [session = '', , , data = ''] = sections(anOffer('aiortc-send-data'));
				return replaceLine(session, 'a=group:BUNDLE', 'a=group:BUNDLE 2') + data;
			},
			'unsupported',
			/sendrecv application: the data channels of DTLS\/SCTP 5000 are not those of RFC 8841$/,
		],
		[
			'of codecs that nobody takes',
			() =>
				editMedia(anOffer('chromium-sendonly-audio'), 0, (media) =>
					replaceLine(media, 'a=rtpmap:111', 'a=rtpmap:111 speex/16000'),
				),
			'unsupported',
			'the offer sends nothing that can be taken; it has: sendonly audio: none of its codecs can be taken: it has speex/G722/PCMU/PCMA, and those that can are opus',
		],
	];
	for (const [name, offer, code, message] of cases) {
		it(name, async (t) => {
			const { sfu, room, join } = await startRoom(t);
			const alice = await join('alice');
			const told = story(room);
			await rejects(sfu, () => alice.push(offer()), code, message);
			assert.deepEqual([alice.pushers.size, alice.connections.length, told], [0, 0, []]);
			assert.ok(await alice.push(chromium()));
		});
	}

	it('beyond the limit of pushers', async (t) => {
		const { sfu, join } = await startRoom(t, { limits: { pushersPerUser: 3 } });
		const alice = await join('alice');
		const first = await alice.push(chromium());
		await rejects(
			sfu,
			() => alice.push(chromium()),
			'limit_exceeded',
			'more than 3 pushers of one user are not allowed',
		);
		assert.equal(alice.pushers.size, 2);
		await alice.push(anOffer('firefox-sendonly-audio'));
		first.pushers[0]!.close();
		await alice.push(anOffer('firefox-sendonly-audio'));
		first.connection.close();
		assert.equal(alice.pushers.size, 2);
		await alice.push(anOffer('firefox-sendonly-audio'));
		await rejects(sfu, () => alice.push(anOffer('firefox-sendonly-audio')), 'limit_exceeded');
	});

	it('beyond the limit of connections', async (t) => {
		const { sfu, join } = await startRoom(t, { limits: { connectionsPerUser: 1 } });
		const alice = await join('alice');
		await rejects(sfu, () => alice.push(anOffer('chromium-recvonly-audio-video')), 'unsupported');
		const { connection } = await alice.push(chromium());
		await rejects(
			sfu,
			() => alice.push(chromium()),
			'limit_exceeded',
			'more than 1 connections of one user are not allowed',
		);
		connection.close();
		await alice.push(chromium());
		const bob = await join('bob');
		await bob.push(chromium());
	});
});

describe('A pull', () => {
	for (const name of receivingOffers) {
		it(`with ${name} is answered with its own payload types, whoever pushes`, async (t) => {
			const { join } = await startRoom(t);
			const bob = await join('bob');
			const unbundled = name.includes('unbundled');
			for (const sender of ['chromium-sendonly-audio-video', 'firefox-sendonly-audio-video', 'aiortc-send']) {
				const alice = await join(sender);
				await alice.push(anOffer(sender));
				const offer = anOffer(name);
				const offered = sdpTransform.parse(offer).media;
				const kinds = unbundled ? [offered[0]!.type] : offered.map(({ type }) => type);
				const specs = mediaPushers(alice)
					.filter(({ kind }) => kinds.includes(kind))
					.map(({ pusherId, kind }) => ({ pusherId, kind }));
				const { answer, ...tracks } = await bob.pull({ targetUserId: sender, specs, offer });
				const pullers = mediaPullers(tracks);

				assertAnswers(offer, answer);
				assert.deepEqual(pullers.map(({ pusherId }) => pusherId).sort(), specs.map(({ pusherId }) => pusherId).sort());
				for (const { mid, kind, pusherId, targetUserId, userId } of pullers) {
					assert.deepEqual([targetUserId, userId], [sender, 'bob']);
					const media = sdpTransform.parse(answer).media.find((answered) => String(answered.mid) === mid)!;
					const own = described(
						offered.find((line) => String(line.mid) === mid)!,
						offered,
					);
					const {
						media: { codec },
						streamId,
					} = mediaPushers(alice).find((pusher) => pusher.pusherId === pusherId)!;
					assert.deepEqual([media.type, media.direction, media.rtp[0]?.codec], [kind, 'sendonly', codec]);
					assert.equal(
						String(media.payloads),
						[own.payloadType, own.rtxPayloadType ?? []].flat().join(' '),
						`${name} pulls ${sender}`,
					);
					assert.ok(answer.includes(`\r\na=msid:${streamId} ${pusherId}\r\n`));
					assert.equal(media.ssrcs?.length, own.rtxPayloadType === undefined ? 1 : 2);
				}
				alice.close();
			}
		});
	}

	it('of oneself is a pull like any other', async (t) => {
		const { alice } = await startCall(t);
		const pullers = mediaPullers(await alice.pull(pullAll(alice)));
		assert.deepEqual([...alice.pullers.values()], pullers);
		assert.deepEqual(
			pullers.map(({ kind, targetUserId }) => [kind, targetUserId]),
			[
				['video', 'alice'],
				['audio', 'alice'],
			],
		);
	});

	it('gives each pusher the next m-line of its kind', async (t) => {
		const { alice, bob } = await startCall(t, { offer: 'chromium-sendonly-videos' });
		const offer = anOffer('firefox-recvonly-videos');
		const [first, second] = specsOf(alice);
		const { answer, ...tracks } = await bob.pull({ targetUserId: 'alice', specs: [second!, first!], offer });
		const pullers = mediaPullers(tracks);
		assert.deepEqual(
			pullers.map(({ pusherId, mid }) => [pusherId, mid]),
			[
				[second!.pusherId, '0'],
				[first!.pusherId, '1'],
			],
		);
		assert.deepEqual(
			sdpTransform.parse(answer).media.map(({ direction }) => direction),
			['sendonly', 'sendonly', 'inactive'],
		);
		const ssrcs = [...answer.matchAll(/^a=ssrc:(\d+)/gm)].map(([, ssrc]) => ssrc);
		assert.equal(new Set(ssrcs).size, ssrcs.length);
	});

	it('leaves an m-line without a common codec inactive, as long as there is another', async (t) => {
		const { bob, alice } = await startCall(t);
		const offer = editMedia(anOffer('chromium-recvonly-video-audio'), 1, (media) =>
			replaceLine(media, 'a=rtpmap:111', 'a=rtpmap:111 speex/16000'),
		);
		const { answer, ...tracks } = await bob.pull(pullAll(alice, offer));
		const pullers = mediaPullers(tracks);
		assert.deepEqual(
			pullers.map(({ kind }) => kind),
			['video'],
		);
		assert.deepEqual(
			sdpTransform.parse(answer).media.map(({ direction }) => direction),
			['sendonly', 'inactive'],
		);
	});

	it('shares one pipe with all pulls of the same numbers', async (t) => {
		const { sfu, alice, join } = await startCall(t, { offer: 'chromium-sendonly-video' });
		const pullers = await Promise.all(['x', 'y', 'z'].map(join));
		const pull = (user: (typeof pullers)[number]) => user.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		await pull(pullers[0]!);
		const withOne = await held(sfu);
		await Promise.all([pull(pullers[1]!), pull(pullers[2]!)]);
		// A transport and a consumer each.
		assert.equal((await held(sfu)).length, withOne.length + 4);
	});
});

describe('A pull is rejected, and leaves nothing,', () => {
	const offer = () => anOffer('chromium-recvonly-video-audio');

	it('when its options are wrong', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const good = pullAll(alice);
		const wrong: [options: unknown, message: string][] = [
			[null, 'options must be object'],
			[{ ...good, targetUserId: undefined }, 'options.targetUserId is missing'],
			[{ ...good, offer: 1 }, 'options.offer must be string'],
			[{ ...good, specs: undefined }, 'options.specs is missing'],
			[{ ...good, specs: [] }, 'options.specs must NOT have fewer than 1 items'],
			[{ ...good, specs: {} }, 'options.specs must be array'],
			[{ ...good, specs: [{}] }, 'options.specs.0.pusherId is missing'],
			[{ ...good, specs: [{ pusherId: 1 }] }, 'options.specs.0.pusherId must be string'],
			[
				{ ...good, specs: [{ ...good.specs[0], kind: 'text' }] },
				'options.specs.0.kind must be one of ["audio","video","data"]',
			],
		];
		for (const [options, message] of wrong) {
			await rejects(sfu, () => bob.pull(options as PullOptions), 'invalid_argument', message);
		}
	});

	it('when it names who is not there, or what is not', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const good = pullAll(alice);
		const pull = (change: Partial<PullOptions>) => () => bob.pull({ ...good, ...change });
		const [audio, video] = good.specs;
		await rejects(sfu, pull({ targetUserId: 'carol' }), 'not_found', 'no user "carol" in the room');
		await rejects(sfu, pull({ targetUserId: '__proto__' }), 'not_found');
		await rejects(sfu, pull({ targetUserId: 'bob' }), 'not_found', `user "bob" has no pusher "${audio!.pusherId}"`);
		await rejects(sfu, pull({ specs: [video!, { pusherId: 'x' }] }), 'not_found', 'user "alice" has no pusher "x"');
		await rejects(
			sfu,
			pull({ specs: [{ ...audio!, kind: 'video' }] }),
			'invalid_argument',
			`pusher "${audio!.pusherId}" is audio, not video`,
		);
		await rejects(
			sfu,
			pull({ specs: [video!, video!] }),
			'invalid_argument',
			`specs name pusher "${video!.pusherId}" twice`,
		);
		alice.pushers.get(audio!.pusherId)!.close();
		await rejects(sfu, pull({ specs: [audio!] }), 'not_found');
	});

	it('when it names more than the offer has m-lines for', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { offer: 'chromium-sendonly-videos' });
		await rejects(
			sfu,
			() => bob.pull(pullAll(alice)),
			'invalid_argument',
			'specs name 3 video pushers to send, but the offer receives video on 1 free m-lines',
		);
		await rejects(
			sfu,
			() => bob.pull(pullAll(alice, anOffer('chromium-sendonly-videos'))),
			'invalid_argument',
			/on 0 free m-lines$/,
		);
	});

	it('without a codec in common', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { offer: 'chromium-sendonly-video' });
		const [pusherId] = [...alice.pushers.keys()];
		const h264 = editMedia(offer(), 0, (media) =>
			withoutLine(withoutLine(media, 'a=rtpmap:96 '), 'a=rtpmap:(98|100|35|37|45|47) '),
		);
		await rejects(
			sfu,
			() => bob.pull(pullAll(alice, h264)),
			'unsupported',
			`no codec in common: pusher ${pusherId} sends VP8, the offer has H264`,
		);
	});

	it('with an offer that is none', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		await rejects(sfu, () => bob.pull(pullAll(alice, '')), 'invalid_argument', 'invalid offer: the SDP is empty');
		await rejects(
			sfu,
			() => bob.pull(pullAll(alice, withoutLine(offer(), 'a=ice-pwd'))),
			'invalid_argument',
			'invalid offer: it has no valid a=ice-pwd',
		);
		assert.deepEqual(bob.connections, []);
	});

	it('beyond the limit of pullers', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { limits: { pullersPerUser: 3 } });
		const { connection } = await bob.pull(pullAll(alice));
		await rejects(
			sfu,
			() => bob.pull(pullAll(alice)),
			'limit_exceeded',
			'more than 3 pullers of one user are not allowed',
		);
		assert.equal(bob.pullers.size, 2);
		connection.close();
		await bob.pull(pullAll(alice));
	});
});

describe('A user who leaves', () => {
	it('takes all of its own, and what others pull of it', async (t) => {
		const { sfu, alice, bob, join, pushed } = await startCall(t);
		bob.close();
		const carol = await join('carol');
		await carol.push(anOffer('firefox-sendonly-audio'));
		const before = await held(sfu);
		const dave = await join('dave');
		await dave.push(anOffer('firefox-sendonly-audio-video'));
		const mine = await dave.pull(pullAll(alice));
		const told: string[] = [];
		dave.on('pusherClosed', ({ reason }) => told.push(`pusher: ${reason}`));
		dave.on('pullerClosed', ({ reason }) => told.push(`puller: ${reason}`));
		dave.on('connectionClosed', ({ reason }) => told.push(`connection: ${reason}`));
		dave.on('closed', ({ reason }) => told.push(`left: ${reason}`));
		const theirs = await carol.pull(pullAll(dave));
		dave.close();
		dave.close('again');
		assert.deepEqual(told, [
			'pusher: userLeft',
			'pusher: userLeft',
			'connection: userLeft',
			'puller: userLeft',
			'puller: userLeft',
			'connection: userLeft',
			'left: left',
		]);
		assert.ok([...mine.pullers, ...theirs.pullers].every(({ closed }) => closed));
		assert.ok(pushed.pushers.every(({ closed }) => !closed));
		assert.equal(theirs.connection.closed, false);
		theirs.connection.close();
		// What remains is the loop that pipes go through.
		await alice.pull(pullAll(alice)).then(({ connection }) => {
			connection.close();
		});
		const after = await held(sfu);
		assert.equal(after.length - before.length, 2);
		assert.deepEqual([dave.pushers.size, dave.pullers.size, dave.connections.length], [0, 0, 0]);
	});

	it('may be told why', async (t) => {
		const { room, alice, bob } = await startCall(t);
		const told = story(room);
		alice.kick();
		bob.kick('noise');
		assert.deepEqual(
			told.filter((event) => event.includes('left:')),
			['alice left: kicked', 'bob left: noise'],
		);
	});

	it('neither pushes nor pulls any more', async (t) => {
		const { alice, bob } = await startCall(t);
		const options = pullAll(alice);
		bob.close();
		await assert.rejects(bob.push(anOffer('chromium-sendonly-audio')), {
			code: 'closed',
			message: 'the user has left the room',
		});
		await assert.rejects(bob.pull(options), { code: 'closed' });
	});

	it('during any request of a push leaves nothing', async (t) => {
		const { sfu, worker, room, join } = await startRoom(t);
		const before = await held(sfu);
		const told = story(room);
		const requests = await interruptEach(worker, async (interrupted) => {
			const alice = await join('alice');
			told.length = 0;
			const result = await interrupted(
				() => {
					alice.close();
				},
				() => outcome(alice.push(anOffer('chromium-sendonly-audio-video'))),
			);
			assert.equal(result, alice.closed ? 'closed' : 'done');
			if (alice.closed) assert.deepEqual(told, ['alice left: left']);
			alice.close();
			await untilHeld(sfu, before);
		});
		// A transport, its connecting, two producers.
		assert.equal(requests, 4);
	});

	it('during any request of a pull leaves nothing', async (t) => {
		const { sfu, worker, alice, bob, join } = await startCall(t);
		// The loop that pipes go through stays, once it is there.
		await bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		bob.close();
		const before = await held(sfu);
		const requests = await interruptEach(worker, async (interrupted) => {
			const carol = await join('carol');
			const result = await interrupted(
				() => {
					carol.close();
				},
				() => outcome(carol.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')))),
			);
			assert.equal(result, carol.closed ? 'closed' : 'done');
			carol.close();
			await untilHeld(sfu, before);
		});
		// A transport, its connecting; of each of two: a consumer and a producer for the pipe, a consumer, which flows at once; and
		// the watching of the video's NACKs.
		assert.equal(requests, 9);
	});

	it('because the room closes during any request leaves nothing', async (t) => {
		const { sfu, worker } = await startSfu(t);
		const before = await held(sfu);
		await interruptEach(worker, async (interrupted) => {
			const room = await sfu.getOrCreateRoom('a');
			const alice = await room.join({ userId: 'alice' });
			await alice.push(anOffer('chromium-sendonly-audio-video'));
			const results = await interrupted(
				() => {
					room.close();
				},
				() =>
					Promise.all([
						outcome(alice.push(anOffer('chromium-sendonly-audio-video'))),
						outcome(alice.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')))),
					]),
			);
			for (const result of results) assert.ok(['closed', 'done'].includes(result), result);
			assert.equal(results.includes('closed'), room.closed);
			room.close();
			await untilHeld(sfu, before);
		});
	});
});

describe('A user', () => {
	it('is not disturbed by listeners that throw or reject', async (t) => {
		const { join, messages } = await startRoom(t);
		const alice = await join('alice');
		for (const event of ['pushed', 'pusherClosed', 'connectionClosed', 'closed'] as const) {
			alice.on(event, () => {
				throw new Error('of the listener');
			});
			// eslint-disable-next-line @typescript-eslint/no-misused-promises -- it is what this test is about
			alice.on(event, () => Promise.reject(new Error('of the listener')));
		}
		const { connection, ...tracks } = await alice.push(anOffer('chromium-sendonly-audio'));
		const pushers = mediaPushers(tracks);
		alice.close();
		assert.ok([...pushers, connection, alice].every(({ closed }) => closed));
		await turns(1);
		assert.deepEqual(new Set(messages), new Set(['a listener of User failed']));
		assert.equal(messages.length, 8);
	});

	it('may leave in a listener of its own push', async (t) => {
		const { sfu, join, room } = await startRoom(t);
		const before = await held(sfu);
		const alice = await join('alice');
		room.on('pushed', ({ user }) => {
			user.close();
		});
		await outcome(alice.push(anOffer('chromium-sendonly-audio-video')));
		assert.equal(alice.closed, true);
		await untilHeld(sfu, before);
	});
});
