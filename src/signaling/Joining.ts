import { SfuError, type User, type UserDetails } from '../index.js';
import type { IceServer, JoinSuccess, MemberData, RequestData } from '../protocol/index.js';
import type { Quota } from '../Quota.js';
import type { JoinGrant } from './authorize.js';
import type { ClientQuota } from './ClientQuotas.js';
import { Member } from './Member.js';
import type { Outcome, Reply } from './requests/RequestContext.js';
import type { RoomNotifier } from './RoomNotifier.js';
import { activeSpeakerData, ownConnectionsData } from './serialize.js';
import type { MemberSession } from './SignalingClient.js';

/** A user, and its room. */
export interface Joined<Message> {
	notifier: RoomNotifier<Message>;
	member: Member<Message>;
}

/**
 * Gets a room, and opens it if need be.
 *
 * @param create - whether the client may open it
 * @param quota - how many rooms the client may open
 * @throws {@link SfuError} (rejects) `forbidden`, `limit_exceeded`, and the errors of `getOrCreateRoom`
 */
export type OpenRoom<Message> = (
	roomId: string,
	options: { create: boolean; quota: Quota },
) => Promise<RoomNotifier<Message>>;

interface JoiningOptions<Message> {
	session: MemberSession<Message>;
	/** Asks the app. */
	authorize: (join: RequestData<'join'>) => Promise<JoinGrant>;
	openRoom: OpenRoom<Message>;
	iceServersOf: (user: User) => Promise<IceServer[]>;
	quota: ClientQuota;
	/** Called when the session speaks for a user from now on. */
	joined: (joined: Joined<Message>) => void;
}

/** One `join` of a session, from the message to the user. A join that waits in the lobby lets later messages pass. */
export class Joining<Message> {
	/** The user that the client wants to be. */
	readonly who: MemberData;
	readonly #join: RequestData<'join'>;
	readonly #options: JoiningOptions<Message>;
	readonly #abort = new AbortController();

	constructor(join: RequestData<'join'>, options: JoiningOptions<Message>) {
		this.who = { roomId: join.roomId, userId: join.userId };
		this.#join = join;
		this.#options = options;
	}

	/** Gives up, since the client has left or is gone. */
	abort(): void {
		this.#abort.abort(gaveUp);
	}

	/** @throws {@link SfuError} (rejects) if the client may not join */
	async run(): Promise<Outcome> {
		const { authorize, openRoom, iceServersOf, quota, session } = this.#options;
		const granted = withAudience(await authorize(this.#join), this.#join);
		const grant = { ...granted, sharedQuota: granted.sharedQuota ?? quota.shared };
		const create = grant.permissions?.createRoom ?? true;
		const notifier = await openRoom(this.#join.roomId, { create, quota: quota.rooms });
		this.#assertOngoing();
		let waits!: () => void;
		const waiting = new Promise<void>((resolve) => {
			waits = resolve;
		});
		const { signal } = this.#abort;
		const entered = notifier.enter({ join: this.#join, grant, session, signal, waits });
		const reply = entered.catch(blameApp(grant)).then(async ({ member, resumed }) => {
			const iceServers = await iceServersOf(member.user);
			return this.#take({ notifier, member }, { grant, resumed, iceServers });
		});
		const now = await Promise.race([reply, waiting]);
		return now ?? { later: reply };
	}

	/** Lets the session speak for the user. */
	#take(
		joined: Joined<Message>,
		{ grant, resumed, iceServers }: { grant: JoinGrant; resumed: boolean; iceServers: IceServer[] },
	): Reply<JoinSuccess> {
		const { session } = this.#options;
		const { notifier, member } = joined;
		const { user } = member;
		if (!session.open || this.#abort.signal.aborted) {
			// No other session has used the member.
			if (!member.session && !member.lost) member.leave('left');
			throw closed();
		}
		const assertThere = () => {
			if (user.closed) throw new SfuError('closed', 'the user has left meanwhile');
		};
		assertThere();
		const { session: before, lost } = member;
		member.attach(session, this.#join.resumeToken);
		this.#options.joined(joined);
		if (before) Member.dismiss(before, notifier.replaced(user.userId));
		if (resumed) this.#update(joined, grant);
		member.noteSaid(this.#join, grant);
		if (lost) notifier.cameBack(user);
		return () => {
			assertThere();
			member.listen();
			if (resumed) notifier.tellDraining(member);
			const activeSpeaker = activeSpeakerData(notifier.room);
			return {
				code: 0,
				message: 'join success',
				users: notifier.others(user),
				resumed,
				...(resumed && ownConnectionsData(user)),
				resumeToken: member.resumeToken,
				...(activeSpeaker && { activeSpeaker }),
				...(iceServers.length > 0 && { iceServers }),
				...this.#unsaid(user),
			};
		};
	}

	/** Applies what the client and the app say that they have not said the last time. All else is kept. */
	#update({ member: { user, said } }: Joined<Message>, grant: JoinGrant): void {
		const ofClient = user.permissions.updateMetadata ? newDetails(this.#join, said.client) : {};
		const ofApp = newDetails(grant, said.app);
		user.update({ ...ofClient, ...ofApp }, Object.keys(ofApp).length > 0 ? 'app' : 'client');
		if (grant.permissions) user.setPermissions(grant.permissions);
	}

	/** What the client does not know of its own user, since it has not said so. */
	#unsaid({ userName, metadata }: User): Pick<JoinSuccess, 'userName' | 'metadata'> {
		return {
			...(userName !== this.#join.userName && { userName }),
			...(!isSameJson(metadata, this.#join.metadata) && { metadata: metadata ?? null }),
		};
	}

	#assertOngoing(): void {
		if (!this.#options.session.open || this.#abort.signal.aborted) throw closed();
	}
}

const isSameJson = (one: unknown, other: unknown) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** What is said of a user, and is not what was said before. */
const newDetails = ({ userName, metadata }: UserDetails, before: UserDetails): UserDetails => ({
	...(userName !== undefined && userName !== before.userName && { userName }),
	...(metadata !== undefined && !isSameJson(metadata, before.metadata) && { metadata }),
});

/** Node makes an error with a stack for each abort without a reason. */
const gaveUp = new SfuError('closed', 'the client has left meanwhile');

const closed = () => new SfuError('closed', 'the client has left meanwhile');

/** `audience` asks to be hidden, and the app may say otherwise. */
const withAudience = (grant: JoinGrant, { audience }: RequestData<'join'>): JoinGrant =>
	audience ? { ...grant, permissions: { hidden: true, ...grant.permissions } } : grant;

/** The client's own data has been checked, so that a wrong argument is what `authorize` has returned. */
const blameApp = (grant: JoinGrant) => (error: unknown) => {
	if (!(error instanceof SfuError) || !['invalid_argument', 'too_large'].includes(error.code)) throw error;
	throw new Error(`authorize returned a wrong grant for a join: ${error.message}`, { cause: grant });
};
