// The npm package `tftp` as a server and as a client:
//   node node-tftp.cjs PACKAGE serve FOLDER PORT
//   node node-tftp.cjs PACKAGE get PORT REMOTE LOCAL
const [folder, task, ...values] = process.argv.slice(2);
const tftp = require(folder);
const host = '127.0.0.1';

if (task === 'serve') serve(...values);
else get(...values);

function serve(root, port) {
  const options = { host, port: Number(port), root, denyPUT: true, windowSize: 64 };
  const server = tftp.createServer(options);
  // A client that is refused or goes away is no reason to end.
  server.on('request', (request) => request.on('error', () => undefined));
  server.on('error', fail);
  server.listen();
}

function get(port, remote, local) {
  tftp.createClient({ host, port: Number(port) }).get(remote, local, (error) => {
    if (error) fail(error);
  });
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
