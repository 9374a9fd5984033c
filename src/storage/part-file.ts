/**
 * The temporary file of an upload. It lies in the folder of its target, so that a rename can put it
 * in place: `.<target>.<writer>-<random>.tftp-part`. The writer is told by its place, number and start
 * (see `part-writer`). While the upload runs, the file is written to or dated anew every minute.
 */

import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { disk } from './disk';
import { FILE_CLOCK, type FileClock } from './file-clock';
import { systemCode } from './file-error';
import { hexDigest } from './hex-digest';
import { thisWriter, type PartWriter } from './part-writer';

/** Small blocks are gathered to this many bytes, to spare calls; 500 uploads then take 32 MB. */
const BUFFER_SIZE = 64 * 1024;

/** A file name may have 255 bytes; the target's name is cut to at most 200 of them. */
const NAME_START = /^.{0,50}/su;

/** How often a file is dated anew, in milliseconds. */
const REFRESHED_EVERY = 60_000;

/** A file that was not touched for so long has no writer any more, wherever that was. In milliseconds. */
export const ABANDONED_AFTER = 10 * 60_000;

const PART_NAME = /^\..*\.(?:([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}|[0-9a-f]{16})\.tftp-part$/is;

/** The paths of the files that are being written in this thread. */
const live = new Set<string>();

/** True for a name that only our temporary files have: clients may neither read nor write one. */
export function isPartName(name: string): boolean {
  return PART_NAME.test(name);
}

/** True for a temporary file that is being written in this thread. */
export function isLivePart(file: string): boolean {
  return live.has(file);
}

/** Who made a temporary file, if its name tells. */
export function writerOf(name: string): PartWriter | undefined {
  const [, place, pid, started] = PART_NAME.exec(name) ?? [];
  if (place === undefined) return undefined;
  return { place: place.toLowerCase(), pid: Number(pid), started: Number(started) };
}

/** A path beside `target` that nobody else has. */
export function partPath(target: string): string {
  const { place, pid, started } = thisWriter();
  const writer = place === '' ? randomDigits() : `${place}-${pid}-${started}-`;
  return namedPart(target, writer + randomDigits());
}

/** A path beside `target` that is the same for all who want that name, in whatever case. */
export function lockPath(target: string): string {
  return namedPart(target, hexDigest(path.basename(target).toLowerCase()));
}

function namedPart(target: string, token: string): string {
  const start = NAME_START.exec(path.basename(target))?.[0] ?? '';
  return path.join(path.dirname(target), `.${start}.${token}.tftp-part`);
}

/** A new file that only its owner knows of. Calls must not overlap, but for `remove`. */
export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #buffer: Buffer | undefined;
  #buffered = 0;

  private constructor(file: string, handle: FileHandle) {
    this.path = file;
    this.#handle = handle;
  }

  /**
   * Creates the file beside `target`.
   *
   * @param mode Its permissions, exactly; left out, the process's default.
   */
  static async create(target: string, mode?: number, clock = FILE_CLOCK): Promise<PartFile> {
    const file = partPath(target);
    const part = new PartFile(file, await disk.open(file, 'wx', mode));
    live.add(file);
    part.#refreshFrom(clock);
    // File systems without permissions (FAT, SMB) refuse this, and have nothing to lose.
    if (mode !== undefined) await part.#handle.chmod(mode).catch(() => undefined);
    return part;
  }

  /** Takes bytes; they are on their way to the disk once there are enough of them. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#buffered + chunk.length > BUFFER_SIZE) await this.#flush();
    if (chunk.length >= BUFFER_SIZE) return this.#writeOut(chunk);
    this.#buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
    this.#buffer.set(chunk, this.#buffered);
    this.#buffered += chunk.length;
  }

  /** Everything is on the disk after this, and the file is closed. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#handle.sync().catch(ignoreUnsupported);
    await this.#handle.close();
  }

  /** The file has another name now, or none: it is not ours any more. */
  release(): void {
    live.delete(this.path);
  }

  /** Closes and deletes the file. Never rejects. */
  async remove(): Promise<void> {
    // Both may have happened already, and what cannot be deleted now is removed as a leftover.
    await this.#handle.close().catch(() => undefined);
    await disk.unlink(this.path).catch(() => undefined);
    this.release();
  }

  /** Dates the file anew from time to time, as long as it is ours. */
  #refreshFrom(clock: FileClock): void {
    clock.after(REFRESHED_EVERY, () => {
      if (!live.has(this.path)) return;
      const now = new Date(clock.date());
      // Where that is not allowed, what is written dates the file.
      this.#handle.utimes(now, now).catch(() => undefined);
      this.#refreshFrom(clock);
    });
  }

  async #flush(): Promise<void> {
    if (this.#buffer === undefined || this.#buffered === 0) return;
    const full = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#writeOut(full);
  }

  async #writeOut(bytes: Uint8Array): Promise<void> {
    // One call may take only a part, and says why at the next.
    for (let written = 0; written < bytes.length;) {
      written += (await this.#handle.write(bytes, written)).bytesWritten;
    }
  }
}

/** Eight hexadecimal digits. A name that exists is never opened, so nothing is lost if somebody guesses one. */
function randomDigits(): string {
  const digits = Math.floor(Math.random() * 2 ** 32).toString(16);
  return digits.padStart(8, '0');
}

/** Some network and user-space file systems cannot sync, and do what they do without it. */
function ignoreUnsupported(error: unknown): void {
  if (!['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCode(error) ?? '')) throw error;
}
