import type { DataPusher, User } from 'sfu-rooms';

interface Pull {
	/** The user who pulls. */
	bob: User;
	/** The data channel that is pulled. */
	pusher: DataPusher;
}

/** What can come in between while a data channel is pulled, and the outcomes that the pull may have then. */
export const pullInterruptions: [what: string, interrupt: (pull: Pull) => void, outcomes: RegExp][] = [
	[
		'its user leaves',
		({ bob }) => {
			bob.close();
		},
		/^(done|closed)$/,
	],
	['its connection closes', ({ bob }) => bob.connections[0]?.close(), /^(done|closed)$/],
	[
		'its pusher closes',
		({ pusher }) => {
			pusher.close();
		},
		/^(done|not_found)$/,
	],
];
