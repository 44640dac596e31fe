/** Compiled only: the bus takes the clients of both packages as they are, however they were made. */
import { Cluster, Redis } from 'ioredis';
import { createClient, type RedisClientType } from 'redis';
import { redisBus } from '../../src/cluster/redisBus.js';

export function clientsThatItTakes(general: RedisClientType) {
	redisBus(new Redis());
	redisBus(new Redis('redis://127.0.0.1', { keyPrefix: 'app:', replyMapping: 'resp3' }));
	redisBus(new Cluster([{ host: '127.0.0.1', port: 7000 }]));
	redisBus(createClient());
	redisBus(createClient({ url: 'redis://127.0.0.1', RESP: 2 }), { prefix: 'app', timeout: 500 });
	redisBus(general);
	// @ts-expect-error a socket is no client
	redisBus(new WebSocket('ws://127.0.0.1'));
	// @ts-expect-error nor are its options
	redisBus({ host: '127.0.0.1' });
}
