// The cases. What each of them means is told in README.md, in the same order.
import { ClientRun } from './client-run.mjs';
import { OURS } from './peers.mjs';

const MB = 1_000_000;
const RATE = { field: 'rate', better: 'more' };

/** All cases, for these servers; with smaller files in a quick run. */
export function allCases(servers, { quick }) {
  const able = (...abilities) =>
    servers.filter((server) => abilities.every((ability) => server[ability]));
  const size = (megabytes) => Math.round((quick ? megabytes / 8 : megabytes) * MB);
  return [
    ...[512, 1428].map((blksize) => ({
      name: `lock-step ${blksize}, one curl`,
      figure: RATE,
      Run: ClientRun,
      task: { blksize, bytes: size(blksize === 512 ? 24 : 64) },
      contestants: against('curl', servers),
    })),
    ...[16, 64].map((windowsize) => ({
      name: `window ${windowsize}, one atftp`,
      figure: RATE,
      Run: ClientRun,
      task: { blksize: 1428, windowsize, bytes: size(200) },
      contestants: against('atftp', able('windows')),
    })),
    ...[16, 64].map((windowsize) => ({
      name: `window ${windowsize}, own client with own server`,
      figure: RATE,
      Run: ClientRun,
      task: { blksize: 1428, windowsize, bytes: size(200) },
      contestants: [
        { name: 'atftp from atftpd', client: 'atftp', server: 'atftpd' },
        { name: `${OURS} from ${OURS}`, client: OURS, server: OURS },
      ],
    })),
  ];
}

function against(client, servers) {
  return servers.map(({ name }) => ({ name, client, server: name }));
}
