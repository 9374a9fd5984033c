/**
 * What devices ask for when they start, and how they end each transfer: a good start gives no error
 * that is not expected, and no alarm; one that goes wrong does.
 */

import should = require('should');
import type { GuessAlarm } from '../../src/server/guess-alarm';
import type { DeviceName } from '../../src/server/device-profiles';
import { DEVICE_PROFILES } from '../../src/server/device-profiles';
import { isLast } from '../../src/net/transfer-record';
import type { TransferRecord } from '../../src/net/transfer-record';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import type { ServerOptions } from '../../src/server/server-options';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { VirtualClock } from '../helpers/virtual-clock';
import { ack, data, error, rrq, wrq } from '../helpers/wire';

/** How a device ends a transfer. */
type End =
  /** It has the whole file. */
  | { readonly is: 'whole' }
  /** The server has no such file. */
  | { readonly is: 'missing' }
  /** It sends ERROR in the place of the ACK of this block; 0 is that of the OACK. */
  | { readonly is: 'hangs up'; readonly at: number; readonly code: number; readonly text: string }
  /** It is not heard of again after this block. */
  | { readonly is: 'silent'; readonly at: number }
  /** It sends the file itself. */
  | { readonly is: 'upload' };

type Step = readonly [name: string, end: End];

const WHOLE: End = { is: 'whole' };
const MISSING: End = { is: 'missing' };
const UPLOAD: End = { is: 'upload' };
const FULL: End = { is: 'hangs up', at: 5, code: 3, text: 'disk full' };
const SILENT: End = { is: 'silent', at: 3 };

function hangsUp(at: number, text: string, code = 0): End {
  return { is: 'hangs up', at, code, text };
}

const EARLY = hangsUp(1, 'Early terminate');
const SIZE_KNOWN = hangsUp(0, 'User aborted the transfer', 8);
const ABORTED = hangsUp(0, 'TFTP Aborted');

interface Boot {
  /** What the user has told the server. */
  readonly device: DeviceName;
  readonly options: readonly string[];
  readonly steps: readonly Step[];
  /** The name that the device cannot do without, which it tries last. */
  readonly last: string;
}

