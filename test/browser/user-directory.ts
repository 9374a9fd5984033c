/** A user directory of Node-RED into which this package is linked, as `npm install FOLDER` does it. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../helpers/program';

/** It is thrown away at the end. */
export class UserDirectory {
  readonly path = mkdtempSync(path.join(tmpdir(), 'tftp-browser-'));

  /** @param flow what runs in it. */
  constructor(flow: (directory: UserDirectory) => readonly object[]) {
    const { name, version }: { name: string; version: string } = JSON.parse(
      readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
    );
    mkdirSync(this.file('node_modules'));
    symlinkSync(ROOT, this.file('node_modules', name), 'junction');
    this.write(
      'package.json',
      JSON.stringify({ private: true, dependencies: { [name]: version } }),
    );
    this.write('flows.json', JSON.stringify(flow(this)));
  }

  file(...parts: string[]): string {
    return path.join(this.path, ...parts);
  }

  write(name: string, content: string | Buffer): void {
    mkdirSync(path.dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), content);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
