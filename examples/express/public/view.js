/**
 * @typedef {object} TileView what one tile shows
 * @property {string} key the same for the same tile
 * @property {string} userId
 * @property {string} name
 * @property {string | undefined} node the user's server, if there are several
 * @property {boolean} own not to be heard
 * @property {boolean} mirrored as in a mirror, for the user's own camera
 * @property {boolean} screen
 * @property {boolean} featured large, with the others beside it
 * @property {MediaStreamTrack | undefined} video undefined also while it is paused
 * @property {MediaStreamTrack | undefined} audio
 * @property {boolean} muted
 * @property {boolean} speaking
 * @property {string | undefined} audioPusherId of what is heard
 * @property {string} state why the tile is not live, or an empty string
 * @property {string[]} quality a text for each direction that is not excellent
 * @property {{level: number, count: number, text: string} | undefined} layers
 *
 * @typedef {object} OwnMedia
 * @property {MediaStreamTrack} video
 * @property {MediaStreamTrack} audio
 * @property {boolean} hasCamera
 * @property {{video: MediaStreamTrack} | undefined} screen
 * @property {{audio: boolean, video: boolean}} muted
 */

const SCREEN_SOURCES = ['screen', 'screenAudio'];

/**
 * Derives what the page shows from the state of the call: one tile for each person, and one for each shared screen.
 *
 * @param {import('./call.js').Call} call
 * @param {OwnMedia} media
 * @returns {TileView[]}
 */
export function viewOf(call, media) {
	const own = ownTiles(call, media);
	const others = [...call.people].flatMap((person) => tilesOf(person, call));
	const featured = others.findLast(({ screen }) => screen);
	if (featured) featured.featured = true;
	return [...own, ...others];
}

/**
 * @param {import('./call.js').Call} call
 * @param {OwnMedia} media
 * @returns {TileView[]}
 */
function ownTiles(call, { video, hasCamera, screen, muted }) {
	const { userId, userName } = call.identity;
	const tile = {
		...{
			key: userId,
			userId,
			name: `${userName} (you)`,
			node: call.node,
			own: true,
			mirrored: hasCamera,
			screen: false,
		},
		...{ video: muted.video ? undefined : video, audio: undefined, audioPusherId: undefined },
		...{ featured: false, muted: muted.audio, speaking: call.speaker === userId, state: '', layers: undefined },
		quality: [...qualityOf('Sending', call.uplink), ...qualityOf('Receiving', call.downlink)],
	};
	if (!screen) return [tile];
	const screenTile = { ...tile, key: `${userId} screen`, name: 'Your screen', mirrored: false, screen: true };
	return [tile, { ...screenTile, video: screen.video, muted: false, speaking: false, quality: [] }];
}

/**
 * @param {string} direction
 * @param {import('./link.js').Link} link
 */
function qualityOf(direction, { quality }) {
	return quality === 'excellent' ? [] : [`${direction}: ${quality}`];
}

/**
 * @param {import('./people.js').Person} person
 * @param {import('./call.js').Call} call
 * @returns {TileView[]}
 */
function tilesOf({ userId, userName, node, online, pushers }, call) {
	const all = [...pushers.values()];
	const isScreen = ({ source }) => SCREEN_SOURCES.includes(source);
	const stateOf = (part) => {
		if (!online) return 'Reconnecting…';
		return part.some(({ stalled, paused }) => stalled && !paused) ? 'Waiting for their network…' : '';
	};
	const common = { userId, node, own: false, mirrored: false, featured: false, quality: [] };
	const person = all.filter((pusher) => !isScreen(pusher));
	const tiles = [
		{
			...{ ...common, key: userId, name: userName, screen: false, state: stateOf(person) },
			...mediaOf(person, call),
			speaking: call.speaker === userId,
		},
	];
	const screen = all.filter(isScreen);
	if (screen.some(({ kind }) => kind === 'video')) {
		const name = `Screen of ${userName}`;
		tiles.push({
			...{ ...common, key: `${userId} screen`, name, screen: true, state: stateOf(screen) },
			...{ ...mediaOf(screen, call), muted: false, speaking: false },
		});
	}
	return tiles;
}

/**
 * @param {import('./people.js').Pusher[]} pushers
 * @param {import('./call.js').Call} call
 */
function mediaOf(pushers, { downlink }) {
	// The newest one, if a client pushes more than one of a kind.
	const video = pushers.findLast(({ kind }) => kind === 'video');
	const audio = pushers.findLast(({ kind }) => kind === 'audio');
	const trackOf = ({ pusherId } = { pusherId: '' }) => downlink.get(pusherId)?.receiver.track;
	return {
		video: video?.paused ? undefined : trackOf(video),
		audio: trackOf(audio),
		audioPusherId: audio?.pusherId,
		muted: audio?.paused ?? false,
		layers: video && !video.paused ? layersOf(video.layers, downlink.get(video.pusherId)) : undefined,
	};
}

/**
 * @param {number} simulcastLayers
 * @param {import('./downlink.js').Download | undefined} download
 */
function layersOf(simulcastLayers, download) {
	const { spatialLayer, temporalLayer } = download?.layers ?? {};
	if (spatialLayer === undefined) return undefined;
	const level = spatialLayer === null ? 0 : spatialLayer + 1;
	// SVC does not tell how many layers it has.
	const count = Math.max(simulcastLayers, level);
	if (count === 1) return undefined;
	const rate = temporalLayer === null ? '' : `, frame rate layer ${temporalLayer + 1}`;
	return { level, count, text: level === 0 ? 'No layer arrives' : `Layer ${level} of ${count}${rate}` };
}
