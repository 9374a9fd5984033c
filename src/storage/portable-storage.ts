/** Storages that are made anew in another thread. */

import type { PortableStorage, Storage } from './storage';

type MakeStorage = (data: unknown, home: Storage | undefined) => Storage;

/**
 * Makes the storage that a `portable` tells of.
 *
 * @param home what stays in the other thread, if the storage has such a part.
 * @throws {TypeError} if its module exports no such function.
 */
export function makeStorage(
  { module, name, data }: Omit<PortableStorage, 'home'>,
  home?: Storage,
): Storage {
  const exports: Readonly<Record<string, MakeStorage | undefined>> = require(module);
  const make = exports[name];
  if (make === undefined) throw new TypeError(`${module} exports no function ${name}`);
  return make(data, home);
}
