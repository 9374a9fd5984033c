/** Turns SIGINT and SIGTERM into an `AbortSignal`. */

import { ExitCode } from './exit-code';
import type { CommandIo } from './command-io';

/**
 * Aborts at the first of the two signals. From then on nobody listens any more, so that a second one
 * ends the process at once, as it does by default.
 */
export class Interruption {
  private readonly controller = new AbortController();
  private terminated = false;

  constructor(private readonly signals: CommandIo['signals']) {
    signals.on('SIGINT', this.onInterrupt);
    signals.on('SIGTERM', this.onTerminate);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** What the command ends with because of the signal. */
  get exitCode(): number {
    return this.terminated ? ExitCode.terminated : ExitCode.interrupted;
  }

  /** Stops listening. A second call does nothing. */
  dispose(): void {
    this.signals.off('SIGINT', this.onInterrupt);
    this.signals.off('SIGTERM', this.onTerminate);
  }

  private readonly onInterrupt = (): void => {
    this.dispose();
    this.controller.abort();
  };

  private readonly onTerminate = (): void => {
    this.terminated = true;
    this.onInterrupt();
  };
}
