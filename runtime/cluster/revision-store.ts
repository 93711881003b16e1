import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import { findFailure } from '../../core/errors.ts';
import type { Cluster } from '../../core/ports/cluster.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { DeployStore, FileStore } from '../deploy/deploy-store.ts';
import type { Earlier, Stored } from '../deploy/stored.ts';
import type { Settings } from '../settings.ts';
import { toContent, toStored } from './revision-content.ts';

interface Options {
  readonly cluster: Cluster;
  /** Where flows, mappings and profiles are edited. */
  readonly files: FileStore;
  readonly settings: Settings;
  readonly logger: Logger;
}

/**
 * What is deployed, as immutable revisions that all roles read. The first is made of what the files hold; what is deployed
 * in the editor or taken up again is written to them, so that they are what runs.
 */
export class RevisionStore implements DeployStore {
  readonly #options: Options;
  /** What a deploy here is to follow. */
  #newest = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The number of the revision that is deployed. */
  get newest(): number {
    return this.#newest;
  }

  async open(): Promise<Stored> {
    const { cluster, files, settings } = this.#options;
    const newest = await cluster.latest();
    if (newest === undefined) {
      const inFiles = await files.open();
      const content = toContent(inFiles);
      const first = await cluster.add({ by: 'Hilum', message: 'The first', content }, 0);
      this.#newest = first.number;
      return inFiles;
    }
    this.#newest = newest.number;
    const stored = toStored(newest.content, settings);
    await files.recover();
    await this.#catchUp(stored);
    return stored;
  }

  readSources(...args: Parameters<DeployStore['readSources']>) {
    return this.#options.files.readSources(...args);
  }

  async save(change: Parameters<DeployStore['save']>[0]): Promise<void> {
    const { by, message, earlier } = change;
    const after = this.#newest;
    const isTakenUpAgain = Object.keys(earlier).length > 0;
    await this.#setBehind({ after, isTakenUpAgain });
    this.#newest = await this.#add({ by, message, content: toContent(change) }, after);
    await this.#writeFiles(change);
  }

  async #add(revision: Parameters<Cluster['add']>[0], after: number): Promise<number> {
    try {
      return (await this.#options.cluster.add(revision, after)).number;
    } catch (error) {
      // Otherwise it may be there all the same.
      if (findFailure(error)?.errorClass === 'permanent') await this.#setBehind(undefined);
      throw error;
    }
  }

  /** A crash has ended a deploy of this console when its revision was there and its files were not. */
  async #catchUp(stored: Stored): Promise<void> {
    const text = (await readFileIfAny(this.#options.settings.filesBehindFile)) ?? '';
    const behind = text === '' ? undefined : (JSON.parse(text) as Behind);
    if (behind === undefined) return;
    if (this.#newest !== behind.after + 1) {
      await this.#setBehind(undefined);
      return;
    }
    const { mappings, profiles } = stored;
    const earlier: Earlier = behind.isTakenUpAgain ? { mappings, profiles: profiles.copies } : {};
    await this.#writeFiles({ ...stored, by: '', message: '', hasNewCredentials: true, earlier });
  }

  /** The revision counts already: where files cannot be written, the next deploy or the next start does it. */
  async #writeFiles(change: Parameters<DeployStore['save']>[0]): Promise<void> {
    const { files, logger } = this.#options;
    try {
      await files.save(change);
      await this.#setBehind(undefined);
    } catch (error) {
      logger.error(
        { err: error, revision: this.#newest },
        'The revision is deployed, and the files of this console are not what it has: they could not be written.',
      );
    }
  }

  /** From before a revision is made until its files are written: after a crash they still are to be. */
  async #setBehind(behind: Behind | undefined): Promise<void> {
    const text = behind === undefined ? '' : JSON.stringify(behind);
    await writeFileAtomically(this.#options.settings.filesBehindFile, text);
  }
}

interface Behind {
  /** The revision before the one that was to be made. */
  readonly after: number;
  /** Mappings and profiles are to be written as well. */
  readonly isTakenUpAgain: boolean;
}
