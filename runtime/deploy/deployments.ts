import { flowFolders, planFlowFiles } from '../../connectors/file/flow-store.ts';
import { recoverFileSet, writeFileSet } from '../../connectors/file/file-set.ts';
import { HilumError } from '../../core/errors.ts';
import type { FlowNode } from '../../core/interface.ts';
import { isValid } from '../../core/issue.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { decryptCredentials } from '../credentials.ts';
import type { Settings } from '../settings.ts';
import type { Succession } from '../workers/workers.ts';
import { compileBySettings } from './definitions.ts';
import type { Deployed } from './deployed.ts';
import { toFiles } from './flow-files.ts';
import type { FlowHistory } from './history.ts';
import { forgetMappings, keepMappings } from './mapping-version.ts';
import { credentialsFileOf, readCredentials, readFlows, type Submission } from './storage.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly history: FlowHistory;
  /** Starts what is to run beside what runs; rejects where it does not start. */
  readonly prepare: (deployed: Deployed) => Promise<Succession>;
  /** It is deployed: listeners, senders and queues go by it from now on. */
  readonly onDeployed: (deployed: Deployed) => void;
}

/**
 * What is deployed, and how it changes. A deploy is checked; then the workers that it changes are started beside the
 * ones that run; only when all have started are the files written, as one change. From there it holds, over any crash:
 * the new workers take over, queue by queue. Whatever fails before leaves everything as it was.
 */
export class Deployments {
  readonly #options: Options;
  #current: Deployed = nothingDeployed;
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

  /** The groups whose workers the last deploy has changed. */
  get groups(): readonly string[] {
    return this.#groups;
  }

  get history(): FlowHistory {
    return this.#options.history;
  }

  /** Finishes what a crash has interrupted, and reads what is deployed. The secret is that of the credentials. */
  async open(credentialSecret: string): Promise<Deployed> {
    this.#credentialSecret = credentialSecret;
    const { settings } = this.#options;
    const { flowsDirectory, dataDirectory, mappingsDirectory, mappingVersions } = settings;
    await recoverFileSet(settings.deployJournal, [...flowFolders(flowsDirectory), dataDirectory]);
    const flows = await readFlows(flowsDirectory);
    const mappings = await keepMappings(mappingsDirectory, mappingVersions);
    await forgetMappings(mappingVersions, mappings);
    const stored = await readCredentials(dataDirectory);
    const credentials = decryptCredentials(stored, credentialSecret);
    this.#current = { flows, compiled: compileBySettings(flows, settings), credentials, mappings };
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

  async #deploy({ flows, credentials: changed, by }: Submission): Promise<void> {
    const { settings, prepare, onDeployed, logger } = this.#options;
    const compiled = compileBySettings(flows, settings);
    if (!isValid(compiled.issues)) throw new HilumError('permanent', compiled.issues);
    const before = this.current;
    const deployed: Deployed = {
      flows,
      compiled,
      credentials:
        changed === undefined
          ? before.credentials
          : decryptCredentials(changed, this.#credentialSecret),
      mappings: await keepMappings(settings.mappingsDirectory, settings.mappingVersions),
    };
    const succession = await prepare(deployed);
    const files = await this.#write(flows, changed).catch(async (error: unknown) => {
      await succession.abandon();
      throw error;
    });
    this.#current = deployed;
    this.#groups = succession.groups;
    onDeployed(deployed);
    this.#completing = this.#complete(succession);
    logger.info({ groups: succession.groups, files: files.length, by }, 'The flows were deployed.');
    await this.#options.history.record({
      by: by ?? 'somebody',
      before: before.flows,
      after: flows,
    });
  }

  async #write(flows: readonly FlowNode[], credentials: object | undefined) {
    const { deployJournal, flowsDirectory, dataDirectory } = this.#options.settings;
    const { write, remove } = await planFlowFiles(flowsDirectory, toFiles(flows));
    const kept: [string, string][] =
      credentials === undefined
        ? []
        : [[credentialsFileOf(dataDirectory), `${JSON.stringify(credentials, null, 2)}\n`]];
    return writeFileSet(deployJournal, { write: new Map([...write, ...kept]), remove });
  }

  async #complete(succession: Succession): Promise<void> {
    try {
      await succession.complete();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'The deployed flows do not all run yet.');
    }
  }
}

const nothingDeployed: Deployed = {
  flows: [],
  compiled: {
    definitions: { listeners: [], senders: [], queues: [] },
    issues: [],
    alarmLimits: new Map(),
    retention: new Map(),
  },
  credentials: {},
  mappings: { directory: '', hash: '' },
};
