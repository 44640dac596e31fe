/**
 * Spans for OpenTelemetry.
 *
 * @module
 */
export { SfuTracing } from './SfuTracing.js';
export type { TracingOptions } from './SfuTracing.js';
