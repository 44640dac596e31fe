/** What a camera is asked for. */
export const cameraConstraints: MediaTrackConstraints = {
	width: { ideal: 1280 },
	height: { ideal: 720 },
	frameRate: { ideal: 30 },
};

/** Captures one device. */
export async function capture(kind: 'audio' | 'video', constraints: MediaTrackConstraints): Promise<MediaStreamTrack> {
	const stream = await navigator.mediaDevices.getUserMedia({ [kind]: constraints });
	const [track] = stream.getTracks();
	if (!track) throw new Error(`no ${kind}`);
	return track;
}

/** Captures what there is in place of a device that is gone. */
export function captureAnother(
	kind: 'audio' | 'video',
	{ deviceId: _device, groupId: _group, ...constraints }: MediaTrackConstraints,
): Promise<MediaStreamTrack> {
	return capture(kind, constraints);
}
