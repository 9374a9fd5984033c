// Programs that run pinned to a core, and what /proc tells of them.
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { libraryPath } from './programs.mjs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** How often a server is asked whether it is there, and milliseconds between. */
const QUESTIONS = 200;
const PATIENCE = 50;

/** Milliseconds between looks at children, and that a server has to end. */
const LOOK = 20;
const GRACE = 3000;

/** Milliseconds after which a client is ended. */
const CLIENT_LIMIT = 610_000;

/** How much of what a program complains is kept. */
const COMPLAINTS = 2000;

/** What must not outlive this process. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** Starts a program on a core. */
export function spawnPinned(cpu, command, options = {}) {
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath() };
  const child = spawn('taskset', ['-c', String(cpu), ...command.map(String)], { env, ...options });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.complaints = '';
  child.stderr?.on('data', (text) => {
    child.complaints = (child.complaints + text).slice(-COMPLAINTS);
  });
  return child;
}

/** Runs a program to its end. Gives its output and the seconds from its start to its end. */
export async function timePinned(cpu, command) {
  const start = performance.now();
  const child = spawnPinned(cpu, command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CLIENT_LIMIT,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const [status, signal] = await once(child, 'exit');
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) {
    const reason = child.complaints.trim() || output.trim().slice(-COMPLAINTS);
    throw new Error(`${signal ?? `exit code ${status}`}: ${reason}`);
  }
  return { seconds, output };
}

/** A running server: the process and its children. */
export class ServerProcess {
  /**
   * Starts it, and waits until it answers. `forgetful`: it ignores SIGCHLD, and with that the kernel
   * forgets what its children have used; so they are looked at again and again.
   */
  static async start(cpu, command, { port, forgetful = false }) {
    const child = spawnPinned(cpu, command, { stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new ServerProcess(child, forgetful);
    if (await answers(port, () => child.exitCode === null)) return server;
    await server.stop();
    throw new Error(`the server does not answer: ${child.complaints.trim()}`);
  }

  #child;
  #forgetful;
  /** Processor time of each child when it was last seen. */
  #children = new Map();
  #timer;

  constructor(child, forgetful) {
    this.#child = child;
    this.#forgetful = forgetful;
    if (forgetful) this.#timer = setInterval(() => this.#lookAtChildren(), LOOK);
  }

  /** Processor time of all its processes, also of those that have ended. */
  cpuSeconds() {
    this.#lookAtChildren();
    const children = this.#forgetful ? this.#children.values() : this.#living().map(secondsOf);
    return secondsOf(this.#child.pid) + sum(children);
  }

  /** The sum of their proportional set sizes, in bytes. */
  memory() {
    return sum(processTree(this.#child.pid).map(proportionalSetSize));
  }

  async stop() {
    clearInterval(this.#timer);
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    const children = this.#living();
    child.kill('SIGTERM');
    const gone = await Promise.race([ended.then(() => true), pause(GRACE, false)]);
    if (!gone) child.kill('SIGKILL');
    await ended;
    for (const pid of children) endIfThere(pid);
  }

  #living() {
    return processTree(this.#child.pid).slice(1);
  }

  #lookAtChildren() {
    if (!this.#forgetful) return;
    for (const pid of this.#living()) this.#children.set(pid, exactSecondsOf(pid));
  }
}

/** Asks for a file that does not exist until something comes back. */
async function answers(port, isRunning) {
  const socket = createSocket('udp4');
  // Nobody listens yet: the system says so, and the next question may be answered.
  socket.on('error', () => undefined);
  const answer = once(socket, 'message').then(() => true);
  const question = Buffer.from('\0\u0001is-there-anybody\0octet\0');
  let answered = false;
  for (let i = 0; i < QUESTIONS && !answered && isRunning(); i += 1) {
    socket.send(question, port, '127.0.0.1');
    answered = await Promise.race([answer, pause(PATIENCE, false)]);
  }
  socket.close();
  return answered;
}

/** A process and all below it. */
function processTree(root) {
  const tree = [root];
  for (const pid of tree) {
    const children = readIfThere(`/proc/${pid}/task/${pid}/children`) ?? '';
    tree.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return tree;
}

/** Processor time of a process and of its children that have ended, to a hundredth of a second. */
function secondsOf(pid) {
  const fields = statOf(pid);
  return fields === undefined ? 0 : sum(fields.slice(11, 15).map(Number)) / TICKS_PER_SECOND;
}

/** Processor time of a process that has one thread: of many short ones a hundredth is too coarse. */
function exactSecondsOf(pid) {
  return Number((readIfThere(`/proc/${pid}/schedstat`) ?? '0').split(' ')[0]) / 1e9;
}

/** The fields of /proc/PID/stat behind the name, which may hold anything. */
function statOf(pid) {
  const text = readIfThere(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function proportionalSetSize(pid) {
  const file = `/proc/${pid}/smaps_rollup`;
  const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(readIfThere(file) ?? '') ?? [];
  return Number(kibibytes ?? 0) * 1024;
}

/** A process may end at any time. */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function endIfThere(pid) {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended with its parent.
  }
}

function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
