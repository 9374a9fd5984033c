/** A worker of node:cluster: runs the exchanges that its argument tells of, and sends what came of them. */

import { exchange } from './offload-scenes';
import type { Exchange } from './offload-scenes';

async function work(): Promise<void> {
  const exchanges: Exchange[] = JSON.parse(process.argv[2]!);
  process.send!(await exchange(exchanges));
  process.disconnect();
}

void work();
