/** The calls that are measured. */
export type CallName = 'push' | 'pull by an offer of the client' | 'pull by an offer of the server';

/** Prepares a call. Its result runs it; the result of that closes what it has made. */
export type Call = () => () => Promise<() => void>;

export type Calls = Record<CallName, Call>;
