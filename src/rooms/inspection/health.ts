import type { WorkerLoad } from '../../media/placement.js';

/** Why an Sfu can serve nobody new at the moment. */
export type HealthProblem =
	/** It has been closed. */
	| 'closed'
	/** `sfu.drain()` was called. */
	| 'draining'
	/** No media worker runs. The Sfu goes on trying to start one. */
	| 'noWorker'
	/** No messages come over the bus of the cluster. Who joins now may miss those who are in the room on other servers. */
	| 'busGone';

/** Whether an Sfu can serve somebody. It can be serialised as JSON. */
export interface Health {
	/** Whether somebody new may be sent here: there is no problem. */
	readonly ready: boolean;
	/** Whether the process is worth keeping. False after it has closed. */
	readonly live: boolean;
	/** What keeps it from being ready. Empty if it is. */
	readonly problems: readonly HealthProblem[];
}

/** The parts of an Sfu that its health depends on. */
export interface HealthPart {
	readonly closed: boolean;
	readonly draining: boolean;
	readonly workers: readonly WorkerLoad[];
	readonly cluster: { readonly connected: boolean } | undefined;
}

export function healthOf({ closed, draining, workers, cluster }: HealthPart): Health {
	// What is closed has no workers, and no bus.
	if (closed) return { ready: false, live: false, problems: ['closed'] };
	const problems: HealthProblem[] = [];
	if (draining) problems.push('draining');
	if (workers.length === 0) problems.push('noWorker');
	if (cluster?.connected === false) problems.push('busGone');
	return { ready: problems.length === 0, live: true, problems };
}
