const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Calls a function, and takes off the handlers of signals that it has set before it returned. mediasoup sets some for each
 * worker, and closes the worker with them: so an app that drains would lose its media at once, and one without handlers of
 * its own would go on without media.
 */
export function withoutSignalHandlers<Result>(call: () => Result): Result {
	const before = signals.map((signal) => new Set<unknown>(process.rawListeners(signal)));
	// mediasoup raises it with each worker, and never lowers it.
	const most = process.getMaxListeners();
	try {
		return call();
	} finally {
		for (const [index, signal] of signals.entries()) {
			for (const listener of process.rawListeners(signal)) {
				if (!before[index]?.has(listener)) process.removeListener(signal, listener as () => void);
			}
		}
		process.setMaxListeners(most);
	}
}
