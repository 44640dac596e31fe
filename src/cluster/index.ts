export type { Bus } from './Bus.js';
export { MemoryBus } from './MemoryBus.js';
export { redisBus } from './redisBus.js';
export type { RedisBusOptions } from './redisBus.js';
export type { RedisClient } from './redisClients.js';
