/** One deploy that was committed. */
export interface DeployView {
  /** Of the repository in which the flows lie, in full. */
  readonly revision: string;
  /** ISO 8601 instant. */
  readonly at: string;
  readonly by: string;
  /** What it changed, in a line. */
  readonly subject: string;
}

/** What a deploy has come to. */
export interface DeployedView {
  /** The worker groups whose workers change. */
  readonly groups: readonly string[];
  /** The revision that was taken up again, in full; absent: the files as they were. */
  readonly revision?: string;
  /** What of that revision runs beside its flows: `mappings`, `profiles`; the rest is as it was before. */
  readonly broughtBack?: readonly string[];
}

/**
 * Deploys that are no editor's: the runtime implements it and hands it in. Rejects with HilumError (permanent) with words
 * for people: what is wrong with the flows, by node; `no-history`; `revision-unknown`.
 */
export interface Deploys {
  /**
   * Deploys the flow files as they are in their folder, or as they were at a revision, with the mappings and profiles that
   * they had. Resolves when it is durable and
   * what it changes has started.
   */
  deploy(options: { readonly revision?: string; readonly by: string }): Promise<DeployedView>;
  /** The newest first. */
  list(limit: number): Promise<readonly DeployView[]>;
  /** What a revision has changed, as git shows it; without one, what has changed since the last deploy. */
  diff(revision?: string): Promise<string>;
}
