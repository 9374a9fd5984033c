/** Names that devices ask for as a matter of course although hardly anybody has them. */

import { invalidSetting } from '../net/check-setting';
import { NameFilter } from './name-filter';

const HEX_2 = '[0-9a-f][0-9a-f]';
const HEX_4 = HEX_2 + HEX_2;
const HEX_8 = HEX_4 + HEX_4;
const MAC = HEX_8 + HEX_4;
const MAC_DASHED = Array<string>(6).fill(HEX_2).join('-');
const UUID = [HEX_8, HEX_4, HEX_4, HEX_4, MAC].join('-');

/** The name of a set, without `set:`. */
export type ExpectedMissSet =
  'cisco' | 'polycom' | 'yealink' | 'grandstream' | 'pxelinux' | 'raspberry-pi' | 'uefi';

/**
 * The sets to choose from, as patterns. In each are the names that a device tries before another one, or that it
 * can do without. The last name that it tries, and the configuration that makes it work, are in none
 * of them: that such a file is missing is worth an alarm.
 */
export const EXPECTED_MISS_SETS: Readonly<Record<ExpectedMissSet, readonly string[]>> = {
  /** Phones: trust lists and the old loader file, ringtones and tones of a language. Routers and switches: the steps of autoinstall. `SEP<MAC>.cnf.xml` and `XMLDefault.cnf.xml` are not in it. */
  cisco: [
    `**/CTLSEP${MAC}.tlv`,
    `**/ITLSEP${MAC}.tlv`,
    '**/CTLFile.tlv',
    '**/ITLFile.tlv',
    '**/OS79XX.TXT',
    '**/SIPDefault.cnf',
    '**/dialplan.xml',
    '**/RINGLIST.{DAT,XML}',
    '**/DISTINCTIVERINGLIST.XML',
    '**/g[3-4]-tones.xml',
    '**/network-confg',
    '**/cisconet.cfg',
    '**/router-confg',
    '**/ciscortr.cfg',
    '**/switch-confg',
    '**/*-confg',
  ],
  /** The phone's own files, before the `000000000000.cfg` that is meant for all, and the files it can do without. */
  polycom: [
    '!**/000000000000.cfg',
    `**/${MAC}.cfg`,
    `**/${MAC}-{directory.xml,phone.cfg,web.cfg,license.cfg,calls.xml,app.log,boot.log}`,
    '**/000000000000-{directory.xml,license.cfg}',
  ],
  /** The files for a model or for all, and for one phone its boot file and its lists. `<mac>.cfg` is not in it. */
  yealink: [
    '**/y0000000000??.cfg',
    '**/y0000000000??.boot',
    `**/${MAC}.boot`,
    `**/${MAC}-{local.cfg,all.cfg,contact.xml,calllog.xml}`,
  ],
  /** All that is tried before the last file, `cfg.xml`. */
  grandstream: [
    `**/cfg${MAC}`,
    `**/cfg${MAC}.{xml,bin}`,
    '**/cfg[a-z][a-z0-9][a-z0-9]*.xml',
    '**/phonebook.xml',
    '**/gs_phonebook.xml',
    '**/gs_lang.txt',
    '**/ring[1-3].bin',
  ],
  /** The ladder of configurations: UUID, `01-<mac>`, IP address in hexadecimal, shorter at each step. `default`, its end, is not in it. */
  pxelinux: [
    `**/pxelinux.cfg/${UUID}`,
    `**/pxelinux.cfg/[0-9a-f][0-9a-f]-${MAC_DASHED}`,
    ...Array.from({ length: 8 }, (_, less) => `**/pxelinux.cfg/${'[0-9a-f]'.repeat(8 - less)}`),
    '**/boot.msg',
  ],
  /** All that the boot ROM looks for in the folder of a board, by its serial number or its MAC, before it looks in the root; and what it can do without. */
  'raspberry-pi': [
    `${HEX_8}/**`,
    `${MAC_DASHED}/**`,
    '**/bootsig.bin',
    '**/bootcode{4,5}.bin',
    '**/autoboot.txt',
    '**/pieeprom.{sig,upd,bin}',
    '**/vl805.{sig,bin}',
    '**/recovery{4,5}.{elf,bin}',
    '**/recovery.{elf,bin}',
    '**/dt-blob.bin',
    '**/armstub*.bin',
    '**/kernel{7,7l,8,8-32,_2712}.img',
    '**/overlays/overlay_map.dtb',
    '**/boot.{img,sig}',
    '**/tryboot.txt',
    '**/cmdline.txt',
  ],
  /** What shim and GRUB look for on the way to their configuration; `grub.cfg` is not in it. */
  uefi: [
    `**/grub.cfg-[0-9a-f][0-9a-f]-${MAC_DASHED}`,
    ...Array.from({ length: 8 }, (_, less) => `**/grub.cfg-${'[0-9a-f]'.repeat(8 - less)}`),
    `**/grub.cfg-${UUID}`,
    '**/*-efi/{command,fs,crypto,terminal,parttool}.lst',
    '**/locale/*.{mo,gmo}',
    '**/revocations*.efi',
    '**/shim_certificate*.efi',
    '**/BOOT*.CSV',
  ],
};

const SETS: Readonly<Record<string, readonly string[]>> = EXPECTED_MISS_SETS;
const PREFIX = 'set:';

/** The names whose absence is normal, by patterns and by sets; upper and lower case are the same. */
export class ExpectedMisses {
  readonly #filters: readonly NameFilter[];

  /** @throws {LocalError} EINVAL, naming the set that does not exist or the pattern that cannot be used. */
  constructor(expected: readonly string[]) {
    const patterns = expected.filter((entry) => !entry.startsWith(PREFIX));
    const sets = expected.filter((entry) => entry.startsWith(PREFIX)).map(patternsOf);
    this.#filters = [patterns, ...sets]
      .filter((list) => list.length > 0)
      .map((list) => new NameFilter(list, true));
  }

  /** @param name with `/` between its parts and none before the first. */
  includes(name: string): boolean {
    return this.#filters.some((filter) => filter.includes(name));
  }
}

function patternsOf(entry: string): readonly string[] {
  const set = entry.slice(PREFIX.length);
  if (Object.hasOwn(SETS, set)) return SETS[set]!.flatMap(alternatives);
  const known = Object.keys(SETS).map((name) => PREFIX + name);
  throw invalidSetting(`${entry} is no set of expected misses: choose from ${known.join(', ')}`);
}

/** In the sets `a.{b,c}` is short for `a.b` and `a.c`. */
function alternatives(pattern: string): string[] {
  const [whole, before, list, after] = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (whole === undefined) return [pattern];
  return list!.split(',').flatMap((choice) => alternatives(`${before}${choice}${after}`));
}
