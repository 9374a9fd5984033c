import should = require('should');
import { bindError } from '../../src/udp/bind-error';

describe('bindError', () => {
  const place = { address: '0.0.0.0', port: 50_100 };

  it('speaks of rights where ports below 1024 need them', () => {
    for (const platform of ['linux', 'darwin', 'freebsd'] as const) {
      const { code, message } = bindError('EACCES', place, undefined, platform);
      should(code).equal('ENOPERM');
      should(message).match(
        /^No permission to use 0\.0\.0\.0:50100: a port below 1024 needs rights/,
      );
      should(message).not.match(/netsh/);
    }
  });

  it('speaks of ports that are kept, and of other programs, on Windows', () => {
    for (const system of ['EACCES', 'EPERM']) {
      const { code, message } = bindError(system, place, undefined, 'win32');
      should(code).equal('ENOPERM');
      should(message).match(/netsh int ipv4 show excludedportrange protocol=udp/);
      should(message).match(/another program/);
      should(message).not.match(/setcap|sysctl|1024/);
    }
  });
});
