import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sdpTransform, { type MediaDescription, type SessionDescription } from 'sdp-transform';
import { writeDescription } from '../../src/sdp/writeDescription.js';

const session: SessionDescription = {
	version: 0,
	origin: { username: '-', sessionId: 4711, sessionVersion: 2, netType: 'IN', ipVer: 4, address: '127.0.0.1' },
	name: '-',
	timing: { start: 0, stop: 0 },
	icelite: 'ice-lite',
	groups: [{ type: 'BUNDLE', mids: '0 1' }],
	msidSemantic: { semantic: 'WMS', token: '*' },
	fingerprint: { type: 'sha-256', hash: 'AB:CD' },
	extmapAllowMixed: 'extmap-allow-mixed',
	media: [],
};
const minimal: MediaDescription = { type: 'audio', port: 0, protocol: 'RTP/SAVPF', payloads: '0', rtp: [], fmtp: [] };
const video: MediaDescription = {
	type: 'video',
	port: 9,
	protocol: 'UDP/TLS/RTP/SAVPF',
	payloads: '96 97',
	connection: { version: 4, ip: '127.0.0.1' },
	bandwidth: [
		{ type: 'AS', limit: 500 },
		{ type: 'TIAS', limit: 500_000 },
	],
	rtp: [
		{ payload: 96, codec: 'VP8', rate: 90_000 },
		{ payload: 111, codec: 'opus', rate: 48_000, encoding: 2 },
	],
	fmtp: [{ payload: 97, config: 'apt=96' }],
	rtcpFb: [
		{ payload: 96, type: 'nack', subtype: 'pli' },
		{ payload: 96, type: 'nack' },
	],
	ext: [
		{ value: 1, uri: 'urn:a' },
		{ value: 2, uri: 'urn:b', direction: 'sendonly' },
	],
	extmapAllowMixed: 'extmap-allow-mixed',
	setup: 'passive',
	mid: '1',
	msid: [{ id: 'stream', appdata: 'track' }],
	direction: 'sendrecv',
	iceUfrag: 'ufrag',
	icePwd: 'password',
	candidates: [
		{ foundation: 'udp', component: 1, transport: 'udp', priority: 3, ip: '127.0.0.1', port: 1, type: 'host' },
		{
			foundation: 'tcp',
			component: 1,
			transport: 'tcp',
			priority: 2,
			ip: '127.0.0.1',
			port: 2,
			type: 'host',
			tcptype: 'passive',
		},
	],
	endOfCandidates: 'end-of-candidates',
	ssrcs: [{ id: 1, attribute: 'cname', value: 'name' }],
	ssrcGroups: [{ semantics: 'FID', ssrcs: '1 2' }],
	rtcpMux: 'rtcp-mux',
	rtcpRsize: 'rtcp-rsize',
	rids: [{ id: 'low', direction: 'recv' }],
	simulcast: { dir1: 'recv', list1: 'low;~high' },
	sctpPort: 5000,
	maxMessageSize: 1000,
};

describe('A description', () => {
	it('is written as sdp-transform would', () => {
		for (const media of [[minimal], [video, minimal], [{ ...minimal, mid: '' }]]) {
			const description = { ...session, media };
			assert.equal(writeDescription(description), sdpTransform.write(structuredClone(description)));
		}
		const { icelite: _i, groups: _g, msidSemantic: _m, fingerprint: _f, extmapAllowMixed: _e, ...least } = session;
		assert.equal(writeDescription(least), sdpTransform.write(structuredClone(least)));
	});
});
