/** What to do where something that a test needs is not there. */

/** Fails where CI is set; elsewhere skips the tests of `context`, and says why. */
export function missing(context: Mocha.Context, reason: string): never {
  if (process.env['CI'] === 'true') throw new Error(reason);
  return skip(context, reason);
}

/** Skips the tests of `context`, and says why. */
export function skip(context: Mocha.Context, reason: string): never {
  console.log(`skipped: ${reason}`);
  return context.skip();
}
