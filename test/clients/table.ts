import { readFile, writeFile } from 'node:fs/promises';
import * as prettier from 'prettier';
import type { VideoCodec } from '../support/client.js';
import { clientNames, type ClientName, type Lacks } from './Client.js';

export const codecs: readonly VideoCodec[] = ['VP8', 'VP9', 'H264', 'AV1'];

/** Who offers when something is pulled. */
export const offerers = ['client', 'server'] as const;
export type Offerer = (typeof offerers)[number];

/** What is known of a client that has run. */
export interface About {
	version: string;
	send: Lacks;
	receive: Lacks;
}

/** One thing that was seen to work. */
export interface Seen {
	pusher: ClientName;
	puller: ClientName;
	codec: VideoCodec;
	offerer: Offerer;
}

const page = new URL('../../docs/clients.md', import.meta.url);
const marked = /(<!-- clients: begin -->\n)([\s\S]*?)(<!-- clients: end -->)/;

/** The table and the remarks below it as they stand on that page. */
export async function readTable(): Promise<string> {
	return marked.exec(await readFile(page, 'utf8'))?.[2] ?? '';
}

export async function writeTable(table: string): Promise<void> {
	const text = await readFile(page, 'utf8');
	await writeFile(
		page,
		text.replace(marked, (_, begin: string, __, end: string) => begin + table + end),
	);
}

/** All that was seen, and for what is missing the reason. */
export async function tableOf(clients: ReadonlyMap<ClientName, About>, seen: readonly Seen[]): Promise<string> {
	const title = (name: ClientName) => `${name} ${clients.get(name)?.version ?? 'was not there'}`;
	const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
	const lines = [
		row(['pushes ↓ pulls →', ...clientNames.map(title)]),
		row(['---', ...clientNames.map(() => '---')]),
		...clientNames.map((pusher) => row([title(pusher), ...clientNames.map((puller) => cell(pusher, puller, seen))])),
		'',
		...clientNames.flatMap((name) => remark(name, clients.get(name))),
	];
	const options = await prettier.resolveConfig(page);
	return prettier.format(`\n${lines.join('\n')}\n`, { ...options, parser: 'markdown' }).then((text) => `\n${text}\n`);
}

function cell(pusher: ClientName, puller: ClientName, seen: readonly Seen[]): string {
	const works = (codec: VideoCodec, offerer: Offerer) =>
		seen.some(
			(other) =>
				other.pusher === pusher && other.puller === puller && other.codec === codec && other.offerer === offerer,
		);
	const shown = codecs.flatMap((codec) => {
		const by = offerers.filter((offerer) => works(codec, offerer));
		if (by.length === 0) return [];
		return by.length === offerers.length ? codec : `${codec} (the ${by.join()} offers)`;
	});
	return shown.join(', ') || 'nothing';
}

/** What a client lacks, and why. */
function remark(name: ClientName, about: About | undefined): string[] {
	if (!about) return [];
	const { send, receive } = about;
	const lacks = codecs.flatMap((codec) => {
		const reasons = [...new Set([send[codec], receive[codec]])].filter((reason) => reason !== false);
		if (reasons.length === 0) return [];
		const what = send[codec] === false ? 'pulls' : receive[codec] === false ? 'pushes' : 'has';
		return `${what} no ${codec} (${reasons.join(', ')})`;
	});
	return lacks.length > 0 ? [`- ${name} ${lacks.join(', ')}.`] : [];
}
