import type { JSONSchema } from 'json-schema-to-ts';
import type {
	AutoPullData,
	ClientNotifications,
	ClientRequests,
	AppResponse,
	OfferResponse,
	PullData,
	RequestData,
} from '../protocol/index.js';
import { channelProperties, layer, mediaProperties, nonEmpty, detailsProperties, validator } from '../schemas.js';

type Properties = Readonly<Record<string, JSONSchema>>;

const keysOf = <Keyed extends object>(keyed: Keyed) => Object.keys(keyed) as (keyof Keyed & string)[];

/** An object that may have unknown properties. Default of `required`: all known ones. */
const object = <const Known extends Properties, const Required extends keyof Known & string = keyof Known & string>(
	properties: Known,
	required: readonly Required[] = keysOf(properties) as Required[],
) => ({ type: 'object', properties, required }) as const;

const memberProperties = { roomId: nonEmpty, userId: nonEmpty } as const;

/** The data of a message that names the user that joined on its socket. */
const member = <const Known extends Properties, const Required extends keyof Known & string = keyof Known & string>(
	properties: Known,
	required: readonly Required[] = keysOf(properties) as Required[],
) => object({ ...memberProperties, ...properties }, [...keysOf(memberProperties), ...required]);

const text = { type: 'string' } as const;
const ids = { type: 'array', minItems: 1, maxItems: 1000, items: nonEmpty } as const;
const offer = object({ type: { const: 'offer' }, sdp: text });
const answer = object({ type: { const: 'answer' }, sdp: text });
const spec = object(
	{ type: { enum: ['audio', 'video', 'data'] }, pusher_id: nonEmpty, negotiated: { type: 'boolean' } },
	['type', 'pusher_id'],
);
const specs = { type: 'array', minItems: 1, maxItems: 1000, items: spec } as const;
const media = { type: 'array', maxItems: 1000, items: object({ mid: nonEmpty, ...mediaProperties }, ['mid']) } as const;
const data = { type: 'array', maxItems: 1000, items: object(channelProperties, ['id']) } as const;

const appMessage = { name: nonEmpty, data: {} } as const;

/** The schemas by method. `autoPull` is a form of `pull`; `offerResponse` and `appResponse` are responses of clients. */
export const dataSchemas = {
	join: member(
		{ userName: text, metadata: {}, audience: { type: 'boolean' }, resumeToken: { type: ['string', 'null'] } },
		['userName'],
	),
	leave: member({}),
	heartbeat: member({}),
	push: member({ sdp: offer, media, data, connectionId: nonEmpty, replaces: nonEmpty }, ['sdp']),
	unpush: member({ pusherIds: ids }),
	pausePusher: member({ pusherId: nonEmpty }),
	resumePusher: member({ pusherId: nonEmpty }),
	updatePusher: member({ pusherId: nonEmpty, ...detailsProperties }, ['pusherId']),
	pull: member({ targetUserId: nonEmpty, sdp: offer, specs, connectionId: nonEmpty }, ['targetUserId', 'specs']),
	autoPull: member({
		autoPull: { anyOf: [{ const: true }, object({ videos: { type: 'integer', minimum: 0, maximum: 1000 } })] },
	}),
	pin: member({ targetUserId: nonEmpty }),
	unpin: member({ targetUserId: nonEmpty }),
	unpull: member({ pullerIds: ids }),
	pausePuller: member({ pullerId: nonEmpty }),
	resumePuller: member({ pullerId: nonEmpty }),
	requestKeyframe: member({ pullerId: nonEmpty }),
	setPreferredLayers: member({ pullerId: nonEmpty, spatialLayer: layer, temporalLayer: layer }, [
		'pullerId',
		'spatialLayer',
	]),
	answer: member({ connectionId: nonEmpty, sdp: answer }),
	restartIce: member({ connectionId: nonEmpty }),
	closeConnection: member({ connectionId: nonEmpty }),
	textMessage: member({ userName: text, message: text, time: { type: ['number', 'string'] } }, ['message']),
	updateUser: member({ userName: text, metadata: {} }, []),
	appRequest: member(appMessage, ['name']),
	appMessage: member(appMessage, ['name']),
	appResponse: object({ data: {} }, []),
	offerResponse: object({ sdp: answer }),
} as const;

/** The schema of the data of a request. */
export function schemaOf(method: string, data: unknown): object {
	const isAutomatic = method === 'pull' && typeof data === 'object' && data !== null && 'autoPull' in data;
	const name = isAutomatic ? 'autoPull' : method;
	return Object.hasOwn(dataSchemas, name) ? dataSchemas[name as keyof typeof dataSchemas] : {};
}

/** Whether the protocol has a request or a notification of clients with this name. */
export const isMethod = (name: string): name is keyof ClientRequests | keyof ClientNotifications =>
	Object.hasOwn(dataSchemas, name) && !['autoPull', 'offerResponse', 'appResponse'].includes(name);

/** The data that each schema accepts. A test compares them with the schemas. */
export type CheckedData = { [Method in Exclude<keyof ClientRequests, 'pull'>]: RequestData<Method> } & {
	pull: Omit<PullData, 'sdp'> & Partial<Pick<PullData, 'sdp'>>;
	autoPull: AutoPullData;
	textMessage: ClientNotifications['textMessage'];
	appMessage: ClientNotifications['appMessage'];
	appResponse: AppResponse;
	offerResponse: OfferResponse;
};

/** Check the data of a client's messages. They throw an `SfuError` `invalid_argument` whose message names the field. */
export const checkData = Object.fromEntries(
	Object.entries(dataSchemas).map(([name, schema]) => [name, validator(schema, 'data')]),
) as { readonly [Name in keyof CheckedData]: (data: unknown) => CheckedData[Name] };
