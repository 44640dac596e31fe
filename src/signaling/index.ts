/**
 * The part of signalling that every adapter needs: sessions, joining, requests, notifications and limits.
 *
 * @module
 */
export * from './app.js';
export { OutgoingRequests } from './OutgoingRequests.js';
export type { Session } from './Session.js';
export type { RequestResult, Respond } from './RequestResult.js';
export { Signaling } from './Signaling.js';
export type { SignalingOptions } from './Signaling.js';
export type { ClientResponse, EncodeNotification, OutgoingRequest, SignalingClient } from './SignalingClient.js';
export { writeJson } from './sharedJson.js';
export { SocketLimits } from './SocketLimits.js';
export { RateLimit } from '../RateLimit.js';