const BOOTS: Readonly<Record<string, Boot>> = {
  'Raspberry Pi 3': {
    device: 'raspberry-pi',
    options: ['tsize', '0'],
    steps: [
      ['bootsig.bin', MISSING],
      ['bootcode.bin', WHOLE],
      ['8b07bcc6/start.elf', MISSING],
      ['autoboot.txt', MISSING],
      ['start.elf', EARLY],
      ['start.elf', EARLY],
      ['config.txt', WHOLE],
      ['recovery.elf', MISSING],
      ['start.elf', WHOLE],
      ['fixup.dat', WHOLE],
      ['config.txt', hangsUp(0, 'Early terminate')],
      ['config.txt', WHOLE],
      ['dt-blob.bin', MISSING],
      ['bootcfg.txt', MISSING],
      ['recovery8.img', MISSING],
      ['initramfs8', hangsUp(0, 'Early terminate')],
      ['initramfs8', hangsUp(0, 'Early terminate')],
      ['initramfs8', hangsUp(0, 'Early terminate')],
      ['initramfs8', WHOLE],
      ['bcm2710-rpi-3-b.dtb', EARLY],
      ['bcm2710-rpi-3-b.dtb', WHOLE],
      ['armstub8.bin', MISSING],
      ['kernel8.img', hangsUp(7, 'Early terminate')],
      ['kernel8.img', WHOLE],
    ],
    last: 'kernel.img',
  },
  'Raspberry Pi 4 with a folder of its own': {
    device: 'raspberry-pi',
    options: ['tsize', '0', 'blksize', '1024'],
    steps: [
      ['91cdf03d/start4.elf', EARLY],
      ['91cdf03d/config.txt', WHOLE],
      ['91cdf03d/pieeprom.sig', MISSING],
      ['91cdf03d/recover4.elf', MISSING],
      ['91cdf03d/recovery.elf', MISSING],
      ['91cdf03d/start4.elf', WHOLE],
      ['91cdf03d/cmdline.txt', MISSING],
      ['91cdf03d/kernel8.img', MISSING],
      ['91cdf03d/RPI_EFI.fd', EARLY],
      ['91cdf03d/RPI_EFI.fd', WHOLE],
    ],
    last: '91cdf03d/kernel.img',
  },
  'GRUB, loaded by UEFI': {
    device: 'uefi',
    options: ['blksize', '1024', 'tsize', '0'],
    steps: [
      ['shimx64.efi', SIZE_KNOWN],
      ['shimx64.efi', WHOLE],
      ['revocations.efi', MISSING],
      ['grubx64.efi', SIZE_KNOWN],
      ['grubx64.efi', WHOLE],
      ['grub/x86_64-efi/command.lst', MISSING],
      ['grub/x86_64-efi/fs.lst', MISSING],
      ['grub/grub.cfg-01-00-0c-29-8c-d4-14', MISSING],
      ['grub/grub.cfg-AC100082', MISSING],
      ['grub/grub.cfg-AC1', MISSING],
      ['grub/grub.cfg', hangsUp(0, 'closed')],
      ['grub/grub.cfg', WHOLE],
      ['grub/fonts/unicode.pf2', hangsUp(9, 'closed')],
      ['vmlinuz', WHOLE],
    ],
    last: 'grub/grub.cfg.missing',
  },
  'GRUB of a BIOS': {
    device: 'grub',
    options: ['blksize', '1024', 'tsize', '0'],
    steps: [
      ['grub/i386-pc/fs.lst', MISSING],
      ['grub/i386-pc/normal.mod', WHOLE],
      ['grub/grub.cfg', WHOLE],
      ['grub/locale/de.gmo', MISSING],
      ['vmlinuz', hangsUp(2, 'closed')],
    ],
    last: 'initrd',
  },
  'PXELINUX, loaded by a PXE ROM': {
    device: 'pxelinux',
    options: ['tsize', '0', 'blksize', '1408'],
    steps: [
      ['pxelinux.0', ABORTED],
      ['pxelinux.0', WHOLE],
      ['ldlinux.c32', WHOLE],
      ['pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d', MISSING],
      ['pxelinux.cfg/01-88-99-aa-bb-cc-dd', MISSING],
      ['pxelinux.cfg/C0A8025B', MISSING],
      ['pxelinux.cfg/C0A8025', MISSING],
      ['pxelinux.cfg/C', MISSING],
      ['pxelinux.cfg/default', WHOLE],
      ['splash.png', hangsUp(4, 'No error, file close')],
      ['vmlinuz', WHOLE],
    ],
    last: 'pxelinux.cfg/default.missing',
  },
  iPXE: {
    device: 'ipxe',
    options: ['blksize', '1432', 'tsize', '0'],
    steps: [
      ['autoexec.ipxe', MISSING],
      ['boot.ipxe', ABORTED],
      ['boot.ipxe', WHOLE],
      ['vmlinuz', hangsUp(3, 'TFTP Aborted')],
      ['vmlinuz', WHOLE],
    ],
    last: 'initrd',
  },
  UEFI: {
    device: 'uefi',
    options: ['tsize', '0', 'blksize', '1468'],
    steps: [
      ['bootx64.efi', SIZE_KNOWN],
      ['bootx64.efi', WHOLE],
      ['bootx64.efi', SIZE_KNOWN],
    ],
    last: 'grubx64.efi',
  },
  'U-Boot': {
    device: 'u-boot',
    options: ['timeout', '5', 'blksize', '1468', 'tsize', '0'],
    steps: [
      ['0A640273.img', MISSING],
      ['boot.scr.uimg', MISSING],
      ['pxelinux.cfg/01-02-00-ec-d8-39-b5', MISSING],
      ['pxelinux.cfg/0A640273', MISSING],
      ['pxelinux.cfg/0', MISSING],
      ['pxelinux.cfg/default-arm-rk3399-evb_rk3399', MISSING],
      ['pxelinux.cfg/default-arm', MISSING],
      ['pxelinux.cfg/default', WHOLE],
      ['Image', WHOLE],
    ],
    last: 'rk3399-evb.dtb',
  },
  'Cisco phone': {
    device: 'cisco',
    options: [],
    steps: [
      ['CTLSEP001122AABBCC.tlv', MISSING],
      ['ITLSEP001122AABBCC.tlv', MISSING],
      ['ITLFile.tlv', MISSING],
      ['SEP001122AABBCC.cnf.xml', WHOLE],
      ['jar41sccp.9-4-2ES26.sbn', WHOLE],
      ['English_United_States/g3-tones.xml', MISSING],
    ],
    last: 'XMLDefault.cnf.xml',
  },
  'Cisco IOS': {
    device: 'cisco',
    options: [],
    steps: [
      ['network-confg', MISSING],
      ['cisconet.cfg', MISSING],
      ['branch7-confg', MISSING],
      ['c2960.bin', hangsUp(1, 'Session terminated')],
      ['c2960.bin', WHOLE],
    ],
    last: 'c2960.tar',
  },
  Polycom: {
    device: 'polycom',
    options: [],
    steps: [
      ['0004f2aabbcc.cfg', MISSING],
      ['000000000000.cfg', WHOLE],
      ['sip.ld', hangsUp(2, '')],
      ['0004f2aabbcc-directory.xml', MISSING],
      ['0004f2aabbcc-app.log', UPLOAD],
    ],
    last: 'sip.cfg',
  },
  Yealink: {
    device: 'yealink',
    options: [],
    steps: [
      ['001565aabbcc.boot', MISSING],
      ['y000000000000.boot', MISSING],
      ['y000000000028.cfg', MISSING],
      ['001565aabbcc.cfg', WHOLE],
      ['001565aabbcc-local.cfg', MISSING],
    ],
    last: '001565aabbcd.cfg',
  },
  Grandstream: {
    device: 'grandstream',
    options: [],
    steps: [
      ['cfg000b82aabbcc', MISSING],
      ['cfg000b82aabbcc.xml', MISSING],
      ['cfggxp2170.xml', MISSING],
      ['gs_phonebook.xml', MISSING],
      ['gxp2170fw.bin', WHOLE],
    ],
    last: 'cfg.xml',
  },
  Snom: {
    device: 'snom',
    options: [],
    steps: [
      ['snom370.htm', MISSING],
      ['snom370-000413AABBCC.htm', WHOLE],
      ['snom370-8.7.5.35-SIP-f.bin', WHOLE],
    ],
    last: 'snom370-000413AABBCD.htm',
  },
};

