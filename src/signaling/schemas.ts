import type { FromSchema } from 'json-schema-to-ts';
import { bitrate, codecNames } from '../options.js';
import { channelProperties, scalabilityModePattern } from '../tracks/PushOptions.js';
import { validator } from '../schemas.js';

const text = { type: 'string' } as const;
const id = { type: 'string', minLength: 1 } as const;

const offer = {
	type: 'object',
	properties: { type: { const: 'offer' }, sdp: text },
	required: ['type', 'sdp'],
} as const;

const answer = {
	type: 'object',
	properties: { type: { const: 'answer' }, sdp: text },
	required: ['type', 'sdp'],
} as const;

const joinSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, userName: text },
	required: ['roomId', 'userId', 'userName'],
} as const;

const source = { type: ['string', 'null'], minLength: 1 } as const;

const pushSchema = {
	type: 'object',
	properties: {
		roomId: id,
		userId: id,
		sdp: offer,
		media: {
			type: 'array',
			items: {
				type: 'object',
				properties: {
					mid: id,
					source,
					metadata: {},
					scalabilityMode: { type: 'string', pattern: scalabilityModePattern },
					codecs: codecNames,
					maxBitrate: bitrate,
				},
				required: ['mid'],
			},
		},
		data: {
			type: 'array',
			items: { type: 'object', properties: { ...channelProperties, source, metadata: {} }, required: ['id'] },
		},
	},
	required: ['roomId', 'userId', 'sdp'],
} as const;

const pullSchema = {
	type: 'object',
	properties: {
		roomId: id,
		userId: id,
		targetUserId: id,
		sdp: offer,
		specs: {
			type: 'array',
			minItems: 1,
			items: {
				type: 'object',
				properties: { type: { enum: ['audio', 'video', 'data'] }, pusher_id: id, negotiated: { type: 'boolean' } },
				required: ['type', 'pusher_id'],
			},
		},
	},
	required: ['roomId', 'userId', 'targetUserId', 'specs'],
} as const;

const autoPullSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, autoPull: { const: true } },
	required: ['roomId', 'userId', 'autoPull'],
} as const;

const answerSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, connectionId: id, sdp: answer },
	required: ['roomId', 'userId', 'connectionId', 'sdp'],
} as const;

const connectionSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, connectionId: id },
	required: ['roomId', 'userId', 'connectionId'],
} as const;

const answeredSchema = { type: 'object', properties: { sdp: answer }, required: ['sdp'] } as const;

const memberSchema = {
	type: 'object',
	properties: { roomId: id, userId: id },
	required: ['roomId', 'userId'],
} as const;

const ids = { type: 'array', minItems: 1, maxItems: 1000, items: id } as const;

const pusherSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, pusherId: id },
	required: ['roomId', 'userId', 'pusherId'],
} as const;

const updatePusherSchema = {
	type: 'object',
	properties: { ...pusherSchema.properties, source, metadata: {} },
	required: pusherSchema.required,
} as const;

const pullerSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, pullerId: id },
	required: ['roomId', 'userId', 'pullerId'],
} as const;

const layer = { type: 'integer', minimum: 0, maximum: 99 } as const;

const preferredLayersSchema = {
	type: 'object',
	properties: { ...pullerSchema.properties, spatialLayer: layer, temporalLayer: layer },
	required: [...pullerSchema.required, 'spatialLayer'],
} as const;

const unpushSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, pusherIds: ids },
	required: ['roomId', 'userId', 'pusherIds'],
} as const;

const unpullSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, pullerIds: ids },
	required: ['roomId', 'userId', 'pullerIds'],
} as const;

const textMessageSchema = {
	type: 'object',
	properties: { roomId: id, userId: id, userName: text, message: text, time: { type: ['number', 'string'] } },
	required: ['roomId', 'userId', 'message'],
} as const;

export type JoinData = FromSchema<typeof joinSchema>;
export type PushData = FromSchema<typeof pushSchema>;
export type PullData = FromSchema<typeof pullSchema>;
export type AutoPullData = FromSchema<typeof autoPullSchema>;
export type AnswerData = FromSchema<typeof answerSchema>;
export type ConnectionIdData = FromSchema<typeof connectionSchema>;
/** What a client responds to the server's `offer`. */
export type AnsweredData = FromSchema<typeof answeredSchema>;
/** The data of `heartbeat` and `leave`. */
export type MemberData = FromSchema<typeof memberSchema>;
export type PusherIdData = FromSchema<typeof pusherSchema>;
export type UpdatePusherData = FromSchema<typeof updatePusherSchema>;
export type PullerIdData = FromSchema<typeof pullerSchema>;
export type PreferredLayersData = FromSchema<typeof preferredLayersSchema>;
export type UnpushData = FromSchema<typeof unpushSchema>;
export type UnpullData = FromSchema<typeof unpullSchema>;
export type TextMessageData = FromSchema<typeof textMessageSchema>;

/** The data of each message that a client may send, checked. */
export const checkData = {
	join: validator<JoinData>(joinSchema, 'data'),
	push: validator<PushData>(pushSchema, 'data'),
	pull: validator<PullData>(pullSchema, 'data'),
	autoPull: validator<AutoPullData>(autoPullSchema, 'data'),
	answer: validator<AnswerData>(answerSchema, 'data'),
	connection: validator<ConnectionIdData>(connectionSchema, 'data'),
	answered: validator<AnsweredData>(answeredSchema, 'data'),
	leave: validator<MemberData>(memberSchema, 'data'),
	heartbeat: validator<MemberData>(memberSchema, 'data'),
	preferredLayers: validator<PreferredLayersData>(preferredLayersSchema, 'data'),
	unpush: validator<UnpushData>(unpushSchema, 'data'),
	unpull: validator<UnpullData>(unpullSchema, 'data'),
	pusher: validator<PusherIdData>(pusherSchema, 'data'),
	updatePusher: validator<UpdatePusherData>(updatePusherSchema, 'data'),
	puller: validator<PullerIdData>(pullerSchema, 'data'),
	textMessage: validator<TextMessageData>(textMessageSchema, 'data'),
};
