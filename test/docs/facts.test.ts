import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { closeCodes, errorCodes } from 'sfu-rooms/protocol';
import { defaultClientLimits } from 'sfu-rooms/protoo';
import { defaultLimits } from '../../src/options.js';
import { resolveOptions } from '../../src/resolveOptions.js';
import { dataSchemas } from '../../src/signaling/schemas.js';
import {
	exportedNames,
	literalsOf,
	namesWithin,
	payloadOf,
	propertiesOf,
	typeOf,
	type Entry,
	type Property,
} from './declarations.js';
import { linkedText, readPage, root, rowOf, sectionOf, type MarkdownPage } from './markdown.js';

/** Asserts that a text has a word in backquotes, or within a backquoted expression. */
function assertNamed(text: string, name: string, message: string) {
	assert.match(text, new RegExp(`(?<![\\w.])${name.replaceAll(/[[\].]/g, '\\$&')}(?!\\w)`), message);
}

describe('docs/security.md', () => {
	it('has each limit, with its reason', () => {
		const { text } = readPage('docs/security.md');
		for (const limit of Object.keys({ ...defaultLimits, ...defaultClientLimits })) {
			assert.match(text, new RegExp(`^\\| \`${limit}\` +\\| \\S`, 'm'), limit);
		}
	});
});

describe('docs/errors.md', () => {
	it('has every error code, with its number on the wire', () => {
		const page = readPage('docs/errors.md');
		for (const [code, number] of Object.entries(errorCodes)) {
			assert.equal(rowOf(page, code)?.[1], String(number), code);
		}
	});
});

describe('docs/options.md', () => {
	const page = readPage('docs/options.md');
	const cellAfter = (name: string) => rowOf(page, name)?.[1];

	it('has every option, with its default', () => {
		const { webRtc, workers, limits, qualityInterval, emptyRoomTimeout } = resolveOptions({});
		assert.equal(workers.count, availableParallelism());
		const numbers = {
			...webRtc,
			listen: undefined,
			...Object.fromEntries(Object.entries(limits).map(([limit, value]) => [`limits.${limit}`, value])),
			...Object.fromEntries(Object.entries(defaultClientLimits).map(([limit, value]) => [`limits.${limit}`, value])),
			qualityInterval,
			emptyRoomTimeout,
		};
		for (const [option, value] of Object.entries(numbers)) {
			if (value === undefined) continue;
			const documented = cellAfter(`webRtc.${option}`) ?? cellAfter(option);
			assert.equal(documented, String(value), option);
		}
		for (const option of ['webRtc.listen', 'workers.count', 'workers.binary', 'codecs', 'logger', 'authorize']) {
			assert.ok(cellAfter(option), option);
		}
		const { audioObservers } = resolveOptions({ audioObservers: {} });
		for (const [option, value] of Object.entries(audioObservers!)) {
			assert.equal(cellAfter(`audioObservers.${option}`), String(value), option);
		}
	});

	const types: [entry: Entry, name: string, prefix: string][] = [
		['core', 'SfuOptions', ''],
		['core', 'WebRtcOptions', 'webRtc.'],
		['core', 'ListenAddress', ''],
		['core', 'WorkerOptions', 'workers.'],
		['core', 'ClusterOptions', 'cluster.'],
		['core', 'ClusterListen', 'cluster.listen.'],
		['core', 'AudioObserverOptions', 'audioObservers.'],
		['core', 'Limits', 'limits.'],
		['core', 'RoomOptions', ''],
		['core', 'JoinOptions', ''],
		['core', 'PushOptions', ''],
		['core', 'PushMediaOptions', 'media[mid].'],
		['core', 'PushDataOptions', 'data[].'],
		['core', 'PullOptions', ''],
		['core', 'PullSpec', 'specs[].'],
		['core', 'SendDataOptions', ''],
		['core', 'StatsOptions', ''],
		['protoo', 'ProtooOptions', ''],
		['protoo', 'ClientLimits', 'limits.'],
		['protoo', 'WebSocketOptions', ''],
		['socketIo', 'SocketIoOptions', ''],
		['express', 'ExpressOptions', ''],
		['fastify', 'FastifyOptions', ''],
		['cluster', 'RedisBusOptions', ''],
	];
	for (const [entry, name, prefix] of types) {
		it(`has every property of ${name}, with the default that its comment says`, () => {
			for (const property of propertiesOf(typeOf(entry, name))) {
				const option = prefix + property.name;
				// The two options that are objects have a row for each of their properties.
				const row = rowOf(page, option) ?? page.rows.find(([first]) => first?.startsWith(`${option}.`));
				assert.ok(row, option);
				if (property.defaultNumber !== undefined) assert.equal(row[1], property.defaultNumber, option);
			}
		});
	}

	it('has the default of every other option that has a number', () => {
		const defaults = propertiesOf(typeOf('protoo', 'ProtooOptions')).filter((option) => option.defaultNumber);
		assert.ok(defaults.some(({ name }) => name === 'reconnectTimeout'));
	});

	it('has every action that is authorized, with its fields', () => {
		const actions = typeOf('protoo', 'AuthorizeAction');
		assert.ok(actions.isUnion());
		for (const action of actions.types) {
			const properties = propertiesOf(action);
			const [name] = literalsOf(properties.find((property) => property.name === 'action')!.type);
			const row = page.rows.find(([first, second]) => first === name && second !== undefined);
			assert.ok(name && row, name);
			for (const field of properties) {
				if (!['action', 'roomId', 'userId'].includes(field.name)) assertNamed(row.join(' '), field.name, name);
			}
		}
	});
});

