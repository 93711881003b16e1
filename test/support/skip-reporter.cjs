// Jest reporter: names, as the last thing of a run, the programs whose absence made tests be skipped.
// The titles come from describeWith in programs.ts.
module.exports = class SkipReporter {
  constructor() {
    this.skipped = new Map();
  }

  onTestResult(_test, result) {
    for (const { status, ancestorTitles } of result.testResults) {
      const title = ancestorTitles.join(' ');
      const program = /\[(\S+) is not installed\]/.exec(title)?.[1];
      if (status !== 'pending' || program === undefined) continue;
      this.skipped.set(program, (this.skipped.get(program) ?? 0) + 1);
    }
  }

  onRunComplete() {
    // After the default reporter's summary, which writes to stderr too.
    for (const [program, count] of this.skipped) {
      process.stderr.write(
        `\n!!!! ${count} TESTS WERE SKIPPED: the program ${program} is not installed. ` +
          `Install it (Debian: apt-get install ${program}) and run again.\n`,
      );
    }
  }
};
