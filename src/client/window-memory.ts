/** What window each host's path carries: learned from transfers, asked for in the next ones. */

/**
 * The window for a host that is not known yet, and the largest that is asked for: 64 datagrams of an
 * Ethernet frame just fit into the receive buffer that Linux gives a socket (212,992 bytes, of which
 * each takes 2,304), and it is what our own server grants.
 */
export const LARGEST_AUTO_WINDOW = 64;

/** Hosts that are remembered. The one that was not used for the longest time goes first. */
const MAX_HOSTS = 1000;
/** A path may have changed over night. Milliseconds. */
const FORGET_AFTER = 6 * 60 * 60 * 1000;

/** So many windows of blocks, or so many stalls, are enough to judge by: a few blocks tell nothing. */
const ENOUGH_WINDOWS = 4;
const ENOUGH_STALLS = 3;
/**
 * The share of windows that may stall. Where single datagrams get lost (up to 5 % in simulations)
 * fewer stall, and a large window is the fastest as it has fewer ends whose loss only a timeout can
 * tell. Where the ends of windows are dropped because there are more datagrams than some buffer
 * holds, nearly every window stalls.
 */
const BEARABLE_STALLS = 0.25;
/** How much of what came through between two stalls is asked for next: the average has blocks that came through by luck. */
const SAFE_SHARE = 0.8;
/** A smaller window that stalls about as often for each block, up or down by this factor, is no remedy: it gets no smaller. */
const ABOUT_AS_OFTEN = 2;
/** Judgements without fault before more is tried. Twice as many after each trial that failed, since a failure costs a slow transfer. */
const FIRST_PATIENCE = 16;

/** What a transfer tells of its path. */
export interface PathEvidence {
  /** What was agreed upon, in blocks. */
  readonly windowsize: number;
  /** Blocks that got across. */
  readonly blocks: number;
  /** How often it stood still until a timer ran out, see `TransferStats`. */
  readonly stalls: number;
}

/** What is known of a host. */
interface Path {
  window: number;
  /** Since the last judgement. */
  blocks: number;
  stalls: number;
  /** The most blocks that were sent at once since the last judgement. */
  burst: number;
  /** Judgements without fault since the window was changed. */
  clean: number;
  patience: number;
  /** Stalls for each block when the window was last made smaller; 0 if it was not. */
  stallRate: number;
  usedAt: number;
}

/**
 * The window is agreed upon once for a transfer (RFC 7440 section 3), so that what a transfer finds
 * out is of use to the next one only. This holds as much of it as a program needs; it has no clock.
 *
 * A window that the path does not carry is cut down to what came through between two stalls. It grows
 * again, by half at a time, after some judgements without fault.
 */
export class WindowMemory {
  readonly #paths = new Map<string, Path>();

  /**
   * The window to ask the host for, in blocks.
   *
   * @param host its address, as a name may stand for several hosts.
   * @param now milliseconds of a clock that only goes forward.
   */
  windowFor(host: string, now: number): number {
    const path = this.#paths.get(host);
    return path === undefined || isStale(path, now) ? LARGEST_AUTO_WINDOW : path.window;
  }

  /** Takes what a transfer with this host has shown, also one that failed half-way. */
  learn(host: string, { windowsize, blocks, stalls }: PathEvidence, now: number): void {
    const path = this.#pathTo(host, now);
    // Lock-step though more was asked: the server knows no windows, and this tells nothing of them.
    if (blocks < 1 || (windowsize === 1 && path.window > 1)) return;
    path.blocks += blocks;
    path.stalls += stalls;
    path.burst = Math.max(path.burst, Math.min(windowsize, blocks));
    if (path.blocks >= ENOUGH_WINDOWS * path.burst || path.stalls >= ENOUGH_STALLS) judge(path);
  }

  /** What is known of the host, which thereby becomes the one that was used last. */
  #pathTo(host: string, now: number): Path {
    const known = this.#paths.get(host);
    const path = known === undefined || isStale(known, now) ? unknownPath(now) : known;
    path.usedAt = now;
    this.#paths.delete(host);
    this.#paths.set(host, path);
    if (this.#paths.size > MAX_HOSTS) this.#paths.delete(this.#paths.keys().next().value!);
    return path;
  }
}

function unknownPath(now: number): Path {
  return {
    window: LARGEST_AUTO_WINDOW,
    blocks: 0,
    stalls: 0,
    burst: 0,
    clean: 0,
    patience: FIRST_PATIENCE,
    stallRate: 0,
    usedAt: now,
  };
}

function isStale(path: Path, now: number): boolean {
  return now - path.usedAt > FORGET_AFTER;
}

/** Draws the conclusion from what has come together, and begins anew. */
function judge(path: Path): void {
  const { blocks, stalls, burst } = path;
  if (stalls * burst <= BEARABLE_STALLS * blocks) {
    if (burst === path.window) raise(path);
  } else if (!isOfTheOldKind(stalls / blocks, path.stallRate)) {
    lower(path);
  }
  path.blocks = 0;
  path.stalls = 0;
  path.burst = 0;
}

function isOfTheOldKind(rate: number, old: number): boolean {
  return rate > old / ABOUT_AS_OFTEN && rate < old * ABOUT_AS_OFTEN;
}

/** If there was no stall in most windows, half of it is a guess. */
function lower(path: Path): void {
  const { blocks, stalls, burst } = path;
  const run = blocks / stalls;
  if (path.window < LARGEST_AUTO_WINDOW) path.patience *= 2;
  path.window = Math.max(1, Math.floor(run < burst ? SAFE_SHARE * run : burst / 2));
  path.stallRate = stalls / blocks;
  path.clean = 0;
}

/** Grows by half at a time. */
function raise(path: Path): void {
  path.clean += 1;
  if (path.clean < path.patience) return;
  path.window = Math.min(LARGEST_AUTO_WINDOW, Math.ceil(1.5 * path.window));
  path.stallRate = 0;
  path.clean = 0;
}
