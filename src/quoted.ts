const longest = 64;

/** Quotes a client's text for use in a message. It escapes control characters, and cuts a long text. */
export function quoted(text: string): string {
	return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