describe('docs/events.md', () => {
	const page = readPage('docs/events.md');
	const sections: Record<string, string> = {
		SfuEvents: 'Sfu',
		ClusterEvents: 'Cluster',
		RoomEvents: 'Room',
		UserEvents: 'User',
		ConnectionEvents: 'Connection',
		PusherEvents: 'Pusher, DataPusher',
		PullerEvents: 'Puller, DataPuller',
		EndpointEvents: 'Puller, DataPuller',
	};

	it('has a section for the events of every class', () => {
		const all = exportedNames('core').filter((name) => name.endsWith('Events'));
		assert.deepEqual(
			all.filter((name) => !(name in sections)),
			[],
		);
		assert.deepEqual(
			Object.keys(sections).filter((name) => !all.includes(name)),
			[],
		);
	});

	for (const [name, title] of Object.entries(sections)) {
		it(`has every event of ${name}, with its payload`, () => {
			const { rows } = sectionOf(page, title);
			const events = propertiesOf(typeOf('core', name));
			assert.ok(events.length > 0);
			for (const event of events) {
				const row = rows.find(([first]) => first === event.name);
				assert.ok(row, event.name);
				const payload = payloadOf(event);
				for (const field of payload ? propertiesOf(payload) : []) assertNamed(row.join(' '), field.name, event.name);
			}
		});
	}

	it('has no event that there is not', () => {
		for (const title of new Set(Object.values(sections))) {
			const types = Object.keys(sections).filter((name) => sections[name] === title);
			const known = types.flatMap((name) => propertiesOf(typeOf('core', name))).map((event) => event.name);
			const documented = sectionOf(page, title)
				.rows.slice(2)
				.map(([first]) => first);
			assert.deepEqual(
				documented.filter((name) => !known.includes(name!)),
				[],
				title,
			);
		}
	});

	const reasons = sectionOf(page, 'Why things close').rows.map(([, reason]) => reason);

	it('has every reason for closing that a type lists', () => {
		const types = exportedNames('core').filter((name) => name.endsWith('CloseReason'));
		assert.ok(types.length > 0);
		for (const name of types) {
			for (const reason of literalsOf(typeOf('core', name))) assert.ok(reasons.includes(reason), `${name}: ${reason}`);
		}
	});

	it('has every reason for closing that the code gives', () => {
		const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
			file.endsWith('.ts'),
		);
		const given = sources.flatMap((file) => {
			const source = readFileSync(join(root, 'src', file), 'utf8');
			return [...source.matchAll(/\.(?:close|leave)\('(\w+)'\)/g)].map(([, reason]) => reason!);
		});
		assert.ok(given.includes('unpulled'));
		for (const reason of given) assert.ok(reasons.includes(reason), reason);
	});

	it('has every cause of a pause', () => {
		const { rows } = sectionOf(page, 'Who pauses');
		for (const cause of literalsOf(typeOf('core', 'PauseCause'))) {
			assert.ok(
				rows.some(([first]) => first === cause),
				cause,
			);
		}
	});
});

describe('docs/adapters.md', () => {
	it('shows a socket in 15 lines, as the example has it', () => {
		const block = readPage('docs/adapters.md').blocks.find(({ code }) => code.includes('const fromTcp'));
		const example = readFileSync(join(root, 'examples/tcp/fromTcp.ts'), 'utf8');
		assert.equal(
			block?.code,
			example.replaceAll(/^\t+/gm, ({ length }) => '  '.repeat(length)),
		);
		const lines = block.code.slice(block.code.indexOf('export const')).trimEnd().split('\n');
		assert.equal(lines.length, 15);
	});
});

