/**
 * What the pages of test/browsers/client*.test.ts run: calls of sfu-rooms/client, and what the tests want to know of them. All
 * arguments and results go as JSON.
 */
import { Call, RoomError, type ConnectOptions, type PublishOptions } from '../../src/client/index.js';
import { LocalTrack } from '../../src/client/LocalTrack.js';
import { RemoteTrack } from '../../src/client/RemoteTrack.js';

/** What has happened in a call. */
interface Happened {
	event: string;
	/** In ms since the epoch. */
	at: number;
	about: unknown;
}

interface Followed {
	call: Call;
	happened: Happened[];
	/** What is attached, by user and source. */
	elements: Map<string, HTMLVideoElement>;
	/** When each frame was shown, by user and source. */
	frames: Map<string, number[]>;
}

const followed = new Map<string, Followed>();
const connections = new Set<RTCPeerConnection>();
const sockets: WebSocket[] = [];
let made = 0;

globalThis.RTCPeerConnection = class extends RTCPeerConnection {
	constructor(configuration?: RTCConfiguration) {
		super(configuration);
		made++;
		connections.add(this);
	}
	override close() {
		connections.delete(this);
		super.close();
	}
};
globalThis.WebSocket = class extends WebSocket {
	constructor(url: string | URL, protocols?: string | string[]) {
		super(url, protocols);
		sockets.push(this);
	}
};

const of = (name: string): Followed => {
	const one = followed.get(name);
	if (!one) throw new Error(`there is no call ${name}`);
	return one;
};
const keyOf = ({ user, source }: RemoteTrack) => `${user.userId} ${source ?? ''}`;

function describe(payload: unknown): unknown {
	if (payload instanceof RemoteTrack) return keyOf(payload);
	if (payload instanceof LocalTrack) return `${payload.source} ${payload.muted ? 'muted' : 'on'}`;
	if (payload instanceof RoomError) return { method: payload.method, code: payload.code, message: payload.message };
	if (typeof payload === 'object' && payload !== null && 'userId' in payload && 'tracks' in payload)
		return payload.userId;
	return payload === undefined
		? null
		: JSON.parse(
				JSON.stringify(payload, (key, value: unknown) =>
					key === 'from' || key === 'channel' || key === 'user' ? undefined : value,
				),
			);
}

const events = [
	'state',
	'closed',
	'userJoined',
	'userLeft',
	'userChanged',
	'trackAdded',
	'trackReady',
	'trackChanged',
	'trackRemoved',
	'channelAdded',
	'channelRemoved',
	'data',
	'localChanged',
	'speaker',
	'quality',
	'permissionsChanged',
	'message',
	'appMessage',
	'audioBlocked',
	'error',
] as const;

/** Joins, and plays what comes. */
export async function join(
	options: ConnectOptions & { predicate?: string; urls?: string[] },
	{ attach = true, style = 'width:320px;height:180px' } = {},
) {
	const { predicate, urls = [], ...rest } = options;
	let attempt = 0;
	const call = await Call.connect({
		...rest,
		// As a balancer leads one attempt after the other to another server.
		...(urls.length > 0 && { url: () => urls[attempt++ % urls.length] ?? '' }),
		...(predicate !== undefined && { subscribe: (track) => track.source === predicate }),
	});
	const one: Followed = { call, happened: [], elements: new Map(), frames: new Map() };
	followed.set(options.userId, one);
	for (const event of events) {
		call.on(event, (payload) => {
			one.happened.push({ event, at: Date.now(), about: describe(payload) });
		});
	}
	const play = (track: RemoteTrack) => {
		const key = keyOf(track);
		if (one.elements.has(key) || !attach) return;
		const element = document.createElement('video');
		element.style.cssText = style;
		document.body.append(element);
		one.elements.set(key, element);
		const frames = one.frames.get(key) ?? [];
		one.frames.set(key, frames);
		const count = () => {
			frames.push(Date.now());
			element.requestVideoFrameCallback(count);
		};
		element.requestVideoFrameCallback(count);
		track.attach(element);
	};
	call.on('trackReady', play);
	call.on('trackRemoved', (track) => {
		one.elements.get(keyOf(track))?.remove();
		one.elements.delete(keyOf(track));
	});
	for (const user of call.users.values()) for (const track of user.tracks.values()) if (track.track) play(track);
}

