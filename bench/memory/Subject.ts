/** Objects of one kind, of which memory is measured. */
export interface Subject {
	/** What one more of is made: a pusher, say. */
	name: string;
	/** Who makes it. */
	system: string;
	/** The name of the subject that it is compared with. */
	baseline?: string;
	/** Starts a worker, and prepares what so many objects need and are not measured with. */
	prepare(count: number): Promise<Field>;
}

/** Where objects are made. */
export interface Field {
	/** The process of the worker. */
	pid: number;
	/** Makes one more. */
	make(index: number): Promise<void>;
	/** Ends the worker, with all that was made. */
	close(): void;
}
