import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Kind } from '../support/client.js';
import type { Client } from './Client.js';
import { JsonLinesProcess } from './JsonLinesProcess.js';

// Debian's Python modules are for Debian's Python.
const python = '/usr/bin/python3';

const scripts = { GStreamer: 'gstreamer_client.py', aiortc: 'aiortc_client.py' };

/** For node:test's `skip`: why this client cannot be run here, or false. */
export function isNotInstalled(name: keyof typeof scripts): string | false {
	// Without anybody who calls it ends at once, unless it cannot even begin.
	const { status, error, stderr } = spawnSync(python, ['-B', fileOf(scripts[name])], { input: '', encoding: 'utf8' });
	if (status === 0) return false;
	const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
	if (!error && !/^(ModuleNotFoundError|ImportError|ValueError: Namespace)/.test(reason)) throw new Error(stderr);
	return `${name} is not installed: ${reason}`;
}

export const startGStreamer = (): Client => clientOf(startPython('GStreamer'));

export const startAiortc = (): Client => clientOf(startPython('aiortc'));

/** werift encodes nothing: what it pushes comes from GStreamer, as RTP. */
export function startWerift(): Client {
	const child = new JsonLinesProcess(process.execPath, ['--import', 'tsx', fileOf('weriftClient.ts')]);
	const client = clientOf(child);
	const withoutSource = isNotInstalled('GStreamer');
	const source = withoutSource === false ? startPython('GStreamer') : undefined;
	const sourceIds = new Map<string, unknown>();
	return {
		...client,
		async about() {
			const about = await client.about();
			const send = source
				? (await clientOf(source).about()).send
				: { VP8: withoutSource, VP9: withoutSource, H264: withoutSource, AV1: withoutSource };
			return { ...about, send };
		},
		async createPusher(options) {
			const { id, offer, ports } = (await child.call('createPusher', options)) as {
				id: string;
				offer: string;
				ports: Record<Kind, number>;
			};
			sourceIds.set(id, await source?.call('sendRtp', { ...options, ...ports }));
			return { id, offer };
		},
		async close(id) {
			if (sourceIds.has(id)) await source?.call('close', sourceIds.get(id));
			await client.close(id);
		},
		async stop() {
			await Promise.all([child.stop(), source?.stop()]);
		},
	};
}

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const startPython = (name: keyof typeof scripts) => new JsonLinesProcess(python, ['-B', fileOf(scripts[name])]);

type Calls = Omit<Client, 'stop'>;

/** The calls of Client.ts, made to a process. */
function clientOf(child: JsonLinesProcess): Client {
	const call =
		<Method extends keyof Calls>(method: Method) =>
		(...args: Parameters<Calls[Method]>) =>
			child.call(method, ...args) as ReturnType<Calls[Method]>;
	return {
		about: call('about'),
		createPusher: call('createPusher'),
		createPuller: call('createPuller'),
		acceptAnswer: call('acceptAnswer'),
		answerOffer: call('answerOffer'),
		offerAgain: call('offerAgain'),
		answerAgain: call('answerAgain'),
		received: call('received'),
		close: call('close'),
		stop: () => child.stop(),
	};
}
