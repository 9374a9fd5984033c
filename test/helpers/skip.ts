import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { networkInterfaces, tmpdir } from 'node:os';
import { systemCalls } from '../../src/udp/system-calls';
import { skip } from './requirements';

/** Skips a test that this machine cannot run, and says why. */
export function skipUnless(test: Mocha.Context, possible: boolean, reason: string): void {
  if (!possible) skip(test, reason);
}

export const ON_LINUX = process.platform === 'linux';

export const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

/** Skips a test of segmentation offload where there is none. */
export function skipWithoutOffload(test: Mocha.Context): void {
  const possible = systemCalls() !== undefined;
  skipUnless(test, possible, 'segmentation offload needs Linux and the package koffi');
}

/** Skips a test of ports at which nothing listens where nobody tells of them. */
export function skipWithoutClosedPorts(test: Mocha.Context): void {
  const possible = systemCalls() !== undefined;
  skipUnless(test, possible, 'to hear of closed ports needs Linux and the package koffi');
}

/** Skips a test of file names that are not UTF-8 where a file system cannot have them. */
export function skipWithoutRawNames(test: Mocha.Context, folder: string): void {
  const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff)]);
  try {
    writeFileSync(name, '');
    unlinkSync(name);
  } catch {
    skip(test, 'the file system of the folder for tests takes names in UTF-8 only');
  }
  skipUnless(test, ON_LINUX, 'file names are bytes on Linux only');
}

let hasSymlinks: boolean | undefined;

/** Skips a test of symbolic links where there are none: on Windows they need a right. */
export function skipWithoutSymlinks(test: Mocha.Context): void {
  skipUnless(test, (hasSymlinks ??= canLink()), 'there are no symbolic links here');
}

function canLink(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'tftp-test-'));
  try {
    writeFileSync(path.join(folder, 'file'), 'content');
    symlinkSync('file', path.join(folder, 'link'));
    return readFileSync(path.join(folder, 'link'), 'utf8') === 'content';
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
