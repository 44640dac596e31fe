import { useEffect, useState, useSyncExternalStore } from 'react';
import { Call } from 'sfu-rooms/client';

/** Where to join, and as whom. */
export interface RoomProps {
	url: string;
	roomId: string;
	userId: string;
	userName: string;
}

/** Stays in a room for as long as the component is there, with a camera and a microphone. It draws again at each change. */
export function useCall({ url, roomId, userId, userName }: RoomProps): Call | undefined {
	const [call, setCall] = useState<Call>();
	useEffect(() => {
		const leaving = new AbortController();
		const join = async () => {
			const joined = await Call.connect({ url, roomId, userId, userName, signal: leaving.signal });
			leaving.signal.addEventListener('abort', () => {
				joined.leave();
			});
			setCall(joined);
			await Promise.all([joined.publishCamera(), joined.publishMicrophone()]);
		};
		join().catch((error: unknown) => {
			if (!leaving.signal.aborted) console.error(error);
		});
		return () => {
			leaving.abort();
		};
	}, [url, roomId, userId, userName]);
	useSyncExternalStore(
		(changed) => call?.on('change', changed) ?? (() => undefined),
		() => call?.version,
	);
	return call;
}
