/** What devices do as a matter of course, although it looks like a failure: one profile for each. */

const HEX_2 = '[0-9a-f][0-9a-f]';
const HEX_4 = HEX_2 + HEX_2;
const HEX_8 = HEX_4 + HEX_4;
const MAC = HEX_8 + HEX_4;
const MAC_DASHED = Array<string>(6).fill(HEX_2).join('-');
const UUID = [HEX_8, HEX_4, HEX_4, HEX_4, MAC].join('-');
/** An IPv4 address in hexadecimal, and what is left of it as its end is cut off digit by digit. */
const HEX_ADDRESSES = Array.from({ length: 8 }, (_, less) => '[0-9a-f]'.repeat(8 - less));

/** The devices that have a profile. */
export type DeviceName =
  | 'cisco'
  | 'polycom'
  | 'yealink'
  | 'grandstream'
  | 'snom'
  | 'pxelinux'
  | 'ipxe'
  | 'grub'
  | 'uefi'
  | 'u-boot'
  | 'raspberry-pi';

/** What is normal for a device. */
export interface DeviceProfile {
  /**
   * Patterns of the names that it asks for before another one, or that it can do without. The last
   * name that it tries, and the configuration that makes it work, are not among them: that such a
   * file is missing is worth an alarm.
   */
  readonly misses: readonly string[];
  /** The ERROR codes with which it ends a read right after the OACK: it only wanted the size. */
  readonly endsAfterSize: readonly number[];
  /**
   * The ERROR codes with which it ends a read of any file before the end of the file. Never 3 (disk
   * full, RFC 1350 section 5): then the device lacks the room.
   */
  readonly endsMidway: readonly number[];
  /** True if it appends bytes FF to a name: it takes the end mark of the DHCP options (RFC 2132 section 3.2) along. */
  readonly padsNames?: true;
}

const NEVER: readonly number[] = [];

const GRUB: DeviceProfile = {
  misses: [
    `**/grub.cfg-[0-9a-f][0-9a-f]-${MAC_DASHED}`,
    ...HEX_ADDRESSES.map((address) => `**/grub.cfg-${address}`),
    `**/grub.cfg-${UUID}`,
    '**/{*-efi,i386-pc}/{command,fs,crypto,terminal,parttool}.lst',
    '**/locale/*.{mo,gmo}',
  ],
  // It looks whether a file is there, or reads its head, and closes it with the text "closed".
  endsAfterSize: [0],
  endsMidway: [0],
};

const PXELINUX_LADDER = [
  `**/pxelinux.cfg/${UUID}`,
  `**/pxelinux.cfg/[0-9a-f][0-9a-f]-${MAC_DASHED}`,
  ...HEX_ADDRESSES.map((address) => `**/pxelinux.cfg/${address}`),
];

