/** A network of its own, on Linux and for root only: nothing of it is seen outside. */

import { run, succeeded } from './program';

let made = 0;

/** A network namespace. Remove it after the test. */
export class NetworkNamespace {
  /** Undefined if this machine, or this user, cannot have one. */
  static async create(): Promise<NetworkNamespace | undefined> {
    const name = `tftp-test-${process.pid}-${(made += 1)}`;
    const { code } = await run('ip', ['netns', 'add', name]);
    if (code !== 0) return undefined;
    const namespace = new NetworkNamespace(name);
    await namespace.ip('link', 'set', 'lo', 'up');
    return namespace;
  }

  private constructor(readonly name: string) {}

  /** What starts a program in there. */
  get through(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** Runs `ip` with these words in there. */
  async ip(...words: string[]): Promise<void> {
    succeeded(await run('ip', ['-n', this.name, ...words]));
  }

  /** Joins it with another one by a cable. */
  async connect(other: NetworkNamespace): Promise<void> {
    const peer = ['peer', 'name', 'eth0', 'netns', other.name];
    await this.ip('link', 'add', 'eth0', 'type', 'veth', ...peer);
    for (const end of [this, other]) await end.ip('link', 'set', 'eth0', 'up');
  }

  async remove(): Promise<void> {
    await run('ip', ['netns', 'del', this.name]);
  }
}