/** Several blocks, whatever their size. */
const FILE_SIZE = 30_000;

async function request(
  running: RunningServer,
  step: Step,
  options: readonly string[],
): Promise<void> {
  const [name, end] = step;
  const peer = await ScriptedPeer.bind();
  const asked = end.is === 'upload' ? wrq(name) : rrq(name, ...options);
  let heard = await peer.ask(asked, running.place);
  if (end.is === 'upload') heard = await peer.ask(data(1, 'log'));
  else if (end.is === 'missing') should(heard).equal('ERROR 1 File not found', name);
  else await read(peer, heard, end);
  const ended = await running.record((record) => isLast(record) && record.filename === name);
  should(ended.port).equal(peer.port);
  peer.close();
}

/** Acknowledges block after block, until this end. */
async function read(peer: ScriptedPeer, first: string, end: End): Promise<void> {
  let left = FILE_SIZE;
  for (let heard = first; ; heard = await peer.hear()) {
    const [kind, number, length] = heard.split(' ');
    should(kind).match(/^(OACK|DATA)$/, heard);
    const block = kind === 'OACK' ? 0 : Number(number);
    if ('at' in end && block === end.at) {
      if (end.is === 'hangs up') peer.send(error(end.code, end.text));
      return;
    }
    if (kind === 'DATA') left -= Number(length);
    peer.send(ack(block));
    if (left === 0) return;
  }
}

function repeat(event: string, times: number): string[] {
  return Array<string>(times).fill(event);
}

