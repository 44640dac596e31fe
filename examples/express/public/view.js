/**
 * @typedef {import('sfu-rooms/client').Call} Call
 * @typedef {import('sfu-rooms/client').RemoteTrack} RemoteTrack
 *
 * @typedef {object} TileView what one tile shows
 * @property {string} key the same for the same tile
 * @property {string} userId
 * @property {string} name
 * @property {string | undefined} node the user's server, if there are several
 * @property {boolean} own not to be heard
 * @property {boolean} mirrored as in a mirror, for the user's own camera
 * @property {boolean} screen
 * @property {boolean} featured large, with the others beside it
 * @property {MediaStreamTrack | undefined} picture of the user's own tiles
 * @property {RemoteTrack[]} received of the tiles of the others
 * @property {boolean} hasPicture
 * @property {MediaStreamTrack | undefined} sound
 * @property {boolean} muted
 * @property {boolean} speaking
 * @property {string} state why the tile is not live, or an empty string
 * @property {string[]} quality a text for each direction that is not excellent
 * @property {{level: number, count: number, text: string} | undefined} layers
 */

const SCREEN_SOURCES = ['screen', 'screenAudio'];

/**
 * Derives what the page shows from the state of the call: one tile for each person, and one for each shared screen.
 *
 * @param {Call} call
 * @param {import('./media.js').LocalMedia} media
 * @param {string[]} quality of the own tile
 * @returns {TileView[]}
 */
export function viewOf(call, media, quality) {
	const own = ownTiles(call, media, quality);
	const others = [...call.users.values()].flatMap((user) => tilesOf(user));
	const featured = others.findLast(({ screen }) => screen);
	if (featured) featured.featured = true;
	return [...own, ...others];
}

/**
 * @param {Call} call
 * @param {import('./media.js').LocalMedia} media
 * @param {string[]} quality
 * @returns {TileView[]}
 */
function ownTiles({ userId, userName, metadata, local, speaker }, { hasCamera }, quality) {
	const [camera, microphone, screen] = ['camera', 'microphone', 'screen'].map((source) => local.get(source));
	const common = {
		...{ userId, node: nodeOf(metadata), own: true, featured: false, received: [] },
		...{ state: '', layers: undefined },
	};
	const tile = {
		...{ ...common, key: userId, name: `${userName} (you)`, mirrored: hasCamera, screen: false, quality },
		...{ picture: camera?.track, hasPicture: camera?.muted === false },
		...{ sound: microphone?.track, muted: microphone?.muted ?? false, speaking: speaker === 'me' },
	};
	if (!screen) return [tile];
	const screenTile = {
		...{ ...common, key: `${userId} screen`, name: 'Your screen', mirrored: false, screen: true, quality: [] },
		...{ picture: screen.track, hasPicture: true, sound: undefined, muted: false, speaking: false },
	};
	return [tile, screenTile];
}

/**
 * @param {import('sfu-rooms/client').RemoteUser} user
 * @returns {TileView[]}
 */
function tilesOf({ userId, userName, metadata, online, speaking, tracks }) {
	const all = [...tracks.values()];
	const isScreen = (/** @type {RemoteTrack} */ { source }) => SCREEN_SOURCES.includes(source);
	const stateOf = (/** @type {RemoteTrack[]} */ part) => {
		if (!online) return 'Reconnecting…';
		return part.some(({ stalled, muted }) => stalled && !muted) ? 'Waiting for their network…' : '';
	};
	const common = { userId, node: nodeOf(metadata), own: false, mirrored: false, featured: false, quality: [] };
	const person = all.filter((track) => !isScreen(track));
	const tiles = [
		{
			...{ ...common, key: userId, name: userName, screen: false, state: stateOf(person) },
			...{ ...mediaOf(person), speaking },
		},
	];
	const screen = all.filter(isScreen);
	if (screen.some(({ kind }) => kind === 'video')) {
		const name = `Screen of ${userName}`;
		tiles.push({
			...{ ...common, key: `${userId} screen`, name, screen: true, state: stateOf(screen) },
			...{ ...mediaOf(screen), muted: false, speaking: false },
		});
	}
	return tiles;
}

/** @param {RemoteTrack[]} tracks */
function mediaOf(tracks) {
	// The newest one, if a client pushes more than one of a kind.
	const video = tracks.findLast(({ kind }) => kind === 'video');
	const audio = tracks.findLast(({ kind }) => kind === 'audio');
	const hasPicture = video?.track !== undefined && !video.muted;
	return {
		picture: undefined,
		received: [video, audio].filter((track) => track !== undefined),
		hasPicture,
		sound: audio?.track,
		muted: audio?.muted ?? false,
		layers: hasPicture ? layersOf(video) : undefined,
	};
}

/** @param {RemoteTrack} video */
function layersOf({ layers, layerCount, pausedBy }) {
	if (pausedBy === 'bandwidth') return { level: 0, count: layerCount, text: 'The network does not bear it' };
	if (!layers) return undefined;
	const level = layers.spatial + 1;
	// SVC does not tell how many layers it has.
	const count = Math.max(layerCount, level);
	if (count === 1) return undefined;
	return { level, count, text: `Layer ${level} of ${count}, frame rate layer ${layers.temporal + 1}` };
}

/** @param {unknown} metadata */
function nodeOf(metadata) {
	return /** @type {{node?: string} | undefined} */ (metadata)?.node;
}
