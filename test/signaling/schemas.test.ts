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

/** The types that the schemas let pass. */
interface FromSchemas {
	join: FromSchema<Schemas['join']>;
	leave: FromSchema<Schemas['leave']>;
	heartbeat: FromSchema<Schemas['heartbeat']>;
	push: FromSchema<Schemas['push']>;
	unpush: FromSchema<Schemas['unpush']>;
	pausePusher: FromSchema<Schemas['pausePusher']>;
	resumePusher: FromSchema<Schemas['resumePusher']>;
	updatePusher: FromSchema<Schemas['updatePusher']>;
	pull: FromSchema<Schemas['pull']>;
	autoPull: FromSchema<Schemas['autoPull']>;
	unpull: FromSchema<Schemas['unpull']>;
	pin: FromSchema<Schemas['pin']>;
	unpin: FromSchema<Schemas['unpin']>;
	pausePuller: FromSchema<Schemas['pausePuller']>;
	resumePuller: FromSchema<Schemas['resumePuller']>;
	requestKeyframe: FromSchema<Schemas['requestKeyframe']>;
	setPreferredLayers: FromSchema<Schemas['setPreferredLayers']>;
	answer: FromSchema<Schemas['answer']>;
	restartIce: FromSchema<Schemas['restartIce']>;
	closeConnection: FromSchema<Schemas['closeConnection']>;
	textMessage: FromSchema<Schemas['textMessage']>;
	updateUser: FromSchema<Schemas['updateUser']>;
	appRequest: FromSchema<Schemas['appRequest']>;
	appMessage: FromSchema<Schemas['appMessage']>;
	appResponse: FromSchema<Schemas['appResponse']>;
	offerResponse: FromSchema<Schemas['offerResponse']>;
}

/** The messages whose schema and type are not the same. */
type Different = {
	[Name in keyof FromSchemas]: IsSame<Known<FromSchemas[Name]>, Known<CheckedData[Name]>> extends true ? never : Name;
}[keyof FromSchemas];

it('The schemas of the messages are those of their types', () => {
	// Does not compile when they differ.
	const different: [Different] extends [never] ? 0 : Different = 0;
	assert.equal(different, 0);
	const missing: [Exclude<keyof Schemas, keyof FromSchemas>] extends [never] ? 0 : 1 = 0;
	assert.equal(missing, 0);
	assert.throws(() => checkData.join({ roomId: 'room', userId: 'alice' }), {
		code: 'invalid_argument',
		message: 'data.userName is missing',
	});
});
