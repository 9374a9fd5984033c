/** Why a port cannot be used, and the way out: in one place for the library, the command and the nodes. */

import { LocalError } from '../protocol/errors';
import type { TftpErrorCode } from '../protocol/errors';
import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';

/**
 * The error for what the system said when a socket was to be bound.
 *
 * @param platform whose rules hold.
 */
export function bindError(
  systemCode: string,
  to: Peer,
  cause: unknown,
  platform: NodeJS.Platform = process.platform,
): LocalError {
  const [code, message] = explain(systemCode, peerName(to), platform);
  return new LocalError(code, message, { cause });
}

/** The code of an error of the system, such as `EADDRINUSE`. */
export function systemCodeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'an unknown error';
}

function explain(code: string, place: string, platform: NodeJS.Platform): [TftpErrorCode, string] {
  switch (code) {
    case 'EADDRINUSE':
      return [
        code,
        `${place} is in use by another tftp server node or another program: ` +
          'stop that one, or choose another port',
      ];
    case 'EACCES':
    case 'EPERM':
      return [
        'ENOPERM',
        `No permission to use ${place}: ${platform === 'win32' ? WHO_HAS_IT : HOW_TO_GET_RIGHTS}`,
      ];
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return [
        'EADDRNOTAVAIL',
        `${place} is no address of this machine: choose another, or leave it blank for all`,
      ];
    default:
      return ['EIO', `${place} cannot be used: ${code}`];
  }
}

/** Windows has no ports that need rights. */
const WHO_HAS_IT =
  'Windows keeps the port for something else, or another program has it for itself. List what is ' +
  'kept (netsh int ipv4 show excludedportrange protocol=udp) and who has it (netstat -abno -p udp), ' +
  'and choose another port or stop that program';

const HOW_TO_GET_RIGHTS =
  'a port below 1024 needs rights. Choose a port above 1023, or allow it: to Node.js ' +
  '(sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(which node)")"), to everybody ' +
  '(sudo sysctl net.ipv4.ip_unprivileged_port_start=69), or to red-tftp serve (a .socket unit of ' +
  'systemd). In Docker listen on port 6969, with a single port for all transfers, and publish it ' +
  'with -p 69:6969/udp';
