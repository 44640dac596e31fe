import type { Logger } from './Logger.js';
import type { ConnectionCloseReason } from './connections/ConnectionEvents.js';
import type { MessageFailure, Observation, Observer, Operation, OperationName } from './Observer.js';
import { SfuError } from './SfuError.js';

type Facts = Partial<Pick<Operation, 'roomId' | 'userId' | 'connectionId' | 'waited'>>;

/** An operation, to which its work adds what it finds out. */
export type GrowingOperation = { -readonly [Key in keyof Operation]: Operation[Key] };

/** An operation that goes on. */
interface Running {
	/** Calls `work` within what the observers need, and returns its result. */
	run: <Result>(work: () => Result) => Result;
	/** Ends it. Later calls do nothing. */
	end: (error?: unknown) => void;
}

/** Those who follow the operations of an Sfu. Each room and each user has one that knows whose operations these are. */
export class Observers {
	readonly #all: Set<Observer>;
	readonly #logger: Logger;
	readonly #facts: Facts;

	constructor(logger: Logger, all = new Set<Observer>(), facts: Facts = {}) {
		this.#logger = logger;
		this.#all = all;
		this.#facts = facts;
	}

	/** The same observers, for the operations of one room or user. */
	of(facts: Facts): Observers {
		return new Observers(this.#logger, this.#all, { ...this.#facts, ...facts });
	}

	/** Adds one. @returns a function that removes it */
	add(observer: Observer): () => void {
		// The same one may be added twice.
		const added: Observer = {
			begun: (operation) => observer.begun(operation),
			messageFailed: (failure) => observer.messageFailed?.(failure),
			connectionClosed: (end) => observer.connectionClosed?.(end),
		};
		this.#all.add(added);
		return () => void this.#all.delete(added);
	}

	/** Does some work, and tells all observers. */
	async run<Result>(
		name: OperationName,
		facts: Facts,
		work: (operation: GrowingOperation) => Promise<Result>,
	): Promise<Result> {
		const operation = this.#operation(name, facts);
		const { run, end } = this.#begin(operation);
		try {
			const result = await run(() => work(operation));
			end();
			return result;
		} catch (error) {
			end(error);
			throw error;
		}
	}

	/** Begins something that events end. */
	begin(name: OperationName, facts: Facts): (error?: unknown) => void {
		return this.#begin(this.#operation(name, facts)).end;
	}

	/** A message of a client was refused, or has failed. */
	messageFailed(failure: MessageFailure): void {
		for (const observer of this.#all) this.#try(() => observer.messageFailed?.(failure));
	}

	/** The connection that these observers are of has closed. */
	connectionClosed(reason: ConnectionCloseReason): void {
		const { roomId = '', userId = '', connectionId = '' } = this.#facts;
		for (const observer of this.#all) {
			this.#try(() => observer.connectionClosed?.({ roomId, userId, connectionId, reason }));
		}
	}

	#operation(name: OperationName, facts: Facts): GrowingOperation {
		return { name, roomId: '', ...this.#facts, ...facts };
	}

	#begin(operation: GrowingOperation): Running {
		const begunAt = performance.now();
		const observations = [...this.#all].flatMap((observer) => this.#try(() => observer.begun(operation)) ?? []);
		let ended = false;
		return {
			run: (work) => this.#within(observations, work),
			end: (error) => {
				if (ended) return;
				ended = true;
				const end = { duration: performance.now() - begunAt, error: error === undefined ? undefined : known(error) };
				for (const observation of observations) {
					this.#try(() => {
						observation.ended(end);
					});
				}
			},
		};
	}

	/** An observer that does not call, or that throws, does not keep the work from being done. */
	#within<Result>(observations: readonly Observation[], work: () => Result): Result {
		const [first, ...others] = observations;
		if (!first) return work();
		if (!first.within) return this.#within(others, work);
		let done: { result: Result } | undefined;
		const once = () => {
			done ??= { result: this.#within(others, work) };
			return done.result;
		};
		this.#try(() => first.within?.(once));
		return once();
	}

	#try<Result>(act: () => Result): Result | undefined {
		try {
			return act();
		} catch (error) {
			this.#logger.error('an observer failed', { error });
			return undefined;
		}
	}
}

const known = (error: unknown): SfuError =>
	error instanceof SfuError ? error : new SfuError('internal', 'internal error', { cause: error });
