import should = require('should');
import { bufferSource } from '../../src/storage/data-source';
import type { DataSource, Storage, StorageRequest } from '../../src/storage/storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { data, error, rrq } from '../helpers/wire';

/** A storage that opens nothing before it is told to, and keeps the requests. */
class SlowStorage implements Storage {
  readonly requests: StorageRequest[] = [];
  #wake = (): void => undefined;
  #open!: (source: DataSource) => void;

  /** Waits until so many requests have come. */
  async count(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Why the last request is not waited for any more. */
  get reason(): unknown {
    return this.requests.at(-1)?.signal?.reason;
  }

  open(content: string): void {
    this.#open(bufferSource(content));
  }

  openForReading(request: StorageRequest): Promise<DataSource> {
    this.requests.push(request);
    this.#wake();
    return new Promise((resolve, reject) => {
      this.#open = resolve;
      request.signal?.addEventListener('abort', () => reject(new Error('not waited for')));
    });
  }

  openForWriting(): Promise<never> {
    return Promise.reject(new Error('no'));
  }
}

describe('TftpServer, while a file is being opened', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();

  async function asked(request = rrq('slow')) {
    const storage = new SlowStorage();
    const running = await startServer({ storage, maxPerHost: 1, timeout: 1000 });
    const peer = await ScriptedPeer.bind();
    peer.send(request, running.place);
    await storage.count(1);
    return { ...running, storage, peer };
  }

  it('absorbs the repeated request, and counts it as one transfer', async () => {
    const { storage, peer, place, server } = await asked();
    peer.send(rrq('slow'), place);
    peer.send(rrq('slow'), place);
    const other = await ScriptedPeer.bind();
    other.send(rrq('other'), place);
    while (server.counters.dropped < 1) await new Promise(setImmediate);
    await other.expectSilence();
    should(storage.requests).have.length(1);
    storage.open('content');
    should(await peer.hear()).equal('DATA 1 7 B');
    await peer.expectSilence();
  });

  it('hears the ERROR of a client that gives up, and answers nothing', async () => {
    const { storage, peer, place, server, records } = await asked();
    const { signal } = storage.requests[0]!;
    const aborted = new Promise((resolve) => signal!.addEventListener('abort', resolve));
    peer.send(data(1), place);
    peer.send(error(0, 'too slow'), place);
    await aborted;
    should(storage.reason).have.properties({ code: 'EUNDEF', message: 'too slow' });
    await peer.expectSilence();
    should(records).be.empty();
    should(server.counters).have.properties({ requests: 1, refused: 0, ignored: 2 });
  });

  it('serves what the same port asks for next, and not what it asked for first', async () => {
    const { storage, peer, place } = await asked();
    const { signal } = storage.requests[0]!;
    const aborted = new Promise((resolve) => signal!.addEventListener('abort', resolve));
    peer.send(rrq('next'), place);
    await aborted;
    await storage.count(2);
    should(signal!.reason).have.property('code', 'ECANCELED');
    storage.open('next content');
    should(await peer.hear()).equal('DATA 1 12 B');
    should(storage.requests.map(({ filename }) => filename)).eql(['slow', 'next']);
  });

  it('tells the client when the server stops', async () => {
    const { storage, peer, server, records } = await asked();
    await server.close();
    should(await peer.hear()).equal('ERROR 0 The server was stopped');
    should(storage.reason).have.property('code', 'ECANCELED');
    should(records.map(({ event, error: cause }) => [event, cause?.code])).eql([
      ['start', undefined],
      ['error', 'ECANCELED'],
    ]);
    await peer.expectSilence();
  });
});