/** Joins, and tells how it failed. */
export async function failToJoin(options: ConnectOptions) {
	try {
		(await Call.connect(options)).leave();
		return null;
	} catch (error) {
		const { code, status, message } = error as RoomError;
		return { code, status, message };
	}
}

export async function publishCamera(
	name: string,
	constraints: MediaTrackConstraints = { width: 640, height: 360, frameRate: 15 },
	options: PublishOptions = {},
) {
	await of(name).call.publishCamera(constraints, options);
}

/** A tone that never ends: the fake microphone beeps now and then. */
export async function publishTone(name: string) {
	if (navigator.userAgent.includes('Firefox')) {
		// Its fake microphone goes on, and an AudioContext needs a click.
		const [voice] = (await navigator.mediaDevices.getUserMedia({ audio: { noiseSuppression: false } })).getTracks();
		if (voice) await of(name).call.publish(voice);
		return;
	}
	const context = new AudioContext();
	const oscillator = context.createOscillator();
	const destination = context.createMediaStreamDestination();
	oscillator.connect(destination);
	oscillator.start();
	const [track] = destination.stream.getAudioTracks();
	if (track) await of(name).call.publish(track);
}

export async function publishMicrophone(name: string) {
	await of(name).call.publishMicrophone();
}

/** A canvas that moves. */
export async function publishCanvas(
	name: string,
	options: PublishOptions = { source: 'screen' },
	{ width = 640, height = 360 } = {},
) {
	const canvas = Object.assign(document.createElement('canvas'), { width, height });
	const context = canvas.getContext('2d');
	setInterval(() => {
		if (!context) return;
		context.fillStyle = `hsl(${Date.now() / 20} 50% 50%)`;
		context.fillRect(0, 0, width, height);
	}, 60);
	const [track] = canvas.captureStream(15).getVideoTracks();
	if (!track) throw new Error('no track');
	try {
		await of(name).call.publish(track, options);
		return null;
	} catch (error) {
		return (error as RoomError).code;
	}
}

const local = (name: string, source: string) => {
	const track = of(name).call.local.get(source);
	if (!track) throw new Error(`${name} does not publish ${source}`);
	return track;
};

export const mute = (name: string, source: string) => local(name, source).mute();
export const unmute = (name: string, source: string) => local(name, source).unmute();
export const stop = (name: string, source: string) => local(name, source).stop();
/** As when the device is unplugged. */
export function unplug(name: string, source: string) {
	const { track } = local(name, source);
	track.stop();
	track.dispatchEvent(new Event('ended'));
	// Firefox lets no script dispatch the other one.
	navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
}
export const locals = (name: string) =>
	[...of(name).call.local.values()].map(({ source, muted, mutedByServer, track, ended, pusherId, transceiver }) => ({
		source,
		muted,
		mutedByServer,
		enabled: track.enabled,
		ended,
		pusherId: pusherId ?? null,
		sent: transceiver?.sender.track === track,
		active: transceiver?.sender.getParameters().encodings.map(({ active }) => active) ?? [],
	}));

/** The others, with what they publish. */
export const users = (name: string) =>
	[...of(name).call.users.values()].map(({ userId, userName, metadata, online, tracks, channels }) => ({
		userId,
		userName,
		metadata: metadata ?? null,
		online,
		tracks: [...tracks.values()].map(({ id, kind, source, muted, stalled, track, layers, layerCount }) => ({
			id,
			kind,
			source: source ?? null,
			muted,
			stalled,
			ready: track?.readyState === 'live',
			layers,
			layerCount,
		})),
		channels: [...channels.values()].map(({ label }) => label),
	}));

const remote = (name: string, userId: string, source: string) => {
	const track = of(name).call.users.get(userId)?.get(source);
	if (!track) throw new Error(`${userId} does not publish ${source}`);
	return track;
};
export const subscribe = (name: string, userId: string, source: string) => remote(name, userId, source).subscribe();
export const unsubscribe = (name: string, userId: string, source: string) => remote(name, userId, source).unsubscribe();
export const prefer = (name: string, userId: string, source: string, layers: { spatial: number } | 'auto') => {
	remote(name, userId, source).prefer(layers);
};

