// A mocha reporter for .ci/run: prints what `spec` prints, and writes beside it what the end of a
// long log must tell, so that nobody has to read it out of prose. For `--reporter-option output=FILE`:
//   FILE           "passed failed skipped", once the run has ended
//   FILE.failures  each failure's title, the first lines of its message, and where it was
//   FILE.running   the test or hook that runs now, which is left there if the run dies of it
'use strict';

const { appendFileSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { reporters, Runner } = require('mocha');

const { EVENT_HOOK_BEGIN, EVENT_RUN_END, EVENT_TEST_BEGIN, EVENT_TEST_FAIL } = Runner.constants;
const MOST_MESSAGE_LINES = 3;
const MOST_LINE_LENGTH = 200;

module.exports = class CountReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { output } = options.reporterOption;
    const noteRunning = (runnable) => writeFileSync(`${output}.running`, runnable.fullTitle());
    runner.on(EVENT_HOOK_BEGIN, noteRunning);
    runner.on(EVENT_TEST_BEGIN, noteRunning);
    runner.on(EVENT_TEST_FAIL, (runnable, error) => {
      appendFileSync(`${output}.failures`, describeFailure(runnable, error));
    });
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(output, `${passes} ${failures} ${pending}\n`);
      rmSync(`${output}.running`, { force: true });
    });
  }
};

function describeFailure(runnable, error) {
  const message = String(error?.message ?? error).split('\n', MOST_MESSAGE_LINES);
  const lines = [`- ${runnable.fullTitle()}`];
  for (const line of [...message, placeOf(runnable, error)]) lines.push(`    ${line.trim()}`);
  return lines.map((line) => `${line.slice(0, MOST_LINE_LENGTH)}\n`).join('');
}

/**
 * The innermost frame in this project, or the test's file if the error names none: a time limit.
 * Mocha has made paths relative in the stack already.
 */
function placeOf(runnable, error) {
  const frames = String(error?.stack ?? '').match(/^ +at .*$/gm) ?? [];
  const ours = frames.find((frame) => !/node_modules|node:/.test(frame));
  return ours ?? `in ${path.relative('.', runnable.file ?? '')}`;
}
