/** A user of console and editor, as it is kept. */
export interface UserRecord {
  /** Lower case; unique. */
  readonly username: string;
  /** `scrypt$N$r$p$salt$hash`, see password.ts: never the password. */
  readonly passwordHash: string;
  /** Node-RED's scopes and Hilum's rights; `*` is everything. */
  readonly permissions: readonly string[];
  /** ISO 8601 instant, UTC. */
  readonly createdAt: string;
}

/**
 * Where the users are kept: connectors/file/user-store.ts keeps them in one file. Asked on every request,
 * so that a right taken away is gone at once.
 */
export interface UserStore {
  /** Whether nobody exists yet: then, and only then, a setup link is given out. */
  isEmpty(): Promise<boolean>;
  find(username: string): Promise<UserRecord | undefined>;
  /** Resolves when the user is durable. Rejects with HilumError `user-exists` where the name is taken. */
  add(user: UserRecord): Promise<void>;
}
