// Transfers a file with the library alone, each time that a message comes: engine.mjs TASK
import { TftpClient } from '../../dist/src/index.js';

const { direction, port, windowsize, blksize, remote, local } = JSON.parse(process.argv[2]);
const client = new TftpClient({ host: '127.0.0.1', port: Number(port), windowsize, blksize });

process.on('message', async () => {
  const start = performance.now();
  if (direction === 'get') await client.getFile(local, remote);
  else await client.put({ file: local }, remote);
  process.send({ milliseconds: performance.now() - start });
});
process.on('disconnect', () => client.close());
process.send({ ready: true });
