// Preloaded into node-red-dev: answers what it asks the network for. The catalogue is empty, so whether a
// name or a node's type is taken is not proven here; the releases of Node-RED are those that are tested.
const { createRequire } = require('node:module');

const latest = require('node-red/package.json');
const maintenance = require('node-red-4/package.json');

/** By the paths that it asks for, at the catalogue of nodes and where npm has its packages. */
const ANSWERS = {
  '/catalogue.json': { modules: [] },
  '/node-red': {
    'dist-tags': { latest: latest.version, 'v4-maintenance': maintenance.version },
    versions: {
      [latest.version]: { engines: latest.engines },
      [maintenance.version]: { engines: maintenance.engines },
    },
  },
};

// node-red-dev's own copy of axios, before anybody uses it.
const axios = createRequire(process.argv[1])('axios');

axios.get = async (url) => {
  const data = ANSWERS[new URL(url).pathname];
  if (data === undefined) throw new Error(`Nothing is known about ${url}`);
  return { data };
};
