import should = require('should');
import { DEVICE_PROFILES } from '../../src/server/device-profiles';
import type { DeviceName } from '../../src/server/device-profiles';
import { Expectations } from '../../src/server/expectations';

/** Names that devices really ask for: those that are normal to miss, and those that are not. */
const NAMES: Record<DeviceName, readonly [normal: string[], others: string[]]> = {
  cisco: [
    [
      'CTLSEP001122AABBCC.tlv',
      'ITLSEP001122aabbcc.tlv',
      'ITLFile.tlv',
      'OS79XX.TXT',
      'English_United_States/g3-tones.xml',
      'RINGLIST.XML',
      'network-confg',
      'cisconet.cfg',
      'branch7-confg',
      'router-confg',
    ],
    ['SEP001122AABBCC.cnf.xml', 'XMLDefault.cnf.xml', 'jar70sccp.9-4-2TR1.sbn'],
  ],
  polycom: [
    [
      '0004f2aabbcc.cfg',
      '0004f2aabbcc-directory.xml',
      '0004f2aabbcc-phone.cfg',
      '000000000000-directory.xml',
      'phones/0004F2AABBCC-web.cfg',
    ],
    ['000000000000.cfg', 'sip.ld', '3111-40000-001.sip.ld'],
  ],
  yealink: [
    ['y000000000028.cfg', 'y000000000000.boot', '001565aabbcc.boot', '001565aabbcc-local.cfg'],
    ['001565aabbcc.cfg', 'T28.rom'],
  ],
  grandstream: [
    ['cfg000b82aabbcc', 'cfg000b82aabbcc.xml', 'cfggxp2170.xml', 'gs_phonebook.xml'],
    ['cfg.xml', 'gxp2170fw.bin'],
  ],
  pxelinux: [
    [
      'pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d',
      'pxelinux.cfg/01-88-99-aa-bb-cc-dd',
      'pxelinux.cfg/C0A8025B',
      'pxelinux.cfg/C0A80',
      'boot/pxelinux.cfg/C',
    ],
    ['pxelinux.cfg/default', 'pxelinux.0', 'ldlinux.c32', 'pxelinux.cfg/C0A8025B0'],
  ],
  snom: [
    ['snom370.htm', 'snomD785.htm', 'phones/snom821.xml'],
    ['snom370-000413AABBCC.htm', 'snomD785-000413AABBCC.htm', 'snom370-8.7.5.35-SIP-f.bin'],
  ],
  ipxe: [
    ['autoexec.ipxe', 'boot/autoexec.ipxe'],
    ['boot.ipxe', 'ipxe.efi', 'undionly.kpxe'],
  ],
  grub: [
    [
      'grub/grub.cfg-01-88-99-aa-bb-cc-dd',
      'grub.cfg-C0A8025B',
      'grub.cfg-C0',
      'grub/x86_64-efi/command.lst',
      'boot/grub/i386-pc/fs.lst',
      'grub/locale/en.gmo',
    ],
    ['grub/grub.cfg', 'grub/x86_64-efi/normal.mod', 'revocations.efi', 'vmlinuz'],
  ],
  uefi: [
    [
      'grub/grub.cfg-01-88-99-aa-bb-cc-dd',
      'grub.cfg-C0A8025B',
      'grub/x86_64-efi/command.lst',
      'grub/locale/en.gmo',
      'revocations.efi',
      'shim_certificate.efi',
    ],
    ['grub/grub.cfg', 'bootx64.efi', 'grubx64.efi', 'vmlinuz'],
  ],
  'u-boot': [
    [
      'boot.scr.uimg',
      '0A640273.img',
      'pxelinux.cfg/01-02-00-ec-d8-39-b5',
      'pxelinux.cfg/0A640273',
      'pxelinux.cfg/default-arm-rk3399-evb_rk3399',
      'pxelinux.cfg/default-arm',
    ],
    ['pxelinux.cfg/default', 'Image', 'rk3399-evb.dtb'],
  ],
  'raspberry-pi': [
    [
      '9ffefdef/start.elf',
      '9ffefdef/start4.elf',
      'b8-27-eb-aa-bb-cc/config.txt',
      '9ffefdef/recovery8.img',
      '9ffefdef/bootcfg.txt',
      'armstub8-32-gic.bin',
      'recover4.elf',
      'pieeprom.upd',
      'recovery.elf',
    ],
    [
      'start4.elf',
      'config.txt',
      'kernel.img',
      '9ffefdef/kernel.img',
      'bootcode.bin',
      'notaserial/start.elf',
    ],
  ],
};

describe('Expectations', () => {
  for (const set of Object.keys(DEVICE_PROFILES) as DeviceName[]) {
    it(`set:${set}: which files may be missing`, () => {
      const expected = new Expectations([`set:${set}`]);
      const [normal, others] = NAMES[set];
      for (const name of normal) {
        should(expected.mayMiss(name)).equal(true, name);
        should(expected.mayMiss(name.toUpperCase())).equal(true, name.toUpperCase());
        should(expected.mayMiss(name.toLowerCase())).equal(true, name.toLowerCase());
      }
      for (const name of others) should(expected.mayMiss(name)).equal(false, name);
    });
  }

  it('that the disk is full is normal for no device', () => {
    for (const { endsAfterSize, endsMidway } of Object.values(DEVICE_PROFILES)) {
      should([...endsAfterSize, ...endsMidway]).not.containEql(3);
    }
  });

  it('uefi is GRUB as well', () => {
    for (const pattern of DEVICE_PROFILES.grub.misses) {
      DEVICE_PROFILES.uefi.misses.should.containEql(pattern);
    }
    should(new Expectations(['set:uefi']).mayEndMidway(0)).equal(true);
  });

  it('takes the bytes FF off a name for PXE ROMs only', () => {
    const padded = 'pxelinux.0\udcff\udcff';
    should(new Expectations(['set:pxelinux']).meantName(padded)).equal('pxelinux.0');
    should(new Expectations(['set:pxelinux']).meantName('\udcffa\udcffb')).equal('\udcffa\udcffb');
    for (const others of [[], ['set:uefi', 'set:cisco', '*']]) {
      should(new Expectations(others).meantName(padded)).equal(padded);
    }
  });

  it('expects nothing unless it is told to', () => {
    should(new Expectations([]).mayMiss('CTLFile.tlv')).equal(false);
  });

  it('takes patterns beside sets; what a set leaves out does not touch them', () => {
    const expected = new Expectations(['set:polycom', '0000*.cfg', '*.log']);
    for (const name of ['000000000000.cfg', '0004f2aabbcc.cfg', 'X.LOG']) {
      should(expected.mayMiss(name)).equal(true, name);
    }
    should(expected.mayMiss('a.bin')).equal(false);
  });

  for (const name of ['set:avaya', 'set:', 'set:constructor']) {
    it(`refuses ${name}`, () => {
      should(() => new Expectations([name])).throw(
        /no profile .* choose from set:cisco, set:poly/,
        {
          code: 'EINVAL',
        },
      );
    });
  }
});
