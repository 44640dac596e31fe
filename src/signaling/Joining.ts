import { SfuError } from '../index.js';
import type { JoinSuccess, MemberData, RequestData } from '../protocol/index.js';
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
		const { authorize, openRoom, quota, session } = this.#options;
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
		const reply = entered.catch(blameApp(grant)).then(({ member, resumed }) => {
			return this.#take({ notifier, member }, { grant, resumed });
		});
		const now = await Promise.race([reply, waiting]);
		return now ?? { later: reply };
	}

	/** Lets the session speak for the user. */
	#take(joined: Joined<Message>, { grant, resumed }: { grant: JoinGrant; resumed: boolean }): Reply<JoinSuccess> {
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
		member.saidName = this.#join.userName;
		if (lost) notifier.cameBack(user);
		return () => {
			assertThere();
			member.listen();
			const activeSpeaker = activeSpeakerData(notifier.room);
			return {
				code: 0,
				message: 'join success',
				users: notifier.others(user),
				resumed,
				...(resumed && ownConnectionsData(user)),
				resumeToken: member.resumeToken,
				...(activeSpeaker && { activeSpeaker }),
			};
		};
	}

	/** Applies what has changed since the user joined: what the app says now, and the name if the client has a new one. */
	#update({ member: { user, saidName } }: Joined<Message>, { userName, permissions }: JoinGrant): void {
		const said = this.#join.userName === saidName ? undefined : this.#join.userName;
		const name = userName ?? (user.permissions.updateMetadata ? said : undefined);
		if (name !== undefined) user.rename(name);
		if (permissions) user.setPermissions(permissions);
	}

	#assertOngoing(): void {
		if (!this.#options.session.open || this.#abort.signal.aborted) throw closed();
	}
}

/** Node makes an error with a stack for each abort without a reason. */
const gaveUp = new SfuError('closed', 'the client has left meanwhile');

const closed = () => new SfuError('closed', 'the client has left meanwhile');

/** `audience` asks to be hidden, and the app may say otherwise. */
const withAudience = (grant: JoinGrant, { audience }: RequestData<'join'>): JoinGrant =>
	audience ? { ...grant, permissions: { hidden: true, ...grant.permissions } } : grant;

/** The client's own data has been checked, so that a wrong argument is what `authorize` has returned. */
const blameApp = (grant: JoinGrant) => (error: unknown) => {
	if (!(error instanceof SfuError) || error.code !== 'invalid_argument') throw error;
	throw new Error(`authorize returned a wrong grant for a join: ${error.message}`, { cause: grant });
};
