import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Call, type ConnectOptions, type RemoteTrack } from 'sfu-rooms/client';

function Tile({ track }: { track: RemoteTrack }) {
	const video = useRef<HTMLVideoElement>(null);
	useEffect(() => (video.current ? track.attach(video.current) : undefined), [track]);
	const { user, source, muted } = track;
	return (
		<figure className={user.speaking ? 'speaking' : ''}>
			<video ref={video} />
			<figcaption>
				{user.userName} {source} {muted && '(muted)'}
			</figcaption>
		</figure>
	);
}

/** A room: everybody's tracks, a button that mutes, and one that shares the screen. */
export function Room({
	url,
	roomId,
	userId,
	userName,
}: Pick<ConnectOptions, 'roomId' | 'userId'> & { url: string; userName: string }) {
	const [call, setCall] = useState<Call>();
	useEffect(() => {
		const joining = Call.connect({ url, roomId, userId, userName });
		joining
			.then(async (joined) => {
				setCall(joined);
				await Promise.all([joined.publishCamera(), joined.publishMicrophone()]);
			})
			.catch(console.error);
		return () =>
			void joining.then(
				(joined) => {
					joined.leave();
				},
				() => undefined,
			);
	}, [url, roomId, userId, userName]);
	useSyncExternalStore(
		(changed) => call?.on('change', changed) ?? (() => undefined),
		() => call?.version,
	);
	const microphone = call?.local.get('microphone');
	const tracks = [...(call?.users.values() ?? [])].flatMap((user) => [...user.tracks.values()]);
	return (
		<>
			<button onClick={() => void (microphone?.muted ? microphone.unmute() : microphone?.mute())}>
				{microphone?.muted ? 'unmute' : 'mute'}
			</button>
			<button onClick={() => void call?.shareScreen()}>share</button>
			{tracks.map((track) => (
				<Tile key={track.id} track={track} />
			))}
		</>
	);
}
