/** The package as a user gets it: packed, and installed into an empty user directory. */

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT, run, succeeded } from '../helpers/program';
import type { Outcome } from '../helpers/program';

/** The name under which users install it. */
export const PACKAGE = 'node-red-contrib-tftp';

/** A user directory of Node-RED in which the package is installed. */
export class PackedPackage {
  private constructor(
    readonly userDirectory: string,
    /** The paths in the tarball. */
    readonly files: readonly string[],
    /** The bytes of the tarball, and of the files in it. */
    readonly size: number,
    readonly unpackedSize: number,
  ) {}

  /**
   * Packs what was built, and installs it without a network.
   *
   * @param more options of npm.
   */
  static async install(...more: string[]): Promise<PackedPackage> {
    const base = mkdtempSync(path.join(tmpdir(), 'red-tftp-package-'));
    const userDirectory = path.join(base, 'user');
    mkdirSync(userDirectory);
    writeFileSync(path.join(userDirectory, 'package.json'), '{ "private": true }\n');
    // A build would take away the compiled tests while they run.
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', base];
    const { stdout } = succeeded(await npm(pack, ROOT));
    const [packed]: [PackResult] = JSON.parse(stdout.toString());
    const tarball = path.join(base, packed.filename);
    succeeded(await npm(['install', '--offline', ...more, tarball], userDirectory));
    return new PackedPackage(
      userDirectory,
      packed.files.map((file) => file.path),
      packed.size,
      packed.unpackedSize,
    );
  }

  /** The folder of the installed package. */
  get folder(): string {
    return path.join(this.userDirectory, 'node_modules', PACKAGE);
  }

  /** The packages and scopes that it brought along. */
  get others(): string[] {
    const all = readdirSync(path.dirname(this.folder));
    return all.filter((name) => name !== PACKAGE && !name.startsWith('.'));
  }

  read(file: string): Buffer {
    return readFileSync(path.join(this.folder, file));
  }

  remove(): void {
    rmSync(path.dirname(this.userDirectory), { recursive: true, force: true });
  }
}

interface PackResult {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Runs npm. On Windows it is a batch file, which cannot be started like a program: its script can. */
export function npm(args: readonly string[], cwd: string): Promise<Outcome> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  if (process.platform !== 'win32') return run('npm', [...args, ...quiet], { cwd });
  const script = path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js');
  return run(process.execPath, [script, ...args, ...quiet], { cwd });
}
