import should = require('should');
import { EXPECTED_MISS_SETS, ExpectedMisses } from '../../src/server/expected-misses';
import type { ExpectedMissSet } from '../../src/server/expected-misses';

/** Names that devices really ask for: those that are normal to miss, and those that are not. */
const NAMES: Record<ExpectedMissSet, readonly [normal: string[], others: string[]]> = {
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
  'raspberry-pi': [
    ['9ffefdef/start4.elf', 'b8-27-eb-aa-bb-cc/config.txt', 'pieeprom.upd', 'recovery.elf'],
    ['start4.elf', 'config.txt', 'kernel.img', 'bootcode.bin', 'notaserial/start.elf'],
  ],
  uefi: [
    [
      'grub/grub.cfg-01-88-99-aa-bb-cc-dd',
      'grub.cfg-C0A8025B',
      'grub.cfg-C0',
      'grub/x86_64-efi/command.lst',
      'grub/locale/en.gmo',
      'revocations.efi',
    ],
    ['grub/grub.cfg', 'bootx64.efi', 'grubx64.efi', 'vmlinuz'],
  ],
};

describe('ExpectedMisses', () => {
  for (const set of Object.keys(EXPECTED_MISS_SETS) as ExpectedMissSet[]) {
    it(`set:${set}`, () => {
      const expected = new ExpectedMisses([`set:${set}`]);
      const [normal, others] = NAMES[set];
      for (const name of normal) {
        should(expected.includes(name)).equal(true, name);
        should(expected.includes(name.toUpperCase())).equal(true, name.toUpperCase());
        should(expected.includes(name.toLowerCase())).equal(true, name.toLowerCase());
      }
      for (const name of others) should(expected.includes(name)).equal(false, name);
    });
  }

  it('expects nothing unless it is told to', () => {
    should(new ExpectedMisses([]).includes('CTLFile.tlv')).equal(false);
  });

  it('takes patterns beside sets; what a set leaves out does not touch them', () => {
    const expected = new ExpectedMisses(['set:polycom', '0000*.cfg', '*.log']);
    for (const name of ['000000000000.cfg', '0004f2aabbcc.cfg', 'X.LOG']) {
      should(expected.includes(name)).equal(true, name);
    }
    should(expected.includes('a.bin')).equal(false);
  });

  for (const name of ['set:snom', 'set:', 'set:constructor']) {
    it(`refuses ${name}`, () => {
      should(() => new ExpectedMisses([name])).throw(/no set .* choose from set:cisco, set:poly/, {
        code: 'EINVAL',
      });
    });
  }
});
