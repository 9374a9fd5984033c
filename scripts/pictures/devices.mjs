// Devices that fetch their files from a server, each at its own pace.
import { createSocket } from 'node:dgram';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { TftpClient } = require('../../dist/src/index.js');
const { ack, error, rrq } = require('../../dist/test/helpers/wire.js');

/** Bytes of a block, and blocks of a window: an answer to each window sets the pace. */
const BLOCK = 1428;
const WINDOW = 8;

/** Each has an address of its own. Bytes, and milliseconds for a window. */
const DEVICES = [
  { address: '127.0.0.21', file: 'firmware/phone-12.4.bin', size: 3_000_000, pace: 14 },
  { address: '127.0.0.22', file: 'firmware/phone-12.4.bin', size: 3_000_000, pace: 28 },
  { address: '127.0.0.37', file: 'boot/vmlinuz-6.1', size: 8_200_000, pace: 10 },
  { address: '127.0.0.40', file: 'boot/initrd-6.1.img', size: 24_000_000, pace: 8 },
  { address: '127.0.0.91', file: 'ios/c2960x-15.2.bin', size: 26_000_000, pace: 20 },
  {
    address: '127.0.0.66',
    file: 'ap/ap-8.10.bin',
    size: 900_000,
    pace: 5,
    complains: 'Flash full',
  },
];
/** So many blocks a device takes before it complains. */
const TAKEN = 20;

/** Small ones, which have come before anybody looks. */
const SMALL = ['SEP001B54C0FFEE.cnf.xml', 'pxelinux.0', 'ap-217.cfg', 'sw-core-1.cfg'];

export class Devices {
  #port;
  #sockets = [];
  #stopped = false;

  constructor(port) {
    this.#port = port;
  }

  /** The file whose transfer fails. */
  get refused() {
    return 'ap-8.10.bin';
  }

  /** A file whose progress can be seen soon. */
  get watched() {
    return 'vmlinuz-6.1';
  }

  furnish(write) {
    for (const { file, size } of DEVICES) write(file, Buffer.alloc(size, file));
    for (const file of SMALL) write(file, Buffer.alloc(2_000 + 1_700 * file.length, file));
  }

  /** Fetches the small files, and begins with the others. */
  async start() {
    for (const [index, file] of SMALL.entries()) {
      const localAddress = `127.0.0.${50 + index}`;
      const client = new TftpClient({ host: '127.0.0.1', port: this.#port, localAddress });
      await client.get(file);
    }
    for (const device of DEVICES) this.#fetch(device);
  }

  stop() {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.close();
  }

  #fetch({ address, file, pace, complains }) {
    const socket = createSocket('udp4');
    this.#sockets.push(socket);
    let expected = 1;
    socket.on('error', (problem) => console.error(`${address}: ${problem.message}`));
    socket.on('message', (packet, { port }) => {
      const answer = (bytes) => this.#stopped || socket.send(bytes, port, '127.0.0.1');
      if (complains && expected > TAKEN) return answer(error(3, complains));
      if (packet.readUInt16BE(0) === 6) return answer(ack(0));
      const block = packet.readUInt16BE(2);
      if (block !== expected) return undefined;
      expected = (expected + 1) & 0xffff;
      const isLast = packet.length < BLOCK + 4;
      if (isLast || block % WINDOW === 0) setTimeout(answer, pace, ack(block));
      return undefined;
    });
    const options = ['blksize', BLOCK, 'windowsize', WINDOW, 'tsize', 0].map(String);
    socket.bind(0, address, () => socket.send(rrq(file, ...options), this.#port, '127.0.0.1'));
  }
}
