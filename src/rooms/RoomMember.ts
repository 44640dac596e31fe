/** A user, as the app is asked about it. */
export interface RoomMember {
	/** Its id. */
	readonly userId: string;
	/** Its name, for people to read. */
	readonly userName: string;
	/** A value of the app's own that the others are told. The user may have changed it: see `updateMetadata`. */
	readonly metadata: unknown;
	/** A value of the app's own that no client is told, and none can change. */
	readonly appData: unknown;
}