describe('TftpServer, how devices start', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();

  it('has a good start of each device that has a profile', () => {
    const devices = new Set(Object.values(BOOTS).map(({ device }) => device));
    should([...devices].sort()).deepEqual(Object.keys(DEVICE_PROFILES).sort());
  });

  for (const [name, boot] of Object.entries(BOOTS)) {
    describe(name, () => {
      let running: RunningServer;
      let alarms: GuessAlarm[];

      async function serve(): Promise<void> {
        const files = boot.steps.filter(([, { is }]) => is === 'whole' || is === 'hangs up');
        running = await startServer({
          storage: new MemoryStorage(files.map(([file]) => [file, Buffer.alloc(FILE_SIZE)])),
          expectedMisses: [`set:${boot.device}`],
          guessLimit: 2,
        });
        alarms = [];
        running.server.on('alarm', (alarm) => alarms.push(alarm));
      }

      function failures(): TransferRecord[] {
        return running.records.filter(({ event, error: e }) => event === 'error' && !e!.expected);
      }

      it('a good start is no failure and no alarm', async () => {
        await serve();
        for (const step of boot.steps) await request(running, step, boot.options);
        should(failures()).deepEqual([]);
        should(alarms).deepEqual([]);
        const { completed, failed, expected, probes } = running.server.counters;
        const whole = boot.steps.filter(([, { is }]) => is === 'whole' || is === 'upload').length;
        should(failed).equal(0);
        should(completed).equal(whole);
        should(expected + probes).equal(boot.steps.length - whole);
      });

      it('a start that goes wrong is one', async () => {
        await serve();
        const [file] = boot.steps.find(([, { is }]) => is === 'whole')!;
        const wrong: Step[] = [
          [boot.last, MISSING],
          [file, FULL],
          [file, SILENT],
        ];
        // A timeout that was agreed upon would be waited for.
        for (const step of wrong)
          await request(running, step, step[1] === SILENT ? [] : boot.options);
        const codes = failures().map((record) => record.error!.code);
        should(codes).deepEqual(['ENOENT', 'ENOSPC', 'ETIMEDOUT']);
        should(running.server.counters).have.properties({ failed: 3, expected: 0 });
        await request(running, [`${boot.last}.missing`, MISSING], boot.options);
        should(alarms.map(({ misses }) => misses)).deepEqual([2]);
      });
    });
  }

  describe('a client that refuses the options again and again', () => {
    const storage = new MemoryStorage([['bootx64.efi', Buffer.alloc(FILE_SIZE)]]);
    const options = ['tsize', '0', 'blksize', '1468'];
    let clock: VirtualClock;
    let running: RunningServer;

    async function serve(own: Partial<ServerOptions> = {}): Promise<void> {
      clock = new VirtualClock();
      running = await startServer({ storage, ...own }, { ...SERVER_SYSTEM, clock });
    }

    async function refuse(times: number, end: End = SIZE_KNOWN): Promise<void> {
      for (let n = 0; n < times; n += 1) await request(running, ['bootx64.efi', end], options);
    }

    function endings(): string[] {
      return running.records.filter(isLast).map(({ event }) => event);
    }

    it('has failed once, if it never reads the file', async () => {
      await serve();
      await refuse(5);
      const last = running.records.at(-1)!;
      clock.pass(3000);
      const failure = await running.record('error');
      should(failure).have.properties({
        filename: 'bootx64.efi',
        host: '127.0.0.1',
        port: last.port,
        size: FILE_SIZE,
        afterProbe: last.id,
      });
      should(failure.error).deepEqual({
        code: 'EOPTNEG',
        tftpCode: 8,
        message:
          'The client rejected the options 5 times and never read the file: let it have fewer of them (profiles, Refuse options)',
      });
      await refuse(7, ABORTED);
      clock.pass(3000);
      should(endings()).deepEqual([...repeat('probe', 5), 'error', ...repeat('probe', 7)]);
      const starts = running.records.filter(({ event }) => event === 'start').map(({ id }) => id);
      const ends = running.records.filter(isLast).map(({ id }) => id);
      should(starts).deepEqual(ends);
      should(new Set(ends).size).equal(13);
      should(running.server.counters).have.properties({ requests: 12, probes: 12, failed: 1 });
    });

    it('has not failed if it reads the file in the end', async () => {
      await serve();
      await refuse(6);
      clock.pass(2000);
      await request(running, ['bootx64.efi', WHOLE], options);
      clock.pass(60_000);
      should(endings()).deepEqual([...repeat('probe', 6), 'complete']);
    });

    it('has not failed if it asked for the size only once', async () => {
      await serve();
      await refuse(1);
      clock.pass(60_000);
      should(endings()).deepEqual(['probe']);
    });

    it('has failed also where it is known that such devices are there', async () => {
      await serve({ expectedMisses: ['set:uefi'] });
      await refuse(5);
      clock.pass(3000);
      should((await running.record('error')).error).not.have.property('expected');
    });

    it('is told of no more once the server is closed', async () => {
      await serve();
      await refuse(5);
      await running.server.close();
      should(clock.waiting).equal(0);
      clock.pass(3000);
      should(endings()).deepEqual(repeat('probe', 5));
    });
  });

  it('takes the bytes FF that a PXE ROM appends off the name, and says so', async () => {
    const storage = new MemoryStorage([['pxelinux.0', Buffer.alloc(10)]]);
    const padded = Buffer.from(
      rrq('pxelinux.0~~').toString('latin1').replace('~~', '\u00ff\u00ff'),
      'latin1',
    );
    const peer = await ScriptedPeer.bind();
    const exact = await startServer({ storage });
    should(await peer.ask(padded, exact.place)).equal('ERROR 1 File not found');
    const { place, record } = await startServer({ storage, expectedMisses: ['set:pxelinux'] });
    should(await peer.ask(padded, place)).equal('DATA 1 10 B');
    peer.send(ack(1));
    should(await record('complete')).have.properties({
      filename: 'pxelinux.0<FF><FF>',
      servedAs: 'pxelinux.0',
    });
  });
});
