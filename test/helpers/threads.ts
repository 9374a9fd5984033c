/** How many threads the servers of the tests have, unless a test says so itself. */

/** From the environment, so that the same tests run with and without threads. */
export const THREADS = Number(process.env['TFTP_TEST_THREADS'] ?? 0);

/** What tells it `red-tftp serve`. */
export const THREADS_FLAGS: readonly string[] = ['--threads', String(THREADS)];
