import { useCall, type RoomProps } from './useCall.js';

/** A room: everybody's tracks, a button that mutes, and one that shares the screen. */
export function Room(props: RoomProps) {
	const call = useCall(props);
	const microphone = call?.local.get('microphone');
	return (
		<>
			<button onClick={() => void (microphone?.muted ? microphone.unmute() : microphone?.mute())}>
				{microphone?.muted ? 'unmute' : 'mute'}
			</button>
			<button onClick={() => void call?.shareScreen()}>share</button>
			{call?.tracks.map(({ id, user, source, muted, attach }) => (
				<figure key={id} className={user.speaking ? 'speaking' : ''}>
					<video ref={attach} />
					<figcaption>{[user.userName, source, muted && '(muted)'].filter(Boolean).join(' ')}</figcaption>
				</figure>
			))}
		</>
	);
}
