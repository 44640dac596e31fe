const longest = 64;

/** Somebody else's text for use in a message: in quotation marks, and not too long. */
export function quoted(text: string): string {
	return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
