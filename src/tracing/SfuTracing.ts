import { context, SpanStatusCode, trace, type Attributes, type Tracer } from '@opentelemetry/api';
import { SfuError, type Observation, type Operation, type Sfu } from '../index.js';
import { strict, validator } from '../schemas.js';

/** How to trace an Sfu. */
export interface TracingOptions {
	/** Makes the spans. Default: that of the global tracer provider with the name `sfu-rooms`. */
	tracer?: Tracer;
}

const checkOptions = validator<TracingOptions>(strict({ tracer: { type: 'object' } }), 'options');

/**
 * Makes a span of each operation of an Sfu: `sfu-rooms.openRoom`, `join`, `push`, `pull`, `offer`, `answer` and `connect`. Its
 * parent is the span in whose context the operation was begun: that of a request of the app, or of a push that others pull.
 *
 * A span has the attributes `sfu.room.id`, `sfu.user.id` and `sfu.connection.id`. If it fails, it has the status `ERROR`, and
 * `error.type` is the code of the error. There is no message of an error in it, no SDP, and nothing that a client must keep secret.
 *
 * @example
 * ```ts
 * const tracing = new SfuTracing(sfu);
 * ```
 */
export class SfuTracing {
	readonly #tracer: Tracer;
	readonly #unobserve: () => void;

	/**
	 * Begins to trace. It ends when the Sfu closes.
	 *
	 * @throws `SfuError` `invalid_argument`, `closed`
	 */
	constructor(sfu: Sfu, options: TracingOptions = {}) {
		const { tracer = trace.getTracer('sfu-rooms') } = checkOptions(options);
		if (sfu.closed) throw new SfuError('closed', 'the Sfu has been closed');
		this.#tracer = tracer;
		this.#unobserve = sfu.observe({ begun: (operation) => this.#begun(operation) });
	}

	/** Makes no more spans. Those that have begun end all the same. */
	close(): void {
		this.#unobserve();
	}

	#begun(operation: Operation): Observation {
		const parent = context.active();
		const span = this.#tracer.startSpan(`sfu-rooms.${operation.name}`, { attributes: attributesOf(operation) }, parent);
		return {
			within: (work) => {
				context.with(trace.setSpan(parent, span), work);
			},
			ended: ({ error }) => {
				span.setAttributes(attributesOf(operation));
				if (error) {
					span.setAttribute('error.type', error.code);
					span.setStatus({ code: SpanStatusCode.ERROR, message: error.code });
				}
				span.end();
			},
		};
	}
}

const attributesOf = ({ roomId, userId, connectionId, waited }: Operation): Attributes => ({
	'sfu.room.id': roomId,
	...(userId !== undefined && { 'sfu.user.id': userId }),
	...(connectionId !== undefined && { 'sfu.connection.id': connectionId }),
	...(waited && { 'sfu.waited': true }),
});
