// A mocha reporter for .ci/run: prints what `spec` prints, and writes "passed failed skipped" to the
// file of `--reporter-option output=FILE`, so that nobody has to read numbers out of prose.
'use strict';

const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CountReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { output } = options.reporterOption;
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(output, `${passes} ${failures} ${pending}\n`);
    });
  }
};
