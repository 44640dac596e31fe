import { Bare } from './bare.js';
import { pulledUsers, type Churn } from './Churn.js';

/** The same on bare mediasoup: transports that are connected, producers and consumers. */
export async function startBareChurn(): Promise<Churn> {
	const bare = await Bare.start();
	/** What those who are there push. */
	const pushed = new Set<readonly string[]>();
	let calls = 0;

	async function stay(): Promise<void> {
		const others = [...pushed].slice(-pulledUsers);
		const { transport, producerIds } = await bare.push(['audio', 'video']);
		const transports = [transport];
		pushed.add(producerIds);
		calls++;
		for (const other of others) {
			// Whom it wanted to pull has left meanwhile.
			if (!pushed.has(other)) continue;
			try {
				transports.push(await bare.pull(other));
				calls++;
			} catch (error) {
				if (pushed.has(other)) throw error;
			}
		}
		pushed.delete(producerIds);
		for (const one of transports) one.close();
	}

	return {
		system: 'bare mediasoup',
		worker: bare.worker,
		get calls() {
			return calls;
		},
		stay,
		settle: () => Promise.resolve(),
		clear: () => {
			bare.closeRouter();
		},
		close: () => {
			bare.close();
		},
	};
}
