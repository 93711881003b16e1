import { HilumError } from '../../core/errors.ts';
import { isValid } from '../../core/issue.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { decryptCredentials, encryptCredentials } from '../credentials.ts';
import type { Settings } from '../settings.ts';
import type { Succession } from '../workers/workers.ts';
import { compileBySettings } from './definitions.ts';
import { describeChanges } from './describe-changes.ts';
import type { DeployStore } from './deploy-store.ts';
import type { Stored } from './stored.ts';
import { nothingDeployed, type Deployed } from './deployed.ts';
import type { FlowHistory } from './history.ts';
import { forgetMappings, keepMappings } from './mapping-version.ts';
import { forgetProfiles, keepProfiles } from './profile-version.ts';
import type { Submission } from './storage.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly store: DeployStore;
  readonly history: FlowHistory;
  /** Starts what is to run beside what runs; rejects where it does not start. */
  readonly prepare: (deployed: Deployed) => Promise<Succession>;
  /** It is deployed: listeners, senders and queues go by it from now on. */
  readonly onDeployed: (deployed: Deployed) => void;
}

/**
 * What is deployed, and how it changes. A deploy is checked; then the workers that it changes are started beside the
 * ones that run; only when all have started is it stored, as one change. From there it holds, over any crash: the new
 * workers take over, queue by queue. Whatever fails before leaves everything as it was.
 */
export class Deployments {
  readonly #options: Options;
  #current: Deployed = nothingDeployed;
  #credentials: object = {};
  #groups: readonly string[] = [];
  #credentialSecret = '';
  #deploying: Promise<void> = Promise.resolve();
  /** The workers of the last deploy take over. */
  #completing: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
  }

  /** What runs, or is to run; nothing at all before {@link open}. */
  get current(): Deployed {
    return this.#current;
  }

  /** What the editor opens. */
  get stored(): Pick<Stored, 'flows' | 'credentials'> {
    return { flows: this.#current.flows, credentials: this.#credentials };
  }

  /** The groups whose workers the last deploy has changed. */
  get groups(): readonly string[] {
    return this.#groups;
  }

  get history(): FlowHistory {
    return this.#options.history;
  }

  /** Reads what is deployed. The secret is that of the credentials. */
  async open(credentialSecret: string): Promise<Deployed> {
    this.#credentialSecret = credentialSecret;
    const stored = await this.#options.store.open();
    const hasNone = Object.keys(stored.credentials).length === 0;
    // Node-RED complains where there are none at all.
    this.#credentials = hasNone ? encryptCredentials({}, credentialSecret) : stored.credentials;
    this.#current = await toDeployed(stored, { ...this.#options, credentialSecret });
    await forgetOtherVersions(this.#current, this.#options.settings);
    return this.#current;
  }

  /**
   * One after the other. Resolves when it is durable and everything that it changes has started. Rejects with HilumError
   * (permanent), its issues located by node, where something is wrong with it or does not start.
   */
  deploy(submission: Submission): Promise<void> {
    return this.exclusively(() => this.#deploy(submission));
  }

  /** Does the work while no deploy is under way, and none while it is. */
  exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#deploying.then(() => this.#completing).then(work);
    this.#deploying = done.catch(() => undefined);
    return done;
  }

  /** Resolves when no deploy is under way any more. */
  async settled(): Promise<void> {
    await this.#deploying;
    await this.#completing;
  }

  async #deploy({
    flows,
    credentials: changed,
    by = 'somebody',
    earlier = {},
  }: Submission): Promise<void> {
    const { store, prepare, onDeployed, logger, history } = this.#options;
    const credentialSecret = this.#credentialSecret;
    const credentials = changed ?? this.#credentials;
    const stored: Stored = { flows, credentials, ...(await store.readSources(flows, earlier)) };
    const before = this.current;
    const deployed = await toDeployed(stored, { ...this.#options, credentialSecret });
    const { issues } = deployed.compiled;
    if (!isValid(issues)) throw new HilumError('permanent', issues);
    const succession = await prepare(deployed);
    const message = describeDeploy(before, deployed);
    const hasNewCredentials = changed !== undefined;
    try {
      await store.save({ ...stored, message, by, hasNewCredentials, earlier });
    } catch (error) {
      await succession.abandon();
      throw error;
    }
    this.#current = deployed;
    this.#credentials = credentials;
    this.#groups = succession.groups;
    onDeployed(deployed);
    this.#completing = this.#complete(succession);
    logger.info({ groups: succession.groups, by }, 'The flows were deployed.');
    await history.record({ by, message });
  }

  async #complete(succession: Succession): Promise<void> {
    try {
      await succession.complete();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'The deployed flows do not all run yet.');
    }
  }
}

/** Compiled and decrypted, its mappings and profiles in files of their own. Rejects with `credentials-unreadable` (permanent). */
export async function toDeployed(
  { flows, credentials, mappings, profiles }: Stored,
  options: { readonly settings: Settings; readonly credentialSecret: string },
): Promise<Deployed> {
  const { settings, credentialSecret } = options;
  return {
    flows,
    compiled: compileBySettings(flows, settings, { mappings, profiles }),
    credentials: decryptCredentials(credentials, credentialSecret),
    mappings: await keepMappings(mappings, settings.mappingVersions),
    profiles: await keepProfiles(profiles.copies, flows, settings),
  };
}

/** Removes what earlier deploys have left in the data folder. While nobody runs by it. */
export async function forgetOtherVersions(
  { mappings, profiles }: Deployed,
  { mappingVersions, profileVersions }: Settings,
): Promise<void> {
  await forgetMappings(mappingVersions, mappings);
  await forgetProfiles(profileVersions, profiles);
}

function describeDeploy(before: Deployed, after: Deployed): string {
  const hasOtherProfiles = after.profiles.some(({ name, hash }) =>
    before.profiles.some((each) => each.name === name && each.hash !== hash),
  );
  return describeChanges(before.flows, after.flows, [
    ...(before.mappings.hash === after.mappings.hash ? [] : ['mappings']),
    ...(hasOtherProfiles ? ['profiles'] : []),
  ]);
}
