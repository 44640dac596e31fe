import type { Emitter } from '../Emitter.js';
import type { Observers } from '../Observers.js';
import { SfuError } from '../SfuError.js';
import type { ConnectionCloseReason, ConnectionEvents, ConnectionState } from './ConnectionEvents.js';

interface Connecting extends Pick<Emitter<ConnectionEvents>, 'on' | 'once'> {
	readonly state: ConnectionState;
}

/** Tells the observers how long a client takes to connect. */
export function observeConnecting(connection: Connecting, observers: Observers): void {
	const end = observers.begin('connect', {});
	// DTLS may have been faster than the answer was applied.
	if (connection.state === 'connected') end();
	connection.on('stateChanged', ({ state }) => {
		if (state === 'connected') end();
	});
	connection.once('closed', ({ reason }) => {
		end(failure(reason));
	});
}

function failure(reason: ConnectionCloseReason): SfuError {
	if (reason === 'connectTimeout') return new SfuError('timeout', 'the client did not connect in time');
	if (reason === 'workerDied') return new SfuError('unavailable', 'the media worker is gone');
	if (reason === 'dtlsClosed') return new SfuError('conflict', 'the DTLS handshake failed');
	return new SfuError('closed', 'the connection closed before the client had connected');
}
