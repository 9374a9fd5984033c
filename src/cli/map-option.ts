/** `serve --map FILE`: the rules, read again at each SIGHUP. */

import { loadMapFile, reloadMapFile } from '../server/names/map-file';
import { printLine } from './command-io';
import { failureText } from './failure';
import type { NameRules } from '../server/names/name-rules';
import type { CommandIo } from './command-io';

/** The rules of a file. A file that is wrong later leaves the old ones in force. */
export class MapOption {
  private reloading: Promise<void> = Promise.resolve();

  private constructor(
    readonly rules: NameRules,
    private readonly file: string,
    private readonly io: CommandIo,
  ) {
    // Where there is no such signal it never comes. Windows has it when the console is closed.
    io.signals.on('SIGHUP', this.onHangUp);
  }

  /** @throws {LocalError} as `loadMapFile`. */
  static async open(file: string, io: CommandIo): Promise<MapOption> {
    return new MapOption(await loadMapFile(file), file, io);
  }

  /** Stops listening for the signal. Settles when the file is not being read any more. */
  async close(): Promise<void> {
    this.io.signals.off('SIGHUP', this.onHangUp);
    await this.reloading;
  }

  private readonly onHangUp = (): void => {
    this.reloading = this.reloading.then(() => this.reload());
  };

  private async reload(): Promise<void> {
    try {
      await reloadMapFile(this.rules, this.file);
      this.tell(`${this.file} was read again; it has ${this.rules.hits.length} rules`);
    } catch (error) {
      this.tell(`the old name rules stay: ${failureText(error)}`);
    }
  }

  private tell(text: string): void {
    printLine(this.io.stderr, `red-tftp: ${text}`);
  }
}
