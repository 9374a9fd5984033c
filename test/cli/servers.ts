/** Servers for the commands to talk to, on ports that the system picks. */

import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TftpServer } from '../../src/server/server';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { ServerOptions } from '../../src/server/server-options';

export interface TestServer {
  /** `tftp://127.0.0.1:port/` */
  readonly url: string;
  readonly files: Map<string, Buffer>;
  readonly server: TftpServer;
}

/** Serves from memory while `use` runs. */
export async function withServer(
  use: (server: TestServer) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> {
  const storage = new MemoryStorage();
  const server = new TftpServer({
    storage,
    address: '127.0.0.1',
    port: 0,
    write: true,
    ...options,
  });
  const [address] = await server.listen();
  try {
    await use({ url: `tftp://127.0.0.1:${address?.port}/`, files: storage.files, server });
  } finally {
    await server.close();
  }
}

/** A host that hears and says nothing. `heard` is what came, each datagram as latin1 text. */
export async function withSilence(
  use: (url: string, heard: readonly string[]) => Promise<void>,
): Promise<void> {
  const socket = createSocket('udp4');
  const heard: string[] = [];
  socket.on('message', (datagram) => heard.push(datagram.toString('latin1')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    await use(`tftp://127.0.0.1:${socket.address().port}/`, heard);
  } finally {
    socket.close();
  }
}

/** A folder that is gone afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'red-tftp-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes that differ from block to block. */
export function content(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + (i >> 8) * 7) & 255;
  return bytes;
}
