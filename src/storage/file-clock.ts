/** The time, as storages need it. */

/** Tells the time, and waits. In milliseconds. */
export interface FileClock {
  /** Since 1970, as files are dated. */
  readonly date: () => number;
  /** Runs on evenly, whatever the date is set to. */
  readonly now: () => number;
  /** Calls once, without keeping the process alive. */
  readonly after: (wait: number, action: () => void) => void;
}

export const FILE_CLOCK: FileClock = {
  date: () => Date.now(),
  now: () => performance.now(),
  after: (wait, action) => void setTimeout(action, wait).unref(),
};

/** File systems date changes to 2 s (FAT) or better: what has not changed for so long will be seen to change. */
export const SETTLED_AFTER = 2000;
