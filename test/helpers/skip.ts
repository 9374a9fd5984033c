import { networkInterfaces } from 'node:os';
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
