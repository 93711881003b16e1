import type { InterfaceControl } from '../console/api/interfaces.ts';
import type { Kept } from './admin/kept.ts';
import type { PausedQueues } from './admin/paused-queues.ts';
import type { Stores } from './broker.ts';
import { ConsoleRole } from './console/console-role.ts';
import { declareQueues } from './deploy/declare-queues.ts';
import { nothingDeployed, type Deployed } from './deploy/deployed.ts';
import { Deployments } from './deploy/deployments.ts';
import { toDeploys } from './deploy/to-deploys.ts';
import type { Shown } from './engine.ts';
import { Installation } from './installation.ts';

type ConsoleParts = Parameters<typeof ConsoleRole.open>[0];

/** An installation with console and editor: what is deployed is deployed here. */
export abstract class ConsoleInstallation extends Installation {
  #deployments: Deployments | undefined;
  #console: ConsoleRole | undefined;

  get url(): string {
    return this.#console?.url ?? '';
  }

  setupLink(): Promise<string | undefined> {
    return this.#console?.setupLink() ?? Promise.resolve(undefined);
  }

  protected get current(): Deployed {
    return this.#deployments?.current ?? nothingDeployed;
  }

  protected override show(what: Shown, event: object): void {
    this.#console?.editor.show(what, event);
  }

  /** Reads what is deployed, and makes its queues exist. */
  protected async openDeployments(
    parts: Omit<ConstructorParameters<typeof Deployments>[0], 'settings' | 'logger'>,
    { stores, credentialSecret }: { readonly stores: Stores; readonly credentialSecret: string },
  ): Promise<Deployments> {
    const { logger } = this.options;
    const deployments = new Deployments({
      ...this.options,
      ...parts,
      onDeployed: (deployed) => {
        parts.onDeployed(deployed);
        // For the console, which counts what it has declared. Edge and workers declare what they use.
        declareQueues(deployed, stores).catch((error: unknown) => {
          logger.warn({ err: error }, 'The console does not see all queues until the next deploy.');
        });
      },
    });
    this.#deployments = deployments;
    await declareQueues(await deployments.open(credentialSecret), stores);
    return deployments;
  }

  /** Rejects where its address cannot be had. It watches over nothing yet. */
  protected async openConsole(
    deployments: Deployments,
    parts: {
      readonly stores: Stores;
      readonly paused: PausedQueues;
      readonly interfaces: InterfaceControl;
      readonly credentialSecret: string;
      readonly heldDecisions: Kept;
      readonly tell: Pick<ConsoleParts['engine'], 'tellConsumers' | 'tellWorkers' | 'tellWorkerOf'>;
    },
  ): Promise<ConsoleRole> {
    const { tell, ...rest } = parts;
    const { settings } = this.options;
    this.#console = await ConsoleRole.open({
      ...this.options,
      ...rest,
      engine: {
        ...tell,
        stored: () => deployments.stored,
        current: () => deployments.current,
        deploy: (submission) => deployments.deploy(submission),
        settled: () => deployments.settled(),
        deploys: (editor) => toDeploys({ deployments, editor, settings }),
        status: () => this.status(),
        problems: () => this.problems(),
        flows: () => this.flowControl.flows,
      },
    });
    return this.#console;
  }

  protected override async closeFirst(): Promise<void> {
    await this.#console?.stop();
  }

  protected override async settle(): Promise<void> {
    await this.#deployments?.settled();
  }
}
