// Jest's sequencer: the files that take longest begin first, so that none of them is what a run waits for in the end.
// Only how long a run takes depends on it: a file that is not named here begins later, the larger ones first.
const longest = [
  'faults/deploy-rabbitmq',
  'faults/deploy-embedded',
  'faults/kill',
  'connectors/rabbitmq/contract',
  'e2e/crash-loop',
  'e2e/roles',
  'e2e/lab-results',
  'e2e/replay-restart',
  'runtime/store-and-forward',
  'fuzz/fuzz',
  'e2e/',
  'connectors/rabbitmq/',
  'connectors/postgres/',
  'runtime/order/',
  'runtime/process/',
  'connectors/sqlite/owner',
  'console/administration',
  'runtime/claim-check',
  'mappings/linear',
  'core/hl7v2/validate/conformant',
  'core/hl7v2/laws',
];

const rank = ({ path }) => {
  const at = longest.findIndex((name) => path.includes(`/test/${name}`));
  return at < 0 ? longest.length : at;
};

module.exports = class LongestFirst {
  sort(tests) {
    const sizes = new Map(
      tests.map((test) => [test, test.context.hasteFS.getSize(test.path) ?? 0]),
    );
    return [...tests].sort(
      (one, other) => rank(one) - rank(other) || sizes.get(other) - sizes.get(one),
    );
  }

  /** One of several machines that share a run: every so many-th file. */
  shard(tests, { shardIndex, shardCount }) {
    return this.sort(tests).filter((_, at) => at % shardCount === shardIndex - 1);
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {
    // What failed or took long in the last run decides nothing.
  }
};
