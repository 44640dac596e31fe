import { constants, setPriority } from 'node:os';

/**
 * Gives this process, and all that it starts from now on, the highest priority, so that nothing else on the machine takes the
 * time that a bench is about. Without the right to do so (root) only a quiet machine measures well.
 */
export function takePriority(): void {
	try {
		setPriority(constants.priority.PRIORITY_HIGHEST);
	} catch {
		console.warn('without the right to a higher priority: keep the machine quiet');
	}
}