describe('docs/protocol.md', () => {
	const page = readPage('docs/protocol.md');

	/** Asserts that a message has a row, and that the row and what it links to name all that the message carries. */
	function assertDescribed(title: string, method: string, fields: string[], of: MarkdownPage = page) {
		const rows = sectionOf(of, title).rows.filter(([first]) => first?.split(',')[0] === method);
		assert.ok(rows.length > 0, `${title}: ${method}`);
		const text = rows.map((row) => linkedText(of, row.join(' '))).join('\n');
		for (const field of fields) assertNamed(text, field, `${title}: ${method} does not name ${field}`);
	}

	const named = ({ type }: Property) => namesWithin(type);

	it('has every notification, with its data', () => {
		for (const message of propertiesOf(typeOf('protocol', 'Notifications'))) {
			const compatible = ['userDisconnect', 'userReconnect', 'userLeave'].includes(message.name);
			assertDescribed(compatible ? 'For clients of RTCPilot' : 'Notifications', message.name, named(message));
		}
	});

	it('has every request of the client, with its data and that of its success', () => {
		// The prose above the table has these, of all requests.
		const common = ['roomId', 'userId', 'code', 'message', 'unknownFields'];
		for (const message of propertiesOf(typeOf('protocol', 'ClientRequests'))) {
			const fields = propertiesOf(message.type).flatMap(named);
			const particular = fields.filter((name) => !common.includes(name));
			assertDescribed('Requests of the client', message.name, particular);
		}
	});

	it('has every notification of the client, with its data', () => {
		const { text } = sectionOf(page, 'Requests of the client');
		for (const message of propertiesOf(typeOf('protocol', 'ClientNotifications'))) {
			assertNamed(text, message.name, message.name);
			for (const field of named(message)) assertNamed(text, field, message.name);
		}
	});

	it('has every request of the server, with its data and that of the response', () => {
		for (const message of propertiesOf(typeOf('protocol', 'ServerRequests'))) {
			assertDescribed('Requests of the server', message.name, propertiesOf(message.type).flatMap(named));
		}
	});

	it('has every event that Socket.IO has beside these, and no other', () => {
		const others = ['Notifications', 'ServerRequests'].flatMap((name) => propertiesOf(typeOf('protocol', name)));
		const particular = propertiesOf(typeOf('socketIo', 'SocketIoServerEvents')).filter(
			({ name }) => !others.some((other) => other.name === name),
		);
		assert.ok(particular.length > 0);
		for (const event of particular) {
			const payload = payloadOf(event);
			assert.ok(payload, event.name);
			assertDescribed('Over Socket.IO', event.name, namesWithin(payload));
		}
		const [, , ...documented] = sectionOf(page, 'Over Socket.IO').ownRows;
		assert.deepEqual(
			documented.map(([name]) => name),
			particular.map(({ name }) => name),
		);
	});

	it('names every notification and request that the code sends or takes', () => {
		const sources = ['signaling', 'protoo', 'socketIo'].flatMap((folder) =>
			readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
				.filter((file) => file.endsWith('.ts'))
				.map((file) => readFileSync(join(root, 'src', folder, file), 'utf8')),
		);
		const call = /\b(?:tell\w*|encode|emit|request)\((?:[\w.[\]]+, )?'(\w+)'/g;
		const sent = new Set(sources.flatMap((source) => [...source.matchAll(call)].map(([, name]) => name!)));
		for (const name of ['newUser', 'messageRefused', 'offer', 'appRequest', 'closing', 'waiting'])
			assert.ok(sent.has(name), name);
		const known = ['Notifications', 'ServerRequests'].flatMap((type) => propertiesOf(typeOf('protocol', type)));
		for (const { name } of [...known, { name: 'closing' }]) {
			assert.ok(
				page.rows.some(([first]) => first === name),
				name,
			);
		}
		for (const name of [...sent, ...Object.keys(dataSchemas)]) {
			if (['autoPull', 'offerResponse', 'appResponse'].includes(name)) continue;
			assert.ok(
				page.rows.some(([first]) => first?.split(',')[0] === name),
				name,
			);
		}
	});

	it('has no message that there is not', () => {
		const tables: [title: string, types: string[]][] = [
			['Notifications', ['Notifications']],
			['For clients of RTCPilot', ['Notifications']],
			['Requests of the client', ['ClientRequests']],
			['Requests of the server', ['ServerRequests']],
		];
		for (const [title, types] of tables) {
			const known = types.flatMap((name) => propertiesOf(typeOf('protocol', name))).map(({ name }) => name);
			const headers = ['notification', 'request'];
			for (const [first] of sectionOf(page, title).ownRows) {
				const method = first!.split(',')[0]!;
				if (!headers.includes(method) && !/^-+$/.test(method)) assert.ok(known.includes(method), `${title}: ${method}`);
			}
		}
	});

	it('has every close code', () => {
		const { rows } = sectionOf(page, 'Close codes');
		for (const code of [...Object.values(closeCodes), 4000, 1000, 1001, 1005, 1008, 1009, 1013]) {
			assert.ok(
				rows.some(([first]) => first === String(code)),
				String(code),
			);
		}
	});
});
