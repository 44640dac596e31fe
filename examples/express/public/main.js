// How the files depend on each other:
//
//   main.js ─ asks for a room and a name, joins, then shows the call
//    ├ client.js ─ sfu-rooms/client, as the server has bundled it: the user's stay in the room
//    ├ nodes.js ─ to which server, where several share their rooms
//    ├ join.js, notices.js
//    ├ media.js (picture.js) ─ the camera and the microphone, or stand-ins
//    └ callPage.js ─ the page during a call: buttons, status, tiles, chat
//       ├ chat.js, levels.js
//       ├ view.js ─ derives what the tiles show from the call
//       └ tiles.js, tile.js

import { CallPage } from './callPage.js';
import { Call } from './client.js';
import { JoinScreen, ownUserId, roomFromLocation } from './join.js';
import { getLocalMedia } from './media.js';
import { Nodes } from './nodes.js';
import { clearNotices, showNotice } from './notices.js';

/** Why a call is over, if not by the user's own will. @type {Record<string, string>} */
const REASONS = {
	kicked: 'You were removed from the room.',
	roomClosed: 'The room was closed.',
	duplicateUser: 'You have joined again on another page.',
	forbidden: 'The server does not let you come back.',
};

/** @type {{roomId: string, leave: () => void} | undefined} */
let current;

const page = new CallPage();
const joinScreen = new JoinScreen((choice) => void enter(choice));

window.addEventListener('hashchange', () => {
	if (current && roomFromLocation() !== current.roomId) current.leave();
});

/** @param {{roomId: string, userName: string}} choice */
async function enter({ roomId, userName }) {
	const userId = await ownUserId();
	const media = await getLocalMedia(userName);
	const { url, webSocket, retry } = new Nodes();
	const joining = new AbortController();
	current = { roomId, leave: () => joining.abort() };
	try {
		const { signal } = joining;
		const call = await Call.connect({ url, webSocket, retry, roomId, userId, userName, signal });
		current = call;
		stay(call, media);
	} catch (error) {
		media.stop();
		current = undefined;
		const problem = error.code === 'closed' ? 'The server cannot be reached.' : `Could not join: ${error.message}`;
		joinScreen.show(joining.signal.aborted ? '' : problem);
	}
}

/**
 * @param {import('sfu-rooms/client').Call} call
 * @param {import('./media.js').LocalMedia} media
 */
function stay(call, media) {
	const failed = (/** @type {Error} */ { message }) => {
		if (call.state !== 'closed') showNotice(`Trouble: ${message}`, { problem: true });
	};
	call.on('error', failed);
	call.on('closed', ({ reason }) => {
		page.hide();
		media.stop();
		current = undefined;
		clearNotices();
		joinScreen.show(REASONS[reason]);
	});
	call.publish(media.video, { source: 'camera' }).catch(failed);
	call.publish(media.audio, { source: 'microphone' }).catch(failed);
	joinScreen.hide();
	page.show(call, media);
	for (const text of missing(media)) showNotice(text);
}

/** @param {import('./media.js').LocalMedia} media */
function missing({ hasCamera, hasMicrophone }) {
	if (!hasCamera && !hasMicrophone) return ['No camera and no microphone: the others see a generated picture.'];
	if (!hasCamera) return ['No camera: the others see a generated picture.'];
	if (!hasMicrophone) return ['No microphone: the others do not hear you.'];
	return [];
}
