import { Problem } from './Problem.js';

/**
 * Reads the body of a request as text, as long as it keeps the limits.
 *
 * @param limits - the most bytes, and how long it may take, in ms
 * @throws {@link Problem} (rejects) 413, 408, 400 if it is not UTF-8 or breaks off
 */
export async function readBody(
	{ headers, body }: Request,
	{ bytes, timeout }: { bytes: number; timeout: number },
): Promise<string> {
	const tooLarge = () =>
		new Problem(413, `the body has more than the ${bytes} bytes that are allowed`, { code: 'too_large' });
	if (Number(headers.get('content-length')) > bytes) throw tooLarge();
	if (!body) return '';
	const reader = body.getReader();
	let late = false as boolean;
	const timer = setTimeout(() => {
		late = true;
		reader.cancel().catch(() => undefined);
	}, timeout);
	const parts: Uint8Array[] = [];
	let length = 0;
	try {
		for (;;) {
			const { done, value } = (await reader.read()) as { done: boolean; value: Uint8Array };
			if (done) break;
			length += value.byteLength;
			if (length > bytes) throw tooLarge();
			parts.push(value);
		}
		if (late) throw new Problem(408, `the body has not come within ${timeout} ms`, { code: 'timeout' });
		return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
	} catch (error) {
		reader.cancel().catch(() => undefined);
		if (error instanceof Problem) throw error;
		throw new Problem(400, 'the body broke off, or is not UTF-8', { code: 'invalid_argument' });
	} finally {
		clearTimeout(timer);
	}
}

/** Whether the body of a request has a media type (RFC 9110, section 8.3). */
export const hasType = ({ headers }: Request, type: string): boolean =>
	(headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() === type;

/** Whether a client accepts a media type in the response, as far as it says so (RFC 9110, section 12.5.1). */
export function accepts({ headers }: Request, type: string): boolean {
	const accepted = headers.get('accept');
	if (accepted === null || accepted.trim() === '') return true;
	const [kind = ''] = type.split('/');
	return accepted.split(',').some((range) => {
		const [wanted = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
		const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
		return !refused && [type, `${kind}/*`, '*/*'].includes(wanted);
	});
}
