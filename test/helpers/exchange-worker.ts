/** A worker of node:cluster: runs the exchanges that its argument tells of, and sends what came of them. */

import { exchange } from './offload-scenes';

void exchange(JSON.parse(process.argv[2]!)).then((done) => {
  process.send!(done);
  process.disconnect();
});
