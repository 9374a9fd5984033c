import should = require('should');
import { clientMac, macInName } from '../../src/server/client-mac';
import { NeighbourTable } from '../../src/storage/neighbour-table';

describe('macInName', () => {
  for (const name of [
    'SEP001122AABBCC.cnf.xml',
    'CTLSEP001122AABBCC.tlv',
    'SIP001122aabbcc.cnf',
    '001122aabbcc.cfg',
    '001122aabbcc-app.log',
    'cfg001122aabbcc',
    'cfg001122aabbcc.xml',
    '/pxelinux.cfg/01-00-11-22-aa-bb-cc',
    'grub\\grub.cfg-01-00-11-22-aa-bb-cc',
    '00-11-22-aa-bb-cc/config.txt',
    'phones/001122AABBCC/a.cfg',
  ]) {
    it(`is in ${name}`, () => should(macInName(name)).equal('00:11:22:aa:bb:cc'));
  }

  for (const name of [
    'firmware.bin',
    '000000000000.cfg',
    'ffffffffffff.cfg',
    '011122aabbcc.cfg',
    'y000000000028.cfg',
    'pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d',
    'C0A8025B',
    '001122aabbccdd.bin',
    '001122aabbcce.bin',
    'x001122aabbcc.cfg',
    '',
  ]) {
    it(`is not in '${name}'`, () => should(macInName(name)).equal(undefined));
  }
});

describe('clientMac', () => {
  it('believes the name first, then the system', () => {
    const neighbours = new NeighbourTable();
    neighbours.macOf = () => '02:00:00:00:00:01';
    should(clientMac('001122aabbcc.cfg', '192.0.2.1', neighbours)).equal('00:11:22:aa:bb:cc');
    should(clientMac('firmware.bin', '192.0.2.1', neighbours)).equal('02:00:00:00:00:01');
  });
});