export const state = (name: string) => ({
	state: of(name).call.state,
	media: of(name).call.media,
	version: of(name).call.version,
	speaker:
		typeof of(name).call.speaker === 'string'
			? 'me'
			: ((of(name).call.speaker as { userId: string } | null)?.userId ?? null),
});
export const happened = (name: string) => of(name).happened;
export const frameCount = (name: string, key: string) => of(name).frames.get(key)?.length ?? 0;
/** The longest time without a frame, in ms, between two times. */
export function longestGap(name: string, key: string, from: number, to: number) {
	const shown = (of(name).frames.get(key) ?? []).filter((at) => at >= from && at <= to);
	const all = [from, ...shown, to];
	return Math.max(...all.slice(1).map((at, index) => at - (all[index] ?? at)));
}
export function resize(name: string, key: string, cssText: string) {
	const element = of(name).elements.get(key);
	if (element) element.style.cssText = cssText;
}
export async function audioEnergy(name: string) {
	let energy = 0;
	const { receive } = await of(name).call.getStats();
	receive?.forEach((report: { type: string; kind?: string; totalAudioEnergy?: number }) => {
		if (report.type === 'inbound-rtp' && report.kind === 'audio') energy += report.totalAudioEnergy ?? 0;
	});
	return energy;
}
/** The energy of audio that has left this page: by its packets. */
export async function bytesSent(name: string, kind: string) {
	let bytes = 0;
	const { send } = await of(name).call.getStats();
	send?.forEach((report: { type: string; kind?: string; bytesSent?: number }) => {
		if (report.type === 'outbound-rtp' && report.kind === kind) bytes += report.bytesSent ?? 0;
	});
	return bytes;
}

export const write = (name: string, message: string) => of(name).call.send(message);
export const update = (name: string, changes: { userName?: string; metadata?: unknown }) =>
	of(name).call.update(changes);
export const ask = (name: string, method: string, data: unknown) => of(name).call.sendAppRequest(method, data);
export function tell(name: string, method: string, data: unknown) {
	of(name).call.sendAppMessage(method, data);
}
export function answerWith(name: string, method: string, prefix: string) {
	of(name).call.handleAppRequest(method, (data) => `${prefix} ${String(data)}`);
}
const channels = new Map<string, ReturnType<Call['openChannel']>>();
export function openChannel(name: string, label: string) {
	channels.set(`${name} ${label}`, of(name).call.openChannel(label));
}
export const sendOn = (name: string, label: string, data: string) =>
	channels.get(`${name} ${label}`)?.send(data) ?? false;

export function leave(name: string) {
	of(name).call.leave();
}
/** Forgets a call that is over. */
export function forget(name: string) {
	for (const element of of(name).elements.values()) element.remove();
	followed.delete(name);
}
/** Closes the socket as a network does that is cut. */
export function cutSocket() {
	sockets.at(-1)?.close(4002);
}
export const counts = () => ({
	open: connections.size,
	made,
	sockets: sockets.filter(({ readyState }) => readyState === 1).length,
	opened: sockets.length,
});
/** Lets no timer and no message of the page run, as when the machine sleeps. */
export function block(milliseconds: number) {
	const until = Date.now() + milliseconds;
	while (Date.now() < until);
}
export function comeOnline() {
	dispatchEvent(new Event('online'));
}
/** Whether the page is looked at. */
export function setHidden(hidden: boolean) {
	Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
	document.dispatchEvent(new Event('visibilitychange'));
}
export async function replaceCamera(name: string, constraints: MediaTrackConstraints) {
	const stream = await navigator.mediaDevices.getUserMedia({ video: constraints });
	const [track] = stream.getVideoTracks();
	if (track) await local(name, 'camera').replace(track);
}
/** Has no device for a while. */
export function failCapture(fails: boolean) {
	const { mediaDevices } = navigator;
	if (fails) mediaDevices.getUserMedia = () => Promise.reject(new DOMException('gone', 'NotFoundError'));
	else Reflect.deleteProperty(mediaDevices, 'getUserMedia');
	if (!fails) mediaDevices.dispatchEvent(new Event('devicechange'));
}
/** Drops what only the tests hold. */
export function tidy() {
	sockets.length = 0;
}
