/**
 * A plugin for Fastify.
 *
 * @module
 */
export * from '../protoo/index.js';
export { isAllowedOrigin } from '../isAllowedOrigin.js';
export type { Origins } from '../isAllowedOrigin.js';
export { sfuRooms } from './sfuRooms.js';
export type { FastifyOptions } from './sfuRooms.js';
