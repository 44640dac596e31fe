/**
 * The adapter for Socket.IO 4.
 *
 * @module
 */
export * from '../protocol/index.js';
export * from '../signaling/app.js';
export { isAllowedOrigin } from '../isAllowedOrigin.js';
export type { Origins } from '../isAllowedOrigin.js';
export { SocketIoAdapter } from './SocketIoAdapter.js';
export type { SocketIoContext, SocketIoOptions } from './SocketIoAdapter.js';
export type { SocketIoHandshake, SocketIoSocket } from './SocketIoSocket.js';
