import assert from 'node:assert/strict';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './markdown.js';

/** The entries of the package, as in its manifest. */
export const entries = {
	core: 'src/index.ts',
	protocol: 'src/protocol/index.ts',
	cluster: 'src/cluster/index.ts',
	signaling: 'src/signaling/index.ts',
	protoo: 'src/protoo/index.ts',
	metrics: 'src/metrics/index.ts',
	tracing: 'src/tracing/index.ts',
	socketIo: 'src/socketIo/index.ts',
	express: 'src/express/index.ts',
	fastify: 'src/fastify/index.ts',
	http: 'src/http/index.ts',
	client: 'src/client/index.ts',
} as const;
export type Entry = keyof typeof entries;

/** A property of an exported type. */
export interface Property {
	name: string;
	type: ts.Type;
	/** The number after the word "Default" in its comment, if there is one. */
	defaultNumber: string | undefined;
}

const config = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
const program = ts.createProgram(
	Object.values(entries).map((file) => join(root, file)),
	options,
);
const checker = program.getTypeChecker();

function exportsOf(entry: Entry): ReadonlyMap<string, ts.Symbol> {
	const source = program.getSourceFile(join(root, entries[entry]));
	const module = source && checker.getSymbolAtLocation(source);
	assert.ok(module, entries[entry]);
	return new Map(checker.getExportsOfModule(module).map((symbol) => [symbol.name, symbol]));
}

/** The names of all that an entry exports. */
export const exportedNames = (entry: Entry): string[] => [...exportsOf(entry).keys()];

/** An exported type, by its name. */
export function typeOf(entry: Entry, name: string): ts.Type {
	const symbol = exportsOf(entry).get(name);
	assert.ok(symbol, `${entries[entry]} does not export ${name}`);
	const declared = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
	return checker.getDeclaredTypeOfSymbol(declared);
}

/** The type of an exported value, such as a class with its static members. */
export function valueOf(entry: Entry, name: string): ts.Type {
	const symbol = exportsOf(entry).get(name);
	assert.ok(symbol, `${entries[entry]} does not export ${name}`);
	return checker.getTypeOfSymbol(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
}

/** The properties of a type, inherited ones, too; of a union those of all its members. */
export function propertiesOf(type: ts.Type): Property[] {
	const parts = type.isUnion() ? type.types : [type];
	const symbols = parts.flatMap((part) => checker.getPropertiesOfType(part));
	return [...new Map(symbols.map((symbol) => [symbol.name, symbol])).values()].map((symbol) => {
		const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker));
		return {
			name: symbol.name,
			type: checker.getTypeOfSymbol(symbol),
			defaultNumber: /Default:? (-?\d+(?:,\d{3})*)(?![.,]?\d)/.exec(comment)?.[1]?.replaceAll(',', ''),
		};
	});
}

/** The strings of a union of them, and of others. */
export const literalsOf = (type: ts.Type): string[] =>
	(type.isUnion() ? type.types : [type]).flatMap((part) => (part.isStringLiteral() ? part.value : []));

/** The type of the object that a listener of an event gets; `undefined` when it gets none. */
export function payloadOf(event: Property): ts.Type | undefined {
	const [signature] = event.type.getCallSignatures();
	const [parameter] = signature?.getParameters() ?? [];
	return parameter && checker.getTypeOfSymbol(parameter);
}

/** The names of the properties of what a message carries, at any depth. */
export function namesWithin(type: ts.Type, seen = new Set<ts.Type>()): string[] {
	if (seen.has(type)) return [];
	seen.add(type);
	if (type.isUnion()) return type.types.flatMap((part) => namesWithin(part, seen));
	const [item] = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference) : [];
	if (item) return namesWithin(item, seen);
	if (!(type.flags & ts.TypeFlags.Object) && !type.isIntersection()) return [];
	return propertiesOf(type).flatMap(({ name, type: inner }) => [name, ...namesWithin(inner, seen)]);
}
