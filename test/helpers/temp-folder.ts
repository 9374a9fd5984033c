import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder that is empty before each test and gone after it. */
export interface TempFolder {
  /** Its real path. */
  readonly path: string;
  /** The path of something in it. */
  file(...parts: string[]): string;
}

/** Call it inside `describe`. */
export function useTempFolder(): TempFolder {
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'tftp-test-')));
  });
  // Windows lets go of what was closed or deleted a little later.
  afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return {
    get path() {
      return folder;
    },
    file: (...parts) => path.join(folder, ...parts),
  };
}
