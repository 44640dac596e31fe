import { setTimeout as sleep } from 'node:timers/promises';
import type * as BusModule from '../../src/cluster/MemoryBus.js';
import type * as SealModule from '../../src/cluster/sealedBus.js';
import type * as WireModule from '../../src/cluster/wire.js';
import type * as Core from '../../src/index.js';
import { anOffer } from '../../test/support/offers.js';
import { loadBundle } from '../loadBundle.js';

/** What a user does, and what its server publishes for that, as it is on the bus. */
export interface Act {
	act: string;
	messages: number;
	bytes: number;
	/** How long the JSON of the last state of the user is. */
	state: number;
}

/** What a sealed message is longer than its text. */
const seal = 40;

/** Measures on two real servers what the acts of one user publish. */
export async function realMessages(): Promise<Act[]> {
	const modules = ['index.ts', 'cluster/MemoryBus.ts', 'cluster/sealedBus.ts', 'cluster/wire.ts'];
	const { Sfu, MemoryBus, sealedBus, decode, roomSubject } = (await loadBundle(...modules)) as typeof Core &
		typeof BusModule &
		typeof SealModule &
		typeof WireModule;
	const secret = 'x'.repeat(32);
	const first = new MemoryBus();
	const start = () => {
		const bus = new MemoryBus(first);
		return Sfu.create({ workers: { count: 1 }, cluster: { bus, secret, listen: { ip: '127.0.0.1' } } });
	};
	const sfus = [await start(), await start()];
	const [room] = await Promise.all(sfus.map((sfu) => sfu.getOrCreateRoom('6qtz8zit')));
	let published: Act = { act: '', messages: 0, bytes: 0, state: 0 };
	await sealedBus(first, secret).subscribe(roomSubject('6qtz8zit'), (message) => {
		const body = decode<WireModule.RoomMessage>(message)?.body;
		if (body?.kind !== 'change') return;
		published.messages++;
		published.bytes += message.length + seal;
		published.state = JSON.stringify(body.changes.at(-1)![2]).length;
	});
	const acts: Act[] = [];
	const measure = async <Result>(act: string, run: () => Result | Promise<Result>): Promise<Result> => {
		published = { act, messages: 0, bytes: 0, state: 0 };
		const result = await run();
		await sleep(100);
		acts.push(published);
		return result;
	};
	const user = await measure('join', async () => {
		const joined = await room!.join({ userId: 'user000001', userName: 'Alice Liddell' });
		// As the adapter does.
		joined.tickets.set(['a secret'], false);
		return joined;
	});
	await measure('push', () => user.push(anOffer('chromium-sendonly-audio-video')));
	const [pusher] = user.pushers.values();
	await measure('pause', () => pusher!.pause());
	await measure('resume', () => pusher!.resume());
	await measure('leave', () => {
		user.close();
	});
	for (const sfu of sfus) sfu.close();
	return acts;
}