/** The profiles. In a pattern `a.{b,c}` is short for `a.b` and `a.c`. */
export const DEVICE_PROFILES: Readonly<Record<DeviceName, DeviceProfile>> = {
  /** Phones: trust lists and the old loader file, ringtones and tones of a language; `SEP<MAC>.cnf.xml` and `XMLDefault.cnf.xml` are not in it. Routers and switches: the steps of autoinstall; IOS closes a file with the text "Session terminated". */
  cisco: {
    misses: [
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
    endsAfterSize: [0],
    endsMidway: [0],
  },
  /** The phone's own files, before the `000000000000.cfg` that is meant for all, and the files it can do without. Of firmware that it has already it reads only the head. */
  polycom: {
    misses: [
      '!**/000000000000.cfg',
      `**/${MAC}.cfg`,
      `**/${MAC}-{directory.xml,phone.cfg,web.cfg,license.cfg,calls.xml,app.log,boot.log}`,
      '**/000000000000-{directory.xml,license.cfg}',
    ],
    endsAfterSize: [0],
    endsMidway: [0],
  },
  /** The files for a model or for all, and for one phone its boot file and its lists. `<mac>.cfg` is not in it. */
  yealink: {
    misses: [
      '**/y0000000000??.cfg',
      '**/y0000000000??.boot',
      `**/${MAC}.boot`,
      `**/${MAC}-{local.cfg,all.cfg,contact.xml,calllog.xml}`,
    ],
    endsAfterSize: NEVER,
    endsMidway: NEVER,
  },
  /** All that is tried before the last file, `cfg.xml`. */
  grandstream: {
    misses: [
      `**/cfg${MAC}`,
      `**/cfg${MAC}.{xml,bin}`,
      '**/cfg[a-z][a-z0-9][a-z0-9]*.xml',
      '**/phonebook.xml',
      '**/gs_phonebook.xml',
      '**/gs_lang.txt',
      '**/ring[1-3].bin',
    ],
    endsAfterSize: NEVER,
    endsMidway: NEVER,
  },
  /** The settings of a model, such as `snom370.htm` or `snomD785.htm`; those of one phone, `snom370-<MAC>.htm`, are not in it. */
  snom: {
    misses: ['**/snom[0-9][0-9][0-9].{htm,xml}', '**/snom[a-z][0-9][0-9][0-9].{htm,xml}'],
    endsAfterSize: NEVER,
    endsMidway: NEVER,
  },
  /** And the boot ROMs that load it. The ladder of configurations: UUID, `01-<mac>`, IP address in hexadecimal, shorter at each step. `default`, its end, is not in it. */
  pxelinux: {
    misses: [...PXELINUX_LADDER, '**/boot.msg'],
    endsAfterSize: [0, 8],
    endsMidway: [0],
    padsNames: true,
  },
  /** The script that it looks for beside itself before it asks DHCP. It says "TFTP Aborted" when it closes a file. */
  ipxe: {
    misses: ['**/autoexec.ipxe'],
    endsAfterSize: [0],
    endsMidway: [0],
  },
  /** What GRUB looks for on the way to its configuration; `grub.cfg` is not in it. */
  grub: GRUB,
  /** UEFI itself, which says "User aborted the transfer" when it knows the size; and what it loads: shim with its optional files, and GRUB. */
  uefi: {
    misses: [...GRUB.misses, '**/revocations*.efi', '**/shim_certificate*.efi', '**/BOOT*.CSV'],
    endsAfterSize: [0, 8],
    endsMidway: GRUB.endsMidway,
  },
  /** The boot script, the image named by the IP address, and the ladder of PXELINUX with the steps by architecture and board. `pxelinux.cfg/default` is not in it. */
  'u-boot': {
    misses: [
      '**/boot.scr.uimg',
      `**/${HEX_8}.img`,
      ...PXELINUX_LADDER,
      '**/pxelinux.cfg/default-*',
    ],
    endsAfterSize: NEVER,
    endsMidway: NEVER,
  },
  /**
   * What tells the boot ROM whether there is a folder for this board, named by its serial number or
   * its MAC; and what it can do without. Before it reads a file it reads the beginning of it, often
   * more than once, and says "Early terminate".
   */
  'raspberry-pi': {
    misses: [
      `${HEX_8}/{start*.elf,bootcode.bin,config.txt}`,
      `${MAC_DASHED}/{start*.elf,bootcode.bin,config.txt}`,
      '**/bootsig.bin',
      '**/bootcode{4,5}.bin',
      '**/{autoboot,bootcfg,tryboot,cmdline}.txt',
      '**/pieeprom.{sig,upd,bin}',
      '**/vl805.{sig,bin}',
      '**/{recover4,recovery,recovery4,recovery5}.{elf,bin}',
      '**/recovery*.img',
      '**/dt-blob.bin',
      '**/armstub*.bin',
      '**/kernel{7,7l,8,8-32,_2712}.img',
      '**/overlays/overlay_map.dtb',
      '**/boot.{img,sig}',
    ],
    endsAfterSize: [0],
    endsMidway: [0],
  },
};

/** True for the name of a device that has a profile. */
export function isDeviceName(name: string): name is DeviceName {
  return Object.hasOwn(DEVICE_PROFILES, name);
}

/** The patterns of a profile's names, each written out. */
export function missesOf({ misses }: DeviceProfile): string[] {
  return misses.flatMap(alternatives);
}

function alternatives(pattern: string): string[] {
  const [whole, before, list, after] = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (whole === undefined) return [pattern];
  return list!.split(',').flatMap((choice) => alternatives(`${before}${choice}${after}`));
}
