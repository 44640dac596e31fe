// Plays by WHEP without a library: one POST, and one DELETE at the end.
const state = document.querySelector('#state');
const video = document.querySelector('#video');
const stream = new MediaStream();
video.srcObject = stream;

const connection = new RTCPeerConnection();
connection.addEventListener('track', ({ track }) => stream.addTrack(track));
connection.addEventListener('connectionstatechange', () => {
	state.textContent = `The connection is ${connection.connectionState}.`;
});
for (const kind of ['video', 'audio']) connection.addTransceiver(kind, { direction: 'recvonly' });
await connection.setLocalDescription();

const endpoint = new URL(`rtc/whep/stage${location.search}`, document.baseURI);
const response = await fetch(endpoint, {
	method: 'POST',
	headers: { 'content-type': 'application/sdp' },
	body: connection.localDescription.sdp,
});
if (response.status === 201) {
	await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
	const session = new URL(response.headers.get('location'), endpoint);
	addEventListener('pagehide', () => {
		void fetch(session, { method: 'DELETE', keepalive: true });
	});
} else {
	const { detail } = await response.json();
	state.textContent = `The server refuses: ${detail}`;
}
