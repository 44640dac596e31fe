import type { MediaDescription, SessionDescription } from 'sdp-transform';

/**
 * Writes a description, with the attributes that offers and answers of the server have, in the order of sdp-transform. Its
 * own `write()` takes several times as long: it looks for all attributes that there are.
 */
export function writeDescription(session: SessionDescription): string {
	const { origin, timing, icelite, fingerprint, msidSemantic, groups = [], extmapAllowMixed } = session;
	const lines = [
		`v=${session.version}`,
		`o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${origin.netType} IP${origin.ipVer} ${origin.address}`,
		`s=${session.name}`,
		`t=${timing.start} ${timing.stop}`,
		extmapAllowMixed !== undefined && `a=${extmapAllowMixed}`,
		icelite !== undefined && `a=${icelite}`,
		fingerprint && `a=fingerprint:${fingerprint.type} ${fingerprint.hash}`,
		msidSemantic && `a=msid-semantic: ${msidSemantic.semantic} ${msidSemantic.token}`,
		...groups.map(({ type, mids }) => `a=group:${type} ${mids}`),
		...session.media.flatMap(mediaLines),
	];
	return `${lines.filter((line) => line !== undefined && line !== false).join('\r\n')}\r\n`;
}

function mediaLines(media: MediaDescription): (string | false | undefined)[] {
	const { connection, bandwidth = [], rtcpFb = [], ext = [], candidates = [], ssrcs = [], ssrcGroups = [] } = media;
	const { msid = [], rids = [], simulcast } = media;
	const attribute = (name: string, value: string | number | undefined) => value !== undefined && `a=${name}:${value}`;
	const flag = (value: string | undefined) => value !== undefined && `a=${value}`;
	return [
		`m=${media.type} ${media.port} ${media.protocol} ${media.payloads ?? ''}`,
		connection && `c=IN IP${connection.version} ${connection.ip}`,
		...bandwidth.map(({ type, limit }) => `b=${type}:${limit}`),
		...media.rtp.map(
			({ payload, codec, rate, encoding }) =>
				`a=rtpmap:${payload} ${codec}/${rate ?? ''}${encoding === undefined ? '' : `/${encoding}`}`,
		),
		...media.fmtp.map(({ payload, config }) => `a=fmtp:${payload} ${config}`),
		...rtcpFb.map(
			({ payload, type, subtype }) => `a=rtcp-fb:${payload} ${type}${subtype === undefined ? '' : ` ${subtype}`}`,
		),
		...ext.map(({ value, uri, direction }) => `a=extmap:${value}${direction ? `/${direction}` : ''} ${uri}`),
		flag(media.extmapAllowMixed),
		attribute('setup', media.setup),
		attribute('mid', media.mid),
		...msid.map(({ id, appdata }) => `a=msid:${id} ${appdata}`),
		flag(media.direction),
		attribute('ice-ufrag', media.iceUfrag),
		attribute('ice-pwd', media.icePwd),
		...candidates.map(
			({ foundation, component, transport, priority, ip, port, type, tcptype }) =>
				`a=candidate:${foundation} ${component} ${transport} ${priority} ${ip} ${port} typ ${type}${tcptype === undefined ? '' : ` tcptype ${tcptype}`}`,
		),
		flag(media.endOfCandidates),
		...ssrcs.map(({ id, attribute: name, value }) => `a=ssrc:${id} ${name}:${value ?? ''}`),
		...ssrcGroups.map(({ semantics, ssrcs: members }) => `a=ssrc-group:${semantics} ${members}`),
		flag(media.rtcpMux),
		flag(media.rtcpRsize),
		...rids.map(({ id, direction }) => `a=rid:${id} ${direction}`),
		simulcast && `a=simulcast:${simulcast.dir1} ${simulcast.list1}`,
		attribute('sctp-port', media.sctpPort),
		attribute('max-message-size', media.maxMessageSize),
	];
}
