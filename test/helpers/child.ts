import { spawn } from 'node:child_process';
import path from 'node:path';

/** What a process left behind. */
export interface ChildResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from its first line of output to its end. */
  readonly lingered: number;
}

const SOURCES = path.resolve(__dirname, '../../src');

/** How a script runs. */
export interface ScriptRun {
  /** Milliseconds. @default 10,000 */
  readonly timeout?: number;
  /** What its environment has besides. */
  readonly env?: NodeJS.ProcessEnv;
  /** What starts Node in another place, such as a network namespace. */
  readonly through?: readonly string[];
}

/**
 * Runs a script in a Node process of its own. `engine(name)` in it loads a module of ours, such as
 * `client/client`, and `helper(name)` one of the tests, whose file is `helper.path(name)`.
 */
export function runScript(script: string, how: ScriptRun = {}): Promise<ChildResult> {
  const { timeout = 10_000, through = [] } = how;
  const load = [
    `const engine = (name) => require(${JSON.stringify(SOURCES)} + '/' + name);`,
    `const helper = (name) => require(helper.path(name));`,
    `helper.path = (name) => ${JSON.stringify(__dirname)} + '/' + name;`,
  ];
  // A child that gives up its rights could not write its coverage, and would say so.
  const env = { ...process.env, NODE_V8_COVERAGE: '', ...how.env };
  const [program, ...args] = [...through, process.execPath, '-e', [...load, script].join('\n')];
  const child = spawn(program, args, { timeout, env });
  let stdout = '';
  let stderr = '';
  let spokeAt = performance.now();
  child.stdout.on('data', (chunk) => {
    if (stdout === '') spokeAt = performance.now();
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve({ exitCode, stdout, stderr, lingered: performance.now() - spokeAt });
    });
  });
}
