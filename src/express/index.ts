/**
 * WebSockets on the server of an Express app, through its middleware.
 *
 * @module
 */
export * from '../protoo/index.js';
export { isAllowedOrigin } from '../isAllowedOrigin.js';
export type { Origins } from '../isAllowedOrigin.js';
export { ExpressAdapter } from './ExpressAdapter.js';
export type { ExpressOptions, RequestListener } from './ExpressAdapter.js';
export type { UpgradingServer } from './UpgradeRoutes.js';
