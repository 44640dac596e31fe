import type { Consumer, WebRtcTransport } from 'mediasoup/types';

/**
 * Calls `start` once, when a client can receive what a consumer sends: it has connected, and the consumer is not paused.
 *
 * @returns a function that forgets it
 */
export function onceReceivable(transport: WebRtcTransport, consumer: Consumer, start: () => void): () => void {
	const forget = () => {
		transport.observer.off('dtlsstatechange', look);
		consumer.observer.off('resume', look);
	};
	const look = () => {
		if (transport.dtlsState !== 'connected' || consumer.paused) return;
		forget();
		start();
	};
	transport.observer.on('dtlsstatechange', look);
	consumer.observer.on('resume', look);
	look();
	return forget;
}
