// Each creation writes to the worker before it waits. Other calls have their turn after so many.
const defaultAtOnce = 8;

/**
 * Creates several things, some at the same time. When a creation fails, no more begin, and those under way are waited for:
 * nothing is created after the failure.
 *
 * @param created - called for all that has been created, in the order of the creations, even if one of them has failed
 * @param atOnce - how many are created at the same time
 * @throws (rejects) the first error, in the order of the creations
 */
export async function createAll<Item>(
	creations: readonly (() => Promise<Item>)[],
	created: (item: Item) => void,
	atOnce = defaultAtOnce,
): Promise<void> {
	for (let start = 0; start < creations.length; start += atOnce) {
		const results = await Promise.allSettled(creations.slice(start, start + atOnce).map((create) => create()));
		const failed = results.find((result) => result.status === 'rejected');
		for (const result of results) if (result.status === 'fulfilled') created(result.value);
		if (failed) throw failed.reason;
	}
}
