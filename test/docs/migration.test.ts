import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { entries, exportedNames, propertiesOf, typeOf, valueOf, type Entry } from './declarations.js';
import { readPage } from './markdown.js';

/** Of what the page writes as `object.member`: the members. */
const members = {
	...Object.fromEntries(
		(['Sfu', 'Room', 'User', 'Pusher', 'Puller'] as const).map((name) => [name.toLowerCase(), namesOf('core', name)]),
	),
	Sfu: propertiesOf(valueOf('core', 'Sfu')).map(({ name }) => name),
	workers: namesOf('core', 'WorkerOptions'),
	webRtc: namesOf('core', 'WebRtcOptions'),
	authorize: namesOf('signaling', 'AuthorizeTable'),
	Call: propertiesOf(valueOf('client', 'Call')).map(({ name }) => name),
	call: namesOf('client', 'Call'),
	track: namesOf('client', 'RemoteTrack'),
} as Record<string, string[]>;

/** What is exported, and what that has: classes and their members, options, events, messages and their fields. */
const known = new Set(
	(Object.keys(entries) as Entry[]).flatMap((entry) =>
		exportedNames(entry).flatMap((name) => [name, ...namesOf(entry, name)]),
	),
);

function namesOf(entry: Entry, type: string): string[] {
	return propertiesOf(typeOf(entry, type)).map(({ name }) => name);
}

/** Why a name that the page gives does not exist; undefined if it does. */
function fault(code: string): string | undefined {
	if (code.startsWith('sfu-rooms/')) {
		return Object.hasOwn(manifest.exports, code.replace('sfu-rooms', '.')) ? undefined : `no entry ${code}`;
	}
	const [, name = '', member, rest = ''] = /^(\w+)(?:\.(\w+))?(.*)$/.exec(code) ?? [];
	if (member !== undefined && !members[name]?.includes(member)) return `no ${name}.${member}`;
	if (member === undefined && !known.has(name) && name !== 'RTCPeerConnection') return `no ${name}`;
	const [, keys = ''] = /\{ (.*) \}/.exec(rest) ?? [];
	const missing = keys
		.split(', ')
		.map((key) => key.split(':')[0]!)
		.filter((key) => key !== '' && !known.has(key));
	return missing.length > 0 ? `no ${missing.join(', ')} of ${code}` : undefined;
}

describe('docs/migration.md', () => {
	const tables = readPage('docs/migration.md')
		.prose.split(/\n(?!\|)/)
		.map((part) => part.split('\n').filter((line) => line.startsWith('|')))
		.filter((lines) => lines.length > 0);

	it('names nothing of this library that does not exist', () => {
		assert.equal(tables.length, 4);
		const named = tables.flatMap(([, , ...rows]) =>
			rows.flatMap((row) => [...row.split(/(?<!\\)\|/)[2]!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)),
		);
		assert.ok(named.length > 60, String(named.length));
		assert.deepEqual(
			named.flatMap((code) => fault(code) ?? []),
			[],
		);
	});

	it('would be found out', () => {
		for (const code of [
			'user.publish()',
			'Sfu.start()',
			'sfu-rooms/other',
			'livekit',
			'user.pull({ targetId })',
			'call.connect()',
		]) {
			assert.ok(fault(code), code);
		}
	});
});
