// The page:
//
//   join.js ─ asks for room and name        media.js ─ camera and microphone, or stand-ins
//        \                                   /
//         main.js (this file) ─ one call at a time, and its buttons
//        /             \
//   tiles.js, chat.js,  call.js ─ the room: who is in it, push, pull, coming back
//   notices.js           /    \
//                 link.js      signaling.js
//      RTCPeerConnections      protoo over a WebSocket
//
// Everything below main.js to the right knows nothing of the page, everything to the left nothing of the protocol.

import { Call } from './call.js';
import { Chat } from './chat.js';
import { JoinScreen, linkTo, ownUserId, roomFromLocation } from './join.js';
import { getLocalMedia } from './media.js';
import { clearNotices, showNotice } from './notices.js';
import { Signaling } from './signaling.js';
import { Tiles } from './tiles.js';

const REFRESH_MS = 400;
const SOCKET_URL = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/webrtc`;

/** @param {string} id */
const byId = (id) => document.getElementById(id);

/** @type {{call: Call, identity: {roomId: string, userId: string, userName: string}, muted: {audio: boolean, video: boolean}} | undefined} */
let current;

const tiles = new Tiles(byId('tiles'), /** @type {HTMLButtonElement} */ (byId('hear')));
const chat = new Chat(sendText);
const joinScreen = new JoinScreen((choice) => void enter(choice));

byId('leave').addEventListener('click', () => current?.call.leave());
byId('toggle-audio').addEventListener('click', () => toggle('audio'));
byId('toggle-video').addEventListener('click', () => toggle('video'));
byId('copy-link').addEventListener('click', () => void copyLink());
window.addEventListener('hashchange', () => {
	if (current && roomFromLocation() !== current.identity.roomId) current.call.leave();
});

/** @param {{roomId: string, userName: string}} choice */
async function enter({ roomId, userName }) {
	const userId = await ownUserId();
	const media = await getLocalMedia(userName);
	const identity = { roomId, userId, userName };
	const call = new Call({ signaling: new Signaling(SOCKET_URL), ...identity, stream: media.stream });
	current = { call, identity, muted: { audio: false, video: false } };
	const refresh = setInterval(() => void refreshTiles(call), REFRESH_MS);

	listen(call, 'joined', () => {
		joinScreen.hide();
		showCall(roomId);
		tiles.add({ userId, userName, stream: media.stream, own: true, mirrored: media.hasCamera });
		showMuted();
		for (const text of missing(media)) showNotice(text);
	});
	listen(call, 'userJoined', (user) => {
		tiles.add(user);
		showUser(user);
		showPeople();
	});
	listen(call, 'userChanged', showUser);
	listen(call, 'userLeft', (user) => {
		tiles.remove(user.userId);
		showPeople();
		showNotice(`${user.userName} has left.`);
	});
	listen(call, 'statusChanged', () => showStatus(call));
	listen(call, 'textMessage', ({ userId, userName, message, time }) => {
		chat.add({ userName: call.users.get(userId)?.userName ?? String(userName), message: String(message), time });
	});
	listen(call, 'problem', (text) => showNotice(text, { problem: true }));
	listen(call, 'ended', (reason) => {
		clearInterval(refresh);
		media.stop();
		current = undefined;
		byId('call').hidden = true;
		tiles.clear();
		chat.clear();
		clearNotices();
		document.title = 'sfu-rooms';
		joinScreen.show(reason);
	});

	showStatus(call);
	call.start();
}

/**
 * @param {Call} call
 * @param {string} type
 * @param {(detail: any) => void} listener
 */
function listen(call, type, listener) {
	call.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
}

/** @param {import('./media.js').LocalMedia} media */
function missing({ hasCamera, hasMicrophone }) {
	if (!hasCamera && !hasMicrophone) return ['No camera and no microphone: the others see a generated picture.'];
	if (!hasCamera) return ['No camera: the others see a generated picture.'];
	if (!hasMicrophone) return ['No microphone: the others do not hear you.'];
	return [];
}

// What the page shows

/** @param {string} roomId */
function showCall(roomId) {
	history.replaceState(null, '', linkTo(roomId));
	document.title = `${roomId} · sfu-rooms`;
	byId('room-name').textContent = roomId;
	byId('call').hidden = false;
	showPeople();
	byId('toggle-audio').focus();
}

function showPeople() {
	const count = (current?.call.users.size ?? 0) + 1;
	byId('people').textContent = count === 1 ? '1 person' : `${count} people`;
	byId('alone').hidden = count > 1;
}

/** @param {Call} call */
function showStatus(call) {
	const { level, text } = call.status;
	byId('status').textContent = text;
	byId('status').dataset.level = level;
}

/** @param {any} user a RemoteUser of call.js */
function showUser({ userId, online }) {
	tiles.get(userId)?.update({ online });
}

function showMuted() {
	const { audio, video } = current.muted;
	showControl('toggle-audio', audio ? 'icon-mic-off' : 'icon-mic', audio ? 'Unmute' : 'Mute', audio);
	showControl('toggle-video', video ? 'icon-camera-off' : 'icon-camera', video ? 'Start video' : 'Stop video', video);
	tiles.get(current.identity.userId)?.update({ muted: audio });
}

/**
 * @param {string} id
 * @param {string} icon
 * @param {string} text
 * @param {boolean} off
 */
function showControl(id, icon, text, off) {
	const button = byId(id);
	button.querySelector('use').setAttribute('href', `#${icon}`);
	button.querySelector('span').textContent = text;
	button.classList.toggle('off', off);
}

/** @param {Call} call */
async function refreshTiles(call) {
	if (document.hidden) return;
	const levels = await call.audioLevels();
	if (call === current?.call) tiles.refresh(levels);
}

// What the buttons do

/** @param {'audio' | 'video'} kind */
function toggle(kind) {
	if (!current) return;
	current.muted[kind] = !current.muted[kind];
	current.call.setMuted(kind, current.muted[kind]);
	showMuted();
}

/** @param {string} message */
function sendText(message) {
	if (!current) return false;
	try {
		current.call.sendText(message);
	} catch (error) {
		showNotice(`Not sent: ${error.message}`, { problem: true });
		return false;
	}
	chat.add({ userName: current.identity.userName, message, time: Date.now(), own: true });
	return true;
}

async function copyLink() {
	const link = linkTo(current.identity.roomId);
	try {
		await navigator.clipboard.writeText(link);
		showNotice('Link copied. Whoever opens it can join.');
	} catch {
		// Plain http, localhost excepted, has no clipboard.
		showNotice(`The link of this room: ${link}`);
	}
}
