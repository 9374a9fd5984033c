import should = require('should');
import { isTftpError } from '../../src/protocol/errors';
import { remotePath } from '../../src/storage/remote-path';

const ACCEPTED: readonly (readonly [given: string, path: string])[] = [
  ['firmware.bin', 'firmware.bin'],
  ['/firmware.bin', 'firmware.bin'],
  ['//boot///x64//pxelinux.0', 'boot/x64/pxelinux.0'],
  ['./a/././b', 'a/b'],
  ['\\boot\\x64\\wdsnbp.com', 'boot/x64/wdsnbp.com'],
  ['boot\\\\x64/mixed', 'boot/x64/mixed'],
  ['folder/', 'folder'],
  ['%2e%2e/%2fetc', '%2e%2e/%2fetc'],
  ['..hidden', '..hidden'],
  ['a..b', 'a..b'],
  ['.config', '.config'],
  ['größe/固件-🚀.bin', 'größe/固件-🚀.bin'],
  ['two words', 'two words'],
  ['-rf', '-rf'],
  ['console', 'console'],
  ['com', 'com'],
  ['com10', 'com10'],
  ['lpt.txt', 'lpt.txt'],
  ['my-con.txt', 'my-con.txt'],
  ['__proto__', '__proto__'],
];

const REFUSED: readonly (readonly [given: string, reason: RegExp])[] = [
  ['', /empty/],
  ['/', /empty/],
  ['.', /empty/],
  ['.//./', /empty/],
  ['..', /'\.\.'/],
  ['../etc/passwd', /'\.\.'/],
  ['/../etc/passwd', /'\.\.'/],
  ['a/../../b', /'\.\.'/],
  ['a/..', /'\.\.'/],
  ['..\\windows', /'\.\.'/],
  ['a\\..\\b', /'\.\.'/],
  ['a\0b', /control/],
  ['a\nb', /control/],
  ['a\x7f', /control/],
  ['a\x85b', /control/],
  ['\ud800', /control/],
  ['C:\\boot.ini', /':'/],
  ['c:boot.ini', /':'/],
  ['file.txt:stream', /':'/],
  ['file.txt::$DATA', /':'/],
  ['\\\\server\\share\\file', /network/],
  ['\\\\?\\C:\\file', /network/],
  ['\\\\.\\pipe\\x', /network/],
  ['CON', /device/],
  ['nul', /device/],
  ['aux.cfg', /device/],
  ['sub/PRN.txt', /device/],
  ['COM1', /device/],
  ['com1.log', /device/],
  ['lpt9/file', /device/],
  ['COM¹', /device/],
  ['nul .txt', /device/],
  ['conin$', /device/],
  ['file.', /dot or space/],
  ['file ', /dot or space/],
  ['folder./file', /dot or space/],
  ['...', /dot or space/],
];

describe('remotePath', () => {
  for (const [given, path] of ACCEPTED) {
    it(`takes ${JSON.stringify(given)} as ${JSON.stringify(path)}`, () => {
      should(remotePath(given)).equal(path);
    });
  }

  for (const [given, reason] of REFUSED) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      let failure: unknown;
      try {
        remotePath(given);
      } catch (error) {
        failure = error;
      }
      should(isTftpError(failure)).be.true();
      should(failure).have.properties({ code: 'EACCES', tftpCode: 2 });
      should(failure).have.property('message').match(reason);
    });
  }
});
