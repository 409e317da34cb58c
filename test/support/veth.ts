/**
 * A pair of virtual network cards in a network namespace of its own, for tests of live capture: what is replayed into one end comes out at
 * the other, and nothing else does. Needs root and iproute2; {@link asRoot} repeats the test file of another user through sudo.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const SENDER = 'fpsend';
export const LISTENER = 'fplisten';

export const isRoot = process.getuid?.() === 0;

const repeated = new Set<string>();

/** @param file `import.meta.url` of the test. @returns false when its tests have run as root elsewhere: there is nothing left to do */
export function asRoot(file: string): boolean {
  if (isRoot) return true;
  if (!repeated.has(file)) {
    repeated.add(file);
    const again = spawnSync('sudo', ['-n', process.execPath, '--test', fileURLToPath(file)], { encoding: 'utf8' });
    const what = 'needs root: run the tests as root, or let sudo run without a password';
    assert.equal(again.status, 0, `${what}\n${again.error?.message ?? again.stdout + again.stderr}`);
  }
  return false;
}

export interface Veth {
  readonly namespace: string;
  /** Runs `ip` with these arguments. @returns what it prints */
  ip(...args: string[]): string;
  /** Arguments of `ip` that run a command in the namespace. */
  inside(...command: string[]): string[];
  /** Makes the two cards, and takes them away. */
  plug(): void;
  unplug(): void;
  /** Ends every process in the namespace, and removes it. */
  remove(): void;
}

/** @param name part of the namespace's name; the cards are there */
export function createVeth(name: string): Veth {
  const namespace = `flowpatrol-${name}-${process.pid}`;
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  const inside = (...command: string[]): string[] => ['netns', 'exec', namespace, ...command];
  const plug = (): void => {
    ip('-n', namespace, 'link', 'add', SENDER, 'mtu', '9000', 'type', 'veth', 'peer', 'name', LISTENER, 'mtu', '9000');
    for (const end of [SENDER, LISTENER]) ip('-n', namespace, 'link', 'set', end, 'up');
  };
  ip('netns', 'add', namespace);
  // nothing but our packets: no IPv6, so no router solicitations; no addresses, so no ARP
  ip(...inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'));
  plug();
  return {
    namespace,
    ip,
    inside,
    plug,
    unplug: () => void ip('-n', namespace, 'link', 'del', SENDER),
    remove() {
      for (const pid of ip('netns', 'pids', namespace).split('\n')) if (pid !== '') process.kill(Number(pid), 'SIGKILL');
      ip('netns', 'del', namespace);
    },
  };
}
