import { createHash } from 'node:crypto';

/** What vouches for the client of a user when it comes to another server: hashes of the secrets that it has. */
export class Tickets {
	/** Called when they change. */
	onChanged: (() => void) | undefined;
	/** Those of another server, or those of the secrets once somebody asks for them. */
	#hashes: readonly string[] | undefined = [];
	#secrets: readonly string[] = [];
	#lost = false;

	get hashes(): readonly string[] {
		this.#hashes ??= this.#secrets.map(hash);
		return this.#hashes;
	}

	/** Whether the client's socket is lost, so that another one may come in its place. */
	get lost(): boolean {
		return this.#lost;
	}

	/** Takes over what another server tells. */
	follow({ hashes, lost }: Pick<Tickets, 'hashes' | 'lost'>): void {
		this.#hashes = hashes;
		this.#lost = lost;
	}

	/** Changes the secrets that the client may show. */
	set(secrets: readonly string[], lost: boolean): void {
		this.#secrets = secrets;
		this.#hashes = undefined;
		this.#lost = lost;
		this.onChanged?.();
	}

	/** Whether this is one of the secrets. */
	has(secret: string): boolean {
		return this.hashes.includes(hash(secret));
	}
}

const hash = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
