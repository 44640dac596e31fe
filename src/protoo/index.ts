/**
 * The adapter for protoo 4 over WebSocket, or over any other transport of text messages.
 *
 * @module
 */
export * from '../protocol/index.js';
export * from '../signaling/app.js';
export { ProtooAdapter } from './ProtooAdapter.js';
export type { ProtooOptions } from './ProtooAdapter.js';
export type { Socket, SocketHandlers } from './Socket.js';
export { createSocketPair } from './sockets/createSocketPair.js';
export { fromWebSocket } from './sockets/fromWebSocket.js';
export type { WebSocketLike, WebSocketOptions } from './sockets/fromWebSocket.js';
