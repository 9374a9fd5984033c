/** Whether the servers of the tests run in a worker, unless a test decides it. */

/** From the environment, so that the same tests run with a worker and without. */
export const WORKER = process.env['TFTP_TEST_WORKER'] === '1';

/** The same for `red-tftp serve`. */
export const WORKER_FLAGS: readonly string[] = WORKER ? [] : ['--no-worker'];
