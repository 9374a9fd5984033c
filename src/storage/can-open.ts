/** Whether a storage has something, without a transfer. */

import type { Storage, StorageRequest } from './storage';

/** Asks the storage if it can tell; else the file is opened, and closed or discarded at once. */
export async function canOpen(
  storage: Storage,
  request: StorageRequest,
  operation: 'read' | 'write',
): Promise<boolean> {
  if (storage.canOpen !== undefined) return storage.canOpen(request, operation);
  try {
    if (operation === 'read') await (await storage.openForReading(request)).close();
    else await (await storage.openForWriting({ ...request, size: undefined })).discard();
    return true;
  } catch {
    return false;
  }
}
