import { Bare } from './bare.js';
import type { Subject } from './Subject.js';

const system = 'bare mediasoup';

/** The objects of mediasoup that the library needs for the same. */
export const bareSubjects: readonly Subject[] = [
	{
		name: 'pusher',
		system,
		async prepare() {
			const bare = await Bare.start();
			const make = async () => {
				await bare.push(['video']);
			};
			return fieldOf(bare, make);
		},
	},
	{
		name: 'puller',
		system,
		async prepare() {
			const bare = await Bare.start();
			const { producerIds } = await bare.push(['video']);
			const make = async () => {
				await bare.pull(producerIds);
			};
			return fieldOf(bare, make);
		},
	},
];

const fieldOf = (bare: Bare, make: () => Promise<void>) => ({
	pid: bare.worker.pid,
	make,
	close: () => {
		bare.close();
	},
});
