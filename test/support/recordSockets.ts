/** A script for a page: keeps what it opens as `sockets` and `connections`, for a test to look at and to cut. */
export const recordSockets = `
	Object.assign(globalThis, { sockets: [], connections: [] });
	WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			sockets.push(this);
		}
	};
	RTCPeerConnection = class extends RTCPeerConnection {
		constructor(...args) {
			super(...args);
			connections.push(this);
		}
	};
`;
