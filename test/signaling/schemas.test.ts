import type { FromSchema } from 'json-schema-to-ts';
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkData, type CheckedData, type dataSchemas } from '../../src/signaling/schemas.js';

/** The type without its index signatures, which stand for properties that nobody knows. */
type Known<Type> = Type extends readonly (infer Item)[]
	? readonly Known<Item>[]
	: Type extends object
		? { [Key in keyof Type as string extends Key ? never : Key]: Known<Type[Key]> }
		: Type;

type IsSame<A, B> = (<Type>() => Type extends A ? 1 : 2) extends <Type>() => Type extends B ? 1 : 2 ? true : false;

type Schemas = typeof dataSchemas;

/** The messages whose schema and type are not the same. */
type Different = {
	[Name in keyof Schemas]: IsSame<Known<FromSchema<Schemas[Name]>>, Known<CheckedData[Name]>> extends true
		? never
		: Name;
}[keyof Schemas];

it('The schemas of the messages are those of their types', () => {
	// Does not compile when they differ.
	const different: [Different] extends [never] ? 0 : Different = 0;
	assert.equal(different, 0);
	const missing: [Exclude<keyof CheckedData, keyof Schemas>] extends [never] ? 0 : 1 = 0;
	assert.equal(missing, 0);
	assert.throws(() => checkData.join({ roomId: 'room', userId: 'alice' }), {
		code: 'invalid_argument',
		message: 'data.userName is missing',
	});
});
