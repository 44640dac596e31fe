import type { Logger } from '../Logger.js';
import type { CodecPolicy } from '../media/codecs.js';
import { toSfuError } from '../media/callWorker.js';
import type { SfuError } from '../SfuError.js';
import type { Access } from './Access.js';
import type { AppPauses, FollowedMutes } from './AppPauses.js';
import type { RoomOptions } from './RoomOptions.js';

/** What the settings of a room are for. */
interface SharedSettingsContext {
	access: Access;
	pauses: AppPauses;
	/** The codecs of the Sfu. */
	codecs: CodecPolicy;
	/** Takes the codecs of those who join from now on. */
	setCodecs: (codecs: CodecPolicy) => void;
	/** Other sources of a user are muted. */
	mutesChanged: (mutes: FollowedMutes) => void;
	/** Somebody is banned. */
	banned: (userId: string) => void;
	logger: Logger;
}

/** Follows the settings of a room that another server has changed. */
export class SharedSettings {
	/** The key of the options with which the room was opened. */
	static readonly optionsKey = 'options';
	/** The options that were given on this server. */
	readonly given: RoomOptions;
	readonly #context: SharedSettingsContext;
	#error: SfuError | undefined;

	constructor(given: RoomOptions, context: SharedSettingsContext) {
		this.given = given;
		this.#context = context;
	}

	/** @throws {@link SfuError} if this server cannot do what the options of another one say */
	assertFollowed(): void {
		if (this.#error) throw this.#error;
	}

	/** Another server has changed a setting. */
	follow(key: string, value: unknown): void {
		const { access, pauses, banned, mutesChanged } = this.#context;
		if (key === SharedSettings.optionsKey) this.#followOptions(value as RoomOptions);
		const userId = access.follow(key, value);
		if (userId !== undefined) banned(userId);
		const muted = pauses.follow(key, value);
		if (muted) mutesChanged(muted);
	}

	/** Whoever has opened the room first chooses. */
	#followOptions(options: RoomOptions): void {
		const { access, codecs, setCodecs, logger } = this.#context;
		if (isOther(this.given, options)) {
			logger.warn('the room is open on another server with other options, which count', { given: this.given, options });
		}
		access.lobbyByOption = options.lobby === true;
		try {
			setCodecs(codecsOf(options, codecs));
			this.#error = undefined;
		} catch (error) {
			this.#error = toSfuError(error);
			logger.error('this server has none of the codecs with which the room is open on another one', { error });
		}
	}
}

/** The codecs of a room. @throws {@link SfuError} `unsupported` if the Sfu has none of them */
export const codecsOf = ({ codecs: names }: RoomOptions, codecs: CodecPolicy): CodecPolicy =>
	names ? codecs.narrow(names) : codecs;

/** Whether options were given that are not those of the room. */
function isOther(given: RoomOptions, { codecs, lobby = false }: RoomOptions): boolean {
	const isOtherList = given.codecs !== undefined && JSON.stringify(given.codecs) !== JSON.stringify(codecs);
	return isOtherList || (given.lobby !== undefined && given.lobby !== lobby);
}
