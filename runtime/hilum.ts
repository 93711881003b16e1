import type { Problem } from '../console/api/control.ts';
import { keptInFile } from './admin/kept.ts';
import { ConsoleInstallation } from './console-installation.ts';
import { storeInFiles } from './deploy/deploy-store.ts';
import type { Deployments } from './deploy/deployments.ts';
import { openHistory } from './deploy/history.ts';

/**
 * Hilum on one machine: a supervisor that holds console and editor, and beside it the owner of the ledger and the embedded
 * broker, the edge, the workers of the groups of flows, and the demo partners.
 */
export class Hilum extends ConsoleInstallation {
  #deployments: Deployments | undefined;

  problems(): readonly Problem[] {
    return this.engine.problems();
  }

  protected async open(credentialSecret: string): Promise<void> {
    const { settings, logger } = this.options;
    const paused = await this.openDecisions({
      paused: keptInFile(settings.pausedFile),
      stopped: keptInFile(settings.stoppedFile),
    });
    const demo = settings.demo ? this.engine.startHelper('demo') : undefined;
    // Whoever awaits it below hears of a failure; until then it must not count as unhandled.
    demo?.catch(() => undefined);
    const stores = await this.openStores({
      onState: (state) => {
        this.engine.connection('console', state);
      },
    });
    const deployments = await this.openDeployments(
      {
        store: storeInFiles(settings),
        history: openHistory({ ...settings, logger }),
        prepare: (deployed) => {
          const flows = this.flowControl.arrange(deployed.flows);
          return this.engine.workers.prepare({ ...deployed, flows });
        },
        onDeployed: () => {
          this.flowControl.deployed();
          this.engine.applyToEdge();
        },
      },
      { stores, credentialSecret },
    );
    this.#deployments = deployments;
    for (const issue of deployments.current.compiled.issues) {
      logger.error({ node: issue.location, code: issue.code }, issue.message);
    }
    const opening = this.openConsole(deployments, {
      ...{ stores, paused, credentialSecret, interfaces: this.flowControl },
      heldDecisions: keptInFile(settings.heldDecisionsFile),
      tell: {
        tellConsumers: (message) => {
          this.engine.tellConsumers(message);
        },
        tellWorkers: (message) => {
          this.engine.workers.send(message);
        },
        // It knows whether it is meant.
        tellWorkerOf: (_group, message) => {
          this.engine.workers.send(message);
        },
      },
    });
    const [console] = await Promise.all([
      opening,
      this.engine.workers.start(this.engine.running),
      demo,
    ]);
    // Last: whoever finds a listener open finds its flow ready as well.
    await this.engine.startEdge();
    console.watch();
    this.adoptOrphans(stores);
  }

  protected async rearrange(): Promise<void> {
    await this.#deployments?.exclusively(() => this.engine.rearrange());
  }
}
