/** What a page learns of its machine. */
export interface NetworkListeners {
	/** There is a network again, or another one. */
	changed: () => void;
	/** The page is looked at again. It may have slept. */
	woken: () => void;
	/** Devices have come or gone. */
	devices: () => void;
}

/** Only some browsers tell of the network, and only those of phones say its type. */
type NetworkInformation = EventTarget & { type?: string };

/** @returns a function that ends it */
export function watchNetwork({ changed, woken, devices }: NetworkListeners): () => void {
	const { connection } = navigator as { connection?: NetworkInformation };
	let type = connection?.type;
	const typeChanged = () => {
		// It also tells of new estimates of the bandwidth.
		if (connection?.type === type) return;
		type = connection?.type;
		changed();
	};
	const visibilityChanged = () => {
		if (!document.hidden) woken();
	};
	// Browsers give pages on plain http no devices.
	const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
	const listened: [EventTarget | undefined, string, () => void][] = [
		[window, 'online', changed],
		[connection, 'change', typeChanged],
		[document, 'visibilitychange', visibilityChanged],
		[mediaDevices, 'devicechange', devices],
	];
	for (const [target, event, listener] of listened) target?.addEventListener(event, listener);
	return () => {
		for (const [target, event, listener] of listened) target?.removeEventListener(event, listener);
	};
}
