import should = require('should');
import { isTftpError } from '../../src/protocol/errors';
import { plainPath, remotePath } from '../../src/storage/remote-path';

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

/** Refused on every system. */
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
  ['\ud800', /not UTF-8/],
  ['a\udc7f', /not UTF-8/],
];

/** Refused where the file system gives it a meaning, or cannot have it. */
const REFUSED_ON_WINDOWS: readonly (readonly [given: string, reason: RegExp])[] = [
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
  ['a<b', /'<'/],
  ['sub>/b', /'>'/],
  ['"a"', /'"'/],
  ['a|b', /'\|'/],
  ['what?', /'\?'/],
  ['*.cfg', /'\*'/],
];

function shouldRefuse(given: string, reason: RegExp, platform: NodeJS.Platform): void {
  let failure: unknown;
  try {
    remotePath(given, platform);
  } catch (error) {
    failure = error;
  }
  should(isTftpError(failure)).be.true();
  should(failure).have.properties({ code: 'EACCES', tftpCode: 2 });
  should(failure).have.property('message').match(reason);
}

describe('remotePath', () => {
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    describe(`on ${platform}`, () => {
      for (const [given, path] of ACCEPTED) {
        it(`takes ${JSON.stringify(given)} as ${JSON.stringify(path)}`, () => {
          should(remotePath(given, platform)).equal(path);
        });
      }

      for (const [given, reason] of REFUSED) {
        it(`refuses ${JSON.stringify(given)}`, () => shouldRefuse(given, reason, platform));
      }
    });
  }

  for (const [given, reason] of REFUSED_ON_WINDOWS) {
    it(`refuses ${JSON.stringify(given)} on Windows only`, () => {
      shouldRefuse(given, reason, 'win32');
      should(remotePath(given, 'linux')).equal(plainPath(given));
      should(remotePath(given, 'darwin')).equal(plainPath(given));
    });
  }

  it('takes bytes that are not UTF-8 where names are bytes', () => {
    should(remotePath('sub\\netboot.kpxe\udcff', 'linux')).equal('sub/netboot.kpxe\udcff');
    shouldRefuse('\udcff/../b', /'\.\.'/, 'linux');
    shouldRefuse('netboot.kpxe\udcff', /not UTF-8/, 'win32');
    shouldRefuse('netboot.kpxe\udcff', /not UTF-8/, 'darwin');
  });
});
