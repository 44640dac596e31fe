import type { JSONSchema } from 'json-schema-to-ts';
import type {
	AutoPullData,
	ClientNotifications,
	ClientRequests,
	OfferResponse,
	PullData,
	RequestData,
} from '../protocol/index.js';
import { channelProperties, layer, mediaProperties, nonEmpty, detailsProperties, validator } from '../schemas.js';

type Properties = Readonly<Record<string, JSONSchema>>;

/** An object, which may have more properties than are known. */
const object = <const Required extends Properties, const Optional extends Properties = Readonly<Record<never, never>>>(
	required: Required,
	optional: Optional = {} as Optional,
) =>
	({
		type: 'object',
		properties: { ...required, ...optional },
		required: Object.keys(required) as (keyof Required & string)[],
	}) as const;

/** The data of a message that speaks for the user that joined on its socket. */
const member = <const Required extends Properties, const Optional extends Properties = Readonly<Record<never, never>>>(
	required: Required,
	optional?: Optional,
) => object({ roomId: nonEmpty, userId: nonEmpty, ...required }, optional);

const text = { type: 'string' } as const;
const ids = { type: 'array', minItems: 1, maxItems: 1000, items: nonEmpty } as const;
const offer = object({ type: { const: 'offer' }, sdp: text });
const answer = object({ type: { const: 'answer' }, sdp: text });
const spec = object(
	{ type: { enum: ['audio', 'video', 'data'] }, pusher_id: nonEmpty },
	{ negotiated: { type: 'boolean' } },
);
const { id: channelId, ...channelOptions } = channelProperties;

/** By method; `pull` and `offer` have further forms. */
export const dataSchemas = {
	join: member({ userName: text }),
	leave: member({}),
	heartbeat: member({}),
	push: member(
		{ sdp: offer },
		{
			media: { type: 'array', items: object({ mid: nonEmpty }, mediaProperties) },
			data: { type: 'array', items: object({ id: channelId }, channelOptions) },
		},
	),
	unpush: member({ pusherIds: ids }),
	pausePusher: member({ pusherId: nonEmpty }),
	resumePusher: member({ pusherId: nonEmpty }),
	updatePusher: member({ pusherId: nonEmpty }, detailsProperties),
	pull: member({ targetUserId: nonEmpty, specs: { type: 'array', minItems: 1, items: spec } }, { sdp: offer }),
	autoPull: member({ autoPull: { const: true } }),
	unpull: member({ pullerIds: ids }),
	pausePuller: member({ pullerId: nonEmpty }),
	resumePuller: member({ pullerId: nonEmpty }),
	requestKeyframe: member({ pullerId: nonEmpty }),
	setPreferredLayers: member({ pullerId: nonEmpty, spatialLayer: layer }, { temporalLayer: layer }),
	answer: member({ connectionId: nonEmpty, sdp: answer }),
	restartIce: member({ connectionId: nonEmpty }),
	textMessage: member({ message: text }, { userName: text, time: { type: ['number', 'string'] } }),
	offerResponse: object({ sdp: answer }),
} as const;

/** The data that each schema lets pass. A test holds them to the schemas. */
export type CheckedData = { [Method in Exclude<keyof ClientRequests, 'pull'>]: RequestData<Method> } & {
	pull: Omit<PullData, 'sdp'> & Partial<Pick<PullData, 'sdp'>>;
	autoPull: AutoPullData;
	textMessage: ClientNotifications['textMessage'];
	offerResponse: OfferResponse;
};

/** Checks the data of a message of a client. Each throws {@link SfuError} `invalid_argument`, naming the field. */
export const checkData = Object.fromEntries(
	Object.entries(dataSchemas).map(([name, schema]) => [name, validator(schema, 'data')]),
) as { readonly [Name in keyof CheckedData]: (data: unknown) => CheckedData[Name] };
