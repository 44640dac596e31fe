import type { AppMessage, User } from '../index.js';
import type { AppMessageData, Notifications } from '../protocol/index.js';
import type { Member } from './Member.js';
import type { EncodeNotification } from './SignalingClient.js';

/** The members of a room. Each notification is encoded once for all of its receivers. */
export class Members<Message> {
	readonly #encode: EncodeNotification<Message>;
	readonly #encodedApp = new WeakMap<AppMessage, Message>();
	readonly #members = new Map<string, Member<Message>>();

	constructor(encode: EncodeNotification<Message>) {
		this.#encode = encode;
	}

	get all(): Member<Message>[] {
		return [...this.#members.values()];
	}

	get(userId: string): Member<Message> | undefined {
		return this.#members.get(userId);
	}

	/** Adds a member, until its user leaves. */
	add(member: Member<Message>): void {
		const { user } = member;
		this.#members.set(user.userId, member);
		user.once('closed', ({ reason }) => {
			// When the room closes, they are told of that first.
			if (reason !== 'roomClosed') this.#members.delete(user.userId);
		});
	}

	/** Forgets all. */
	clear(): void {
		this.#members.clear();
	}

	/** Notifies the member of a user, if it has one. */
	tellUser<Method extends keyof Notifications>({ userId }: User, method: Method, data: Notifications[Method]): void {
		const member = this.#members.get(userId);
		if (member) this.tell([member], method, data);
	}

	/** Encodes a message of the app once for all who get the same one. */
	encodeApp(message: AppMessage, data: AppMessageData): Message {
		let encoded = this.#encodedApp.get(message);
		if (encoded === undefined) {
			encoded = this.#encode('appMessage', data);
			this.#encodedApp.set(message, encoded);
		}
		return encoded;
	}

	/** Notifies all. */
	tellAll<Method extends keyof Notifications>(method: Method, data: Notifications[Method]): void {
		this.tell(this.all, method, data);
	}

	/** Notifies the others of a user, unless it is hidden. */
	tellOthers<Method extends keyof Notifications>(user: User, method: Method, data: Notifications[Method]): void {
		if (!user.permissions.hidden) this.tellAllBut(user, method, data);
	}

	/** Notifies the others of a user, even if it is hidden. */
	tellAllBut<Method extends keyof Notifications>(user: User, method: Method, data: Notifications[Method]): void {
		const others: Member<Message>[] = [];
		for (const member of this.#members.values()) {
			if (member.listening && member.user !== user) others.push(member);
		}
		this.tell(others, method, data);
	}

	/** Notifies some. */
	tell<Method extends keyof Notifications>(
		members: readonly Member<Message>[],
		method: Method,
		data: Notifications[Method],
	): void {
		const receivers = members.filter(({ listening }) => listening);
		if (receivers.length === 0) return;
		const message = this.#encode(method, data);
		for (const receiver of receivers) receiver.send(message);
	}
}
