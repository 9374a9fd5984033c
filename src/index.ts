/**
 * TFTP for programs: a client, a server, and what they are made of.
 *
 * @example
 * import { FolderStorage, TftpClient, TftpServer } from 'node-red-contrib-tftp';
 *
 * const server = new TftpServer({ storage: new FolderStorage({ root: '/srv/tftp' }), port: 6969 });
 * server.on('transfer', (record) => console.log(record.event, record.filename, record.bytes));
 * await server.listen();
 *
 * const client = new TftpClient({ host: '127.0.0.1', port: 6969 });
 * const { data } = await client.get('phone.cfg');
 *
 * @packageDocumentation
 */

export { TftpClient } from './client/client';
export type { FailedTransfer } from './client/client-transfer';
export type { ClientOptions } from './client/client-options';
export { CLIENT_DEFAULTS } from './client/client-options';
export { parseTftpUrl } from './client/tftp-url';
export type { TftpUrl } from './client/tftp-url';
export type { TransferEventName, TransferRecord } from './net/transfer-record';
export {
  CancelError,
  LocalError,
  PeerError,
  ProtocolError,
  TftpError,
  TimeoutError,
  isTftpError,
} from './protocol/errors';
export type { TftpErrorCode, TftpErrorContext } from './protocol/errors';
export { nameBytes, shownName } from './protocol/name-text';
export type { TransferMode, WireOption } from './protocol/packet';
export { loadMapFile, reloadMapFile } from './server/names/map-file';
export { NameRules } from './server/names/name-rules';
export type {
  FileTest,
  NameExplanation,
  NameOutcome,
  NameRequest,
  NameRulesOptions,
  NameStep,
  RuleHits,
} from './server/names/name-rules';
export { TftpServer } from './server/server';
export type { ServerCounters, ServerEvents } from './server/server';
export type { ListeningAddress } from './server/listening-address';
export type { GuessAlarm } from './server/guess-alarm';
export { DEVICE_PROFILES } from './server/device-profiles';
export type { DeviceName, DeviceProfile } from './server/device-profiles';
export type { OptionProfile } from './server/option-profiles';
export type { AddressFamily, ServerOptions } from './server/server-options';
export type { StoredFile } from './server/stored-file';
export { ANY_NETWORK, PRIVATE_NETWORKS, SERVER_DEFAULTS } from './server/server-options';
export { BufferSink, streamSink } from './storage/data-sink';
export { bufferSource, dataSource, fileSource, streamSource } from './storage/data-source';
export type { Content } from './storage/data-source';
export { FileSink } from './storage/file-sink';
export type { FileSinkOptions } from './storage/file-sink';
export type { OverwritePolicy } from './storage/overwrite-policy';
export { FolderStorage } from './storage/folder-storage';
export type { FolderStorageOptions } from './storage/folder-storage';
export type { StoredSink } from './storage/folder-quota';
export { MemoryStorage } from './storage/memory-storage';
export type {
  DataSink,
  DataSource,
  MovableContent,
  MovableFile,
  PortableStorage,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from './storage/storage';
export type { Peer } from './transfer/peer-lock';
