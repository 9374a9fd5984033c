/** What the public class of a server works with: the server in this thread, or in a worker. */

import type { TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import type { Storage } from '../storage/storage';
import type { GuessAlarm } from './guess-alarm';
import type { ListeningAddress } from './listening-address';
import type { StoredFile } from './stored-file';

/** Hears what happens. */
export interface CoreListener {
  transfer(record: TransferRecord): void;
  upload(record: TransferRecord, stored: StoredFile): void;
  alarm(alarm: GuessAlarm): void;
  problem(error: TftpError): void;
  /** It listens no more, although nobody closed it. */
  lost(): void;
}

export interface ServerCore {
  /** Where it listens; empty before `listen` and after `close`. */
  readonly addresses: ListeningAddress[];
  /** The running transfers. */
  readonly transfers: TransferRecord[];
  /** @throws {LocalError} EADDRINUSE, ENOPERM or EADDRNOTAVAIL, saying what to change. */
  listen(): Promise<ListeningAddress[]>;
  /** Ends one transfer. False if there is no such transfer. */
  abort(id: string, reason: string): boolean;
  /** Ends the transfers with an address, or all. @returns how many they were. */
  abortAll(host: string | undefined, reason: string): number;
  /** Serves from another storage from now on. */
  use(storage: Storage): void;
  /** Refuses requests, or accepts them again. */
  pause(paused: boolean): void;
  /** Ends the transfers, or lets them end, and frees the port. Never rejects. Extra calls do no harm. */
  close(options: { readonly graceful: boolean }): Promise<void>;
}
