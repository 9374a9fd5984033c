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

/**
 * Runs a script in a Node process of its own. `engine(name)` in it loads a module of ours, such as
 * `client/client`.
 */
export function runScript(script: string, timeout = 10_000): Promise<ChildResult> {
  const load = `const engine = (name) => require(${JSON.stringify(SOURCES)} + '/' + name);`;
  // A child that gives up its rights could not write its coverage, and would say so.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const child = spawn(process.execPath, ['-e', `${load}\n${script}`], { timeout, env });
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
