import process from 'node:process';

interface Task {
	at: number;
	order: number;
	run: () => void;
	/** Of an interval, in ms. */
	every: number | undefined;
}

/** A clock that goes from one timer to the next, and waits for nothing. What follows from a timer is done before the next one. */
export class FakeClock {
	#now = 0;
	#order = 0;
	/** In the order in which they are due. */
	readonly #tasks: Task[] = [];
	/** The timers that were set by way of the global functions. */
	readonly #timers = new Set<Task>();
	readonly #settle: () => Promise<void>;

	/** @param settle - waits until all that follows from a timer has happened. Default: until all promises have had their consequences */
	constructor(settle = afterPromises) {
		this.#settle = settle;
	}

	/** In ms. */
	get now(): number {
		return this.#now;
	}

	/** How many timers run that were set by way of the global functions. */
	get timers(): number {
		return this.#timers.size;
	}

	/** Takes the place of the global timers. @returns a function that ends this */
	install(): () => void {
		const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
		const set = (run: () => void, delay = 1, every?: number) => {
			const task = this.#add(run, Math.max(delay, 1), every);
			this.#timers.add(task);
			return Object.assign(task, { ref: () => task, unref: () => task });
		};
		const clear = (task: Task | undefined) => {
			if (task && this.#timers.delete(task)) this.#remove(task);
		};
		Object.assign(globalThis, {
			setTimeout: (run: () => void, delay?: number) => set(run, delay),
			setInterval: (run: () => void, delay?: number) => set(run, delay, delay),
			clearTimeout: clear,
			clearInterval: clear,
		});
		return () => Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
	}

	/** Calls `run` later. */
	later(delay: number, run: () => void): void {
		this.#add(run, delay);
	}

	/** Lets time pass. */
	async pass(ms: number): Promise<void> {
		const end = this.#now + ms;
		await this.#settle();
		for (let task = this.#tasks[0]; task && task.at <= end; task = this.#tasks[0]) {
			this.#now = task.at;
			this.#tasks.shift();
			if (task.every === undefined) this.#timers.delete(task);
			else this.#insert(Object.assign(task, { at: task.at + task.every, order: this.#order++ }));
			task.run();
			await this.#settle();
		}
		this.#now = end;
	}

	#add(run: () => void, delay: number, every?: number): Task {
		const task = { at: this.#now + delay, order: this.#order++, run, every };
		this.#insert(task);
		return task;
	}

	#insert(task: Task): void {
		let index = this.#tasks.length;
		while (index > 0 && this.#tasks[index - 1]!.at > task.at) index--;
		this.#tasks.splice(index, 0, task);
	}

	#remove(task: Task): void {
		const index = this.#tasks.indexOf(task);
		if (index >= 0) this.#tasks.splice(index, 1);
	}
}

/** Waits until all promises have had their consequences. */
const afterPromises = () =>
	new Promise<void>((resolve) => {
		process.nextTick(resolve);
	});
