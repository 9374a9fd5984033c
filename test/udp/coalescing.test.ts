import should = require('should');
import { Endpoint } from '../../src/udp/endpoint';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Peer } from '../../src/transfer/peer-lock';
import {
  clientFor,
  closeEnginesAfterEach,
  countingSink,
  failureOf,
  startServer,
} from '../helpers/engine';
import { seededBytes } from '../helpers/random';
import { skipWithoutOffload } from '../helpers/skip';
import { data, describePacket, error, oack, wrq } from '../helpers/wire';

const BLKSIZE = 512;
const WINDOW = 16;
const OPTIONS = { blksize: BLKSIZE, windowsize: WINDOW };

/** Many windows, and behind them a last block that is a window alone: of some bytes, or of none. */
const SIZES = [33 * WINDOW * BLKSIZE + 100, 33 * WINDOW * BLKSIZE];

describe('a receiver whose system joins datagrams', function () {
  closeEnginesAfterEach();
  let sender: PieceSender;

  before(function () {
    skipWithoutOffload(this);
  });
  beforeEach(async () => {
    sender = await PieceSender.bind();
  });
  afterEach(() => sender?.close());

  for (const size of SIZES) {
    const title = `every window twice in one piece, and a last block of ${size % BLKSIZE} bytes three times`;

    it(`a client takes ${title}`, async () => {
      const content = seededBytes(size, 1);
      const got = clientFor(sender.local, { timeout: 8_000 }).get('f', OPTIONS);
      await sender.hear(/^RRQ/);
      sender.send([oack('blksize', '512', 'tsize', `${size}`, 'windowsize', '16')]);
      await sender.hear(/^ACK 0$/);
      await sender.sendFile(content);
      const { data: received, record } = await got;
      should(received.equals(content)).be.true();
      should(record).have.properties({ bytes: size, offload: true });
    });

    it(`a server takes ${title}`, async () => {
      const content = seededBytes(size, 2);
      const storage = new MemoryStorage();
      const { place, record } = await startServer({ storage, timeout: 8_000 });
      const options = ['blksize', '512', 'tsize', `${size}`, 'windowsize', '16'];
      sender.send([wrq('f', ...options)], place);
      await sender.hear(/^OACK/);
      await sender.sendFile(content);
      should(await record('complete')).have.properties({ bytes: size, offload: true });
      should(storage.files.get('f')!.equals(content)).be.true();
    });
  }

  it('reads the ERROR behind blocks in the same piece', async () => {
    const got = failureOf(clientFor(sender.local).get('f', OPTIONS));
    await sender.hear(/^RRQ/);
    sender.send([oack('blksize', '512', 'tsize', '1000000', 'windowsize', '16')]);
    await sender.hear(/^ACK 0$/);
    const block = Buffer.alloc(BLKSIZE);
    sender.send([data(1, block), data(2, block), error(0, 'enough')]);
    should(await got).have.properties({ name: 'PeerError', message: 'enough' });
  });

  for (const [what, inside, code] of [
    ['nothing special', 'abcdefghij', 'EBADSIZE'],
    ['what looks like another block of the told length', 'abc\0\u0003\0\u0003xyz', 'EBADSIZE'],
    ['what looks like an ERROR', 'abc\0\u0005\0\0no\0', 'EUNDEF'],
  ] as const) {
    it(`commits nothing where the told size is wrong, and the last block holds ${what}`, async () => {
      const { sink, calls } = countingSink();
      const got = failureOf(clientFor(sender.local).getTo(sink, 'f', OPTIONS));
      await sender.hear(/^RRQ/);
      const told = `${2 * BLKSIZE + 3}`;
      sender.send([oack('blksize', '512', 'tsize', told, 'windowsize', '16')]);
      await sender.hear(/^ACK 0$/);
      const block = Buffer.alloc(BLKSIZE);
      sender.send([data(1, block), data(2, block)]);
      sender.send([data(3, inside)]);
      should(await got).have.properties({ code });
      should(calls).have.properties({ commit: 0, discard: 1 });
    });
  }

  it('tells of a block that is longer than agreed', async () => {
    const got = failureOf(clientFor(sender.local).get('f', OPTIONS));
    await sender.hear(/^RRQ/);
    sender.send([oack('blksize', '512', 'tsize', '1000000', 'windowsize', '16')]);
    await sender.hear(/^ACK 0$/);
    sender.send([data(1, Buffer.alloc(2 * BLKSIZE))]);
    await sender.hear(/^ERROR 4 A block of 1024 bytes came where 512 were agreed/);
    should(await got).have.properties({ code: 'EBADOP' });
  });
});

/** A peer that hands the system several datagrams in one piece, which leave end to end on loopback. */
class PieceSender {
  readonly #port: Endpoint;
  readonly #heard: string[] = [];
  #other: Peer | undefined;
  #wake: (() => void) | undefined;

  static async bind(): Promise<PieceSender> {
    return new PieceSender(await Endpoint.bind({ address: '127.0.0.1', port: 0 }));
  }

  private constructor(port: Endpoint) {
    this.#port = port;
    port.subscribe({
      message: (datagram, from) => {
        this.#heard.push(describePacket(Buffer.from(datagram)));
        this.#other = from;
        this.#wake?.();
      },
      failed(fault) {
        throw fault;
      },
    });
  }

  get local(): Peer {
    return this.#port.local;
  }

  /** Sends packets of one length, the last of which may be shorter. */
  send(packets: readonly Buffer[], to: Peer = this.#other!): void {
    const datagrams = Buffer.concat(packets);
    const segmentSize = packets[0]!.length;
    should(this.#port.send({ datagrams, segmentSize }, to)).equal(packets.length > 1);
  }

  /** Waits for a packet that fits, past all others. */
  async hear(pattern: RegExp): Promise<void> {
    for (;;) {
      const next = this.#heard.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (pattern.test(next)) return;
    }
  }

  async sendFile(content: Buffer): Promise<void> {
    const last = Math.floor(content.length / BLKSIZE) + 1;
    for (let block = 1; block < last; block += WINDOW) {
      const window = Array.from({ length: WINDOW }, (_, i) => blockOf(content, block + i));
      this.send([...window, ...window]);
      await this.hear(new RegExp(`^ACK ${block + WINDOW - 1}$`));
    }
    const end = blockOf(content, last);
    this.send([end, end, end]);
    await this.hear(new RegExp(`^ACK ${last}$`));
  }

  close(): void {
    this.#port.close();
  }
}

function blockOf(content: Buffer, position: number): Buffer {
  return data(position, content.subarray((position - 1) * BLKSIZE, position * BLKSIZE));
}
