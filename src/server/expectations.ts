/** What is normal on this network, as its user has told the server. */

import { invalidSetting } from '../net/check-setting';
import { DEVICE_PROFILES, isDeviceName, missesOf } from './device-profiles';
import type { DeviceProfile } from './device-profiles';
import { NameFilter } from './name-filter';

const PREFIX = 'set:';

/** The devices on the network, and further names that may be missing. */
export class Expectations {
  readonly #profiles: readonly DeviceProfile[];
  /** One for the patterns, and one for each device: what one excludes does not touch the others. */
  readonly #misses: readonly NameFilter[];

  /**
   * @param expected patterns of names, and `set:` with the name of a device.
   * @throws {LocalError} EINVAL, naming the device without a profile or the pattern that cannot be used.
   */
  constructor(expected: readonly string[]) {
    const patterns = expected.filter((entry) => !entry.startsWith(PREFIX));
    this.#profiles = expected.filter((entry) => entry.startsWith(PREFIX)).map(profileOf);
    this.#misses = [patterns, ...this.#profiles.map(missesOf)]
      .filter((list) => list.length > 0)
      .map((list) => new NameFilter(list, true));
  }

  /**
   * True if the absence of this file is normal. Upper and lower case are the same.
   *
   * @param name with `/` between its parts and none before the first.
   */
  mayMiss(name: string): boolean {
    return this.#misses.some((filter) => filter.includes(name));
  }

  /** True if some device ends a read with this ERROR once it knows the size. */
  mayEndAfterSize(tftpCode: number): boolean {
    return this.#profiles.some(({ endsAfterSize }) => endsAfterSize.includes(tftpCode));
  }

  /** True if some device ends a read with this ERROR before the end of the file. */
  mayEndMidway(tftpCode: number): boolean {
    return this.#profiles.some(({ endsMidway }) => endsMidway.includes(tftpCode));
  }

  /** The name that a device means: without the bytes FF at its end, if there are devices that append them. They are not UTF-8 (see `name-text`). */
  meantName(filename: string): string {
    const pads = this.#profiles.some(({ padsNames }) => padsNames);
    return pads ? filename.replace(/\udcff+$/, '') : filename;
  }
}

function profileOf(entry: string): DeviceProfile {
  const name = entry.slice(PREFIX.length);
  if (isDeviceName(name)) return DEVICE_PROFILES[name];
  const known = Object.keys(DEVICE_PROFILES).map((device) => PREFIX + device);
  throw invalidSetting(`There is no profile ${entry}: choose from ${known.join(', ')}`);
}
