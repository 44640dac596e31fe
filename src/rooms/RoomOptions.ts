import { strict, validator } from '../schemas.js';

/** How to open a room. */
export interface RoomOptions {
	/**
	 * The codecs that pushers may send, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Codecs that the
	 * Sfu does not have are ignored. If the list has none of a kind, that kind stays as the Sfu has it. Default: all codecs
	 * of the Sfu, in the order of the offer.
	 */
	codecs?: readonly string[];
	/**
	 * Whether users wait in the lobby until the app admits them: see {@link Room.waiting}. {@link Room.setLobby} changes it.
	 * Default false.
	 */
	lobby?: boolean;
}

/** The receivers of a message. */
export interface SendDataOptions {
	/** The users to send to. Default: all users of the room. */
	userIds?: readonly string[];
	/** The label of the data channels to send on. Default: any. */
	label?: string;
}

/** Who gets a message of the app's own. */
export interface RoomSendOptions {
	/** The ids of the users who do not get it. Default: none. */
	except?: readonly string[];
}

export const checkRoomSend = validator<RoomSendOptions>(
	strict({ except: { type: 'array', items: { type: 'string' } } }),
	'options',
);

export const checkSendData = validator<SendDataOptions>(
	strict({ userIds: { type: 'array', items: { type: 'string' } }, label: { type: 'string' } }),
	'to',
);
