import { networkInterfaces } from 'node:os';
import { skip } from './requirements';

/** Skips a test that this machine cannot run, and says why. */
export function skipUnless(test: Mocha.Context, possible: boolean, reason: string): void {
  if (!possible) skip(test, reason);
}

export const ON_LINUX = process.platform === 'linux';

export const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
