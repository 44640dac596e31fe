// How the files depend on each other:
//
//   main.js ─ asks for a room and a name, then shows the call
//    ├ join.js, notices.js
//    ├ media.js (picture.js) ─ the camera and the microphone, or stand-ins
//    └ callPage.js ─ the page during a call: buttons, status, tiles, chat
//       ├ screen.js, chat.js
//       ├ view.js ─ derives what the tiles show from the call
//       ├ tiles.js, tile.js
//       └ call.js ─ the user's stay in the room
//          ├ people.js ─ the others and what they push
//          ├ uplink.js, downlink.js (link.js) ─ the two RTCPeerConnections
//          └ signaling.js ─ protoo messages on a WebSocket
//
// call.js and the files below it know nothing about the page. The files above it know nothing about the protocol.

import { Call } from './call.js';
import { CallPage } from './callPage.js';
import { JoinScreen, ownUserId, roomFromLocation } from './join.js';
import { getLocalMedia } from './media.js';
import { clearNotices, showNotice } from './notices.js';
import { Signaling } from './signaling.js';

const SOCKET_URL = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/webrtc`;

/** @type {Call | undefined} */
let current;

const page = new CallPage();
const joinScreen = new JoinScreen((choice) => void enter(choice));

window.addEventListener('hashchange', () => {
	if (current && roomFromLocation() !== current.identity.roomId) current.leave();
});

/** @param {{roomId: string, userName: string}} choice */
async function enter({ roomId, userName }) {
	const userId = await ownUserId();
	const media = await getLocalMedia(userName);
	const call = new Call({ signaling: new Signaling(SOCKET_URL), roomId, userId, userName });
	current = call;
	call.uplink.add({ camera: media.video, microphone: media.audio });
	call.addEventListener('joined', () => {
		joinScreen.hide();
		page.show(call, media);
		for (const text of missing(media)) showNotice(text);
	});
	call.addEventListener('problem', (event) => {
		showNotice(/** @type {CustomEvent} */ (event).detail, { problem: true });
	});
	call.addEventListener('ended', (event) => {
		page.hide();
		media.stop();
		current = undefined;
		clearNotices();
		joinScreen.show(/** @type {CustomEvent} */ (event).detail);
	});
	call.start();
}

/** @param {import('./media.js').LocalMedia} media */
function missing({ hasCamera, hasMicrophone }) {
	if (!hasCamera && !hasMicrophone) return ['No camera and no microphone: the others see a generated picture.'];
	if (!hasCamera) return ['No camera: the others see a generated picture.'];
	if (!hasMicrophone) return ['No microphone: the others do not hear you.'];
	return [];
}
