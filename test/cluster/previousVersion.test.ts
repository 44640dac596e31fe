// Takes 20 s.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../media/setup.js';
import { ReceivingPeer, SendingPeer } from '../support/mediaPeers.js';
import { mediaAddress } from '../support/namespace.js';
import { layOutPreviousVersion, noPreviousVersion } from '../support/previousVersion.js';
import { noRedis, startRedis, type Server } from '../support/redis.js';
import { runsAll } from '../support/seed.js';
import {
	eventually,
	killServerProcesses,
	ServerProcess,
	startServerProcesses,
	untilAcquainted,
} from '../support/serverProcesses.js';
import { untilSame } from './openRooms.js';

const roomId = 'a room';

describe(
	'Servers of the version before and of this one',
	{
		skip: noRedis || noPreviousVersion || (!runsAll && 'takes a minute: npm run test:long faults'),
		timeout: 300_000,
	},
	() => {
		let redis: Server;
		let previous: ReturnType<typeof layOutPreviousVersion>;
		let servers: ServerProcess[];

		before(async () => {
			previous = layOutPreviousVersion();
			redis = await startRedis();
			const names = ['old one', 'old two', 'old three'];
			servers = await startServerProcesses(
				redis.port,
				names,
				names.map(() => previous),
			);
		});
		after(async () => {
			await killServerProcesses();
			await redis.end();
			previous.remove();
		});

		it('are replaced one after the other under a call', async (t) => {
			t.diagnostic(`the version before is ${previous.commit}`);
			const all = new Set(servers);
			/** Who is on which server. */
			const owners: Record<string, string> = {};
			const at = (userId: string) => [...all].find(({ name }) => name === owners[userId])!;
			const join = async (userId: string, server: ServerProcess, takeOver = false) => {
				await server.call('join', roomId, { userId, takeOver });
				owners[userId] = server.name;
			};
			const agree = () => untilSame(roomId, [...all], owners);

			for (const server of servers) await server.call('open', roomId);
			await join('caster', servers[0]!);
			await join('viewer', servers[1]!);
			await join('guest', servers[2]!);
			await agree();
			let sender = await SendingPeer.connect(at('caster'), roomId, 'caster', mediaAddress);
			let receiver: ReceivingPeer | undefined;
			/** When the viewer saw a picture by earlier connections. */
			const shown: number[] = [];
			t.after(async () => {
				await sender.close();
				await receiver?.close();
			});
			const receive = async () => {
				const server = at('viewer');
				await eventually('the tracks are known', async () => {
					const caster = (await server.call('view', roomId)).users.find(({ userId }) => userId === 'caster');
					assert.deepEqual([caster?.owner, caster?.pushers.length], [owners.caster, 2]);
				});
				const next = await ReceivingPeer.connect(server, roomId, 'viewer', 'caster', mediaAddress);
				await until(() => next.pictures.length > 5 && next.sounds.length > 5, 'it is received', 20_000);
				shown.push(...(receiver?.pictures ?? []));
				await receiver?.close();
				receiver = next;
			};
			await receive();

			for (const old of servers) {
				const began = Date.now();
				const successor = await ServerProcess.start(redis.port, old.name.replace('old', 'new'));
				all.add(successor);
				await untilAcquainted([...all]);
				await successor.call('open', roomId);
				await agree();
				const outcome = old.call('drain');
				await old.untilTold(roomId, 'draining');
				await eventually('the others know that it is drained', async () => {
					assert.equal((await successor.call('about')).nodes[old.name], true);
				});
				for (const userId of Object.keys(owners)) {
					if (owners[userId] !== old.name) continue;
					await join(userId, successor, true);
					await agree();
					if (userId === 'caster') {
						const next = await SendingPeer.connect(successor, roomId, userId, mediaAddress);
						await sender.close();
						sender = next;
					}
					if (userId !== 'guest') await receive();
				}
				assert.equal(await outcome, true, 'nobody is left there');
				all.delete(old);
				await old.call('close');
				assert.equal(await old.exited, 0);
				for (const server of all) await server.untilTold('', `${old.name} is lost: nodeStopped`);
				await agree();

				// Each asks something of a user of another server, whatever their versions.
				const users = Object.keys(owners);
				for (const [index, asking] of [...all].entries()) {
					const userId = users.find((one) => owners[one] !== asking.name)!;
					const name = `${userId} ${old.name} ${index}`;
					await asking.call('user', roomId, userId, 'rename', name);
					await eventually('all know the name', async () => {
						for (const server of all) {
							const { users } = await server.call('view', roomId);
							assert.equal(users.find((user) => user.userId === userId)!.userName, name, server.name);
						}
					});
				}
				await [...all][0]!.call('pusher', roomId, 'caster', 'audio', 'pause');
				await at('viewer').untilTold(roomId, 'caster audio paused by app');
				await [...all].at(-1)!.call('pusher', roomId, 'caster', 'audio', 'resume');

				const times = [...shown, ...receiver!.pictures].filter((time) => time >= began).sort((a, b) => a - b);
				const gaps = times.slice(1).map((time, index) => time - times[index]!);
				// How long a page sees nothing while servers are replaced, test/examples/cluster.test.ts asserts.
				t.diagnostic(`${old.name} is replaced: never ${Math.max(...gaps)} ms without a picture`);
			}

			for (const server of [...servers, ...all]) {
				for (const userId of Object.keys(owners)) {
					const turns = server.story(roomId).flatMap((text) => {
						const turn = new RegExp(`^${userId} (joined|left)`).exec(text)?.[1];
						return turn === undefined ? [] : [turn];
					});
					// Who was there when the server opened the room is told of only when it leaves.
					const expected = turns.map((turn, index) =>
						index === 0 ? turn : turns[index - 1] === 'left' ? 'joined' : 'left',
					);
					assert.deepEqual(turns, expected, `${server.name} tells of ${userId} in turns`);
				}
				assert.deepEqual(
					server.logged.filter((text) => /version|error/.test(text)),
					[],
					server.name,
				);
			}
		});
	},
);
