import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A program from outside that tests need, and the Debian package that brings it. */
interface Program {
  readonly package: string;
  /** Preferred over PATH, in this order. */
  readonly places: readonly string[];
}

const programs = {
  // The one in PATH is a wrapper that insists on root and changes to the user `rabbitmq`.
  'rabbitmq-server': {
    package: 'rabbitmq-server',
    places: ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
  },
  postgres: {
    package: 'postgresql-15',
    places: [15, 16, 17, 18].map((version) => `/usr/lib/postgresql/${version}/bin/postgres`),
  },
  mllp_send: { package: 'python3-hl7', places: ['/usr/bin/mllp_send'] },
  faketime: { package: 'faketime', places: ['/usr/bin/faketime'] },
  git: { package: 'git', places: ['/usr/bin/git'] },
  chromium: { package: 'chromium', places: ['/usr/bin/chromium'] },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

/** What the reporter looks for in the titles of skipped suites: test/support/skip-reporter.cjs. */
const missingMark = 'is not installed';

const answers = new Map<ProgramName, string | undefined>();

/**
 * The path of the program. Where it is missing, its Debian package is installed if this is Debian and
 * we are root (HILUM_TEST_INSTALL=no forbids it); no service is started by that. Absent when there is
 * no way to have it; with CI=true that throws. Safe to call from several processes at once; takes minutes
 * where it installs.
 */
export function requireProgram(name: ProgramName): string | undefined {
  if (!answers.has(name)) {
    let path = findProgram(name);
    if (path === undefined && canInstall()) {
      installPackage(name);
      path = findProgram(name);
    }
    answers.set(name, path);
  }
  const found = answers.get(name);
  if (found === undefined && process.env['CI'] === 'true') {
    throw new Error(
      `The program ${name} is needed and is not installed. Expected it in PATH or as the Debian ` +
        `package ${programs[name].package}; install it, or run without CI=true to skip its tests.`,
    );
  }
  return found;
}

/**
 * `describe` for tests that need a program: skipped where it is missing, and named at the end of the run.
 * `define` gets the program's path.
 */
export function describeWith(
  program: ProgramName,
  name: string,
  define: (path: string) => void,
): void {
  const path = requireProgram(program);
  if (path === undefined) {
    describe.skip(`${name} [${program} ${missingMark}]`, () => define(''));
  } else {
    describe(name, () => define(path));
  }
}

function findProgram(name: ProgramName): string | undefined {
  const inPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  return [...programs[name].places, ...inPath].find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canInstall(): boolean {
  return (
    process.env['HILUM_TEST_INSTALL'] !== 'no' &&
    process.getuid?.() === 0 &&
    existsSync('/usr/bin/apt-get') &&
    existsSync('/etc/debian_version') &&
    readFileSync('/etc/os-release', 'utf8').includes('debian')
  );
}

/**
 * policy-rc.d with status 101 is how Debian is told to start no service: a broker started by apt would
 * take ports that belong to somebody else. It is put there only for the time of the installation.
 */
const installScript = `
set -e
if dpkg-query -W -f='\${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; then exit 0; fi
policy=/usr/sbin/policy-rc.d
if [ -e "$policy" ]; then mv "$policy" "$policy.before-hilum-tests"; fi
restore() {
  rm -f "$policy"
  if [ -e "$policy.before-hilum-tests" ]; then mv "$policy.before-hilum-tests" "$policy"; fi
}
trap restore EXIT
printf '#!/bin/sh\\nexit 101\\n' > "$policy"
chmod 755 "$policy"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$1"
`;

function installPackage(name: ProgramName): void {
  const wanted = programs[name].package;
  process.stderr.write(`tests: installing the Debian package ${wanted}, which brings ${name}\n`);
  // flock: several test processes find the same program missing at the same time.
  const lock = join(tmpdir(), 'hilum-tests-install.lock');
  const run = spawnSync('flock', [lock, 'sh', '-c', installScript, 'install', wanted], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (run.status !== 0) {
    const reason = (run.stderr || run.stdout || String(run.error)).trim().split('\n').slice(-5);
    process.stderr.write(`tests: ${wanted} could not be installed: ${reason.join('\n')}\n`);
  }
}
