import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

/** What the tests ask of a Node-RED with the built nodes; one line of JSON on stdout. */
export interface Report {
  readonly started: boolean;
  readonly missing: readonly string[];
  readonly nodes: readonly { readonly types: readonly string[]; readonly error: string }[];
  /** What stands under each node of the flow, by its id. */
  readonly statuses: Readonly<Record<string, string>>;
  /** Every module's texts, by module. */
  readonly catalogs: Readonly<Record<string, object>>;
  readonly html: string;
  readonly examples: readonly string[];
}

interface NodeSet {
  readonly module: string;
  readonly types: readonly string[];
  readonly err?: unknown;
}

interface Red {
  init(server: unknown, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly events: { on(event: string, listener: (event: never) => void): void };
  readonly runtime: {
    readonly nodes: {
      getNodeList(options: object): Promise<readonly NodeSet[]>;
      getNodeConfigs(options: object): Promise<string>;
      getModuleCatalogs(options: object): Promise<Record<string, object>>;
    };
    readonly library: {
      getEntry(options: object): Promise<unknown>;
    };
  };
}

/** A stock Node-RED, no Hilum around it: `node stock-node-red.ts NODES_DIRECTORY USER_DIRECTORY FLOW_FILE`. */
async function main(nodesDir = '', userDir = '', flowFile = ''): Promise<void> {
  const red = createRequire(import.meta.url)('node-red') as Red;
  const flows = JSON.parse(readFileSync(flowFile, 'utf8')) as object[];
  const nothing = () => Promise.resolve({});
  red.init(createServer(), {
    nodesDir: [nodesDir],
    // Node-RED's own switch, in whose place ours stands.
    nodesExcludes: ['10-switch.js'],
    userDir,
    logging: { console: { level: 'off' } },
    storageModule: {
      init: nothing,
      getFlows: () => Promise.resolve(flows),
      getCredentials: nothing,
      saveCredentials: nothing,
      getSettings: nothing,
      saveSettings: nothing,
      getSessions: nothing,
      saveSessions: nothing,
      getLibraryEntry: () => Promise.resolve([]),
    },
  });
  let missing: readonly string[] = [];
  const statuses: Record<string, string> = {};
  red.events.on('node-status', ({ id, status }: { id: string; status: { text: string } }) => {
    statuses[id] = status.text;
  });
  const started = new Promise<boolean>((resolve) => {
    red.events.on('flows:started', () => resolve(true));
    red.events.on('runtime-event', ({ payload }: { payload?: { types?: string[] } }) => {
      if (payload?.types === undefined) return;
      missing = payload.types;
      resolve(false);
    });
  });
  await red.start();
  const report: Report = {
    started: await started,
    missing,
    nodes: (await red.runtime.nodes.getNodeList({}))
      .filter(({ module }) => module === 'hilum')
      .map(({ types, err }) => ({ types, error: err === undefined ? '' : inspect(err) })),
    statuses,
    catalogs: await red.runtime.nodes.getModuleCatalogs({ lang: 'en-US' }),
    html: await red.runtime.nodes.getNodeConfigs({ lang: 'en-US' }),
    examples: await listExamples(red),
  };
  process.stdout.write(JSON.stringify(report));
  await red.stop();
}

async function listExamples(red: Red): Promise<readonly string[]> {
  const entries = await red.runtime.library.getEntry({
    library: 'examples',
    type: 'flows',
    path: 'hilum',
  });
  return (entries as { fn?: string }[]).map((entry) => entry.fn ?? '').sort();
}

if (process.argv[1] === import.meta.filename) await main(...process.argv.slice(2));
