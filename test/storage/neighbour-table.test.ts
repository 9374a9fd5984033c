import { rmSync, writeFileSync } from 'node:fs';
import should = require('should');
import { NeighbourTable } from '../../src/storage/neighbour-table';
import { useTempFolder } from '../helpers/temp-folder';

const HEAD = 'IP address       HW type     Flags       HW address            Mask     Device\n';

function line(address: string, mac: string): string {
  return `${address.padEnd(16)} 0x1         0x2         ${mac}     *        eth0\n`;
}

describe('NeighbourTable', () => {
  const folder = useTempFolder();

  function write(...lines: string[]): string {
    const file = folder.file('arp');
    writeFileSync(file, HEAD + lines.join(''));
    return file;
  }

  it('reads the table of Linux', () => {
    const file = write(
      line('192.0.2.1', '00:11:22:aa:bb:cc'),
      line('192.0.2.2', '00:00:00:00:00:00'),
    );
    const table = new NeighbourTable(file);
    should(table.macOf('192.0.2.1')).equal('00:11:22:aa:bb:cc');
    for (const address of ['192.0.2.2', '192.0.2.3', '127.0.0.1', '2001:db8::1', 'IP']) {
      should(table.macOf(address)).equal(undefined);
    }
  });

  it('looks again for a new address soon, and for a known one after two seconds', () => {
    let now = 0;
    const table = new NeighbourTable(write(line('192.0.2.1', '00:11:22:aa:bb:01')), () => now);
    should(table.macOf('192.0.2.1')).equal('00:11:22:aa:bb:01');
    write(line('192.0.2.1', '00:11:22:aa:bb:02'), line('192.0.2.2', '00:11:22:aa:bb:03'));
    now = 200;
    should(table.macOf('192.0.2.2')).equal(undefined);
    should(table.macOf('192.0.2.1')).equal('00:11:22:aa:bb:01');
    now = 201;
    should(table.macOf('192.0.2.2')).equal('00:11:22:aa:bb:03');
    rmSync(folder.file('arp'));
    now = 2201;
    should(table.macOf('192.0.2.1')).equal('00:11:22:aa:bb:02');
    now = 2202;
    should(table.macOf('192.0.2.1')).equal(undefined);
  });

  it('knows nothing where there is no such table', () => {
    should(new NeighbourTable(folder.file('none')).macOf('192.0.2.1')).equal(undefined);
  });
});
