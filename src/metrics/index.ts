/**
 * Metrics for Prometheus, by prom-client.
 *
 * @module
 */
export { SfuMetrics } from './SfuMetrics.js';
export type { MetricsOptions } from './SfuMetrics.js';
