import fc from 'fast-check';
import type { FaultyBus } from './FaultyBus.js';
import type { FaultyNetwork, Weather } from './FaultyNetwork.js';

/** What may happen to the network, and how often beside other acts. How often all of it is mended, each play says itself. */
export const networkActs = {
	makeMute: 1,
	makeDeaf: 1,
	hear: 2,
	cut: 2,
	cutBoth: 2,
	mendWay: 3,
	cutDirect: 2,
	mendDirect: 2,
	stopBus: 1,
	resumeBus: 3,
};

export const weather: fc.Arbitrary<Weather> = fc.record({
	loss: fc.constantFrom(0, 0.05, 0.3),
	double: fc.constantFrom(0, 0.1, 0.5),
	delay: fc.constantFrom(3, 100, 1500, 6000),
	ordered: fc.boolean(),
});

/** One of the acts, by their weights, or another weather. */
export const actOrWeather = <Act extends string>(acts: Readonly<Record<Act, number>>): fc.Arbitrary<Act | Weather> =>
	fc.oneof(...Object.entries<number>(acts).map(([act, weight]) => ({ weight, arbitrary: fc.constant(act as Act) })), {
		weight: 3,
		arbitrary: weather,
	});

/**
 * Does what happens to the network between two places.
 *
 * @param bus - the one of the first place
 * @returns whether it was something of the network
 */
export function doWithNetwork(network: FaultyNetwork, bus: FaultyBus, act: string, from: number, to: number): boolean {
	if (act === 'makeMute') bus.isMute = true;
	else if (act === 'makeDeaf') bus.isDeaf = true;
	else if (act === 'hear') bus.isMute = bus.isDeaf = false;
	else if (act === 'cut') network.cut(from, to, true);
	else if (act === 'cutBoth') for (const [one, two] of both(from, to)) network.cut(one, two, true);
	else if (act === 'mendWay') for (const [one, two] of both(from, to)) network.cut(one, two, false);
	else if (act === 'cutDirect') network.cutDirect(from, to, true);
	else if (act === 'mendDirect') for (const [one, two] of both(from, to)) network.cutDirect(one, two, false);
	else if (act === 'stopBus') network.stop();
	else if (act === 'resumeBus') network.resume();
	else if (act === 'mend') network.mend();
	else return false;
	return true;
}

const both = (one: number, two: number): [number, number][] => [
	[one, two],
	[two, one],
];
