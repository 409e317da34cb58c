/**
 * Several capture threads look like one. Captures with fragments, tunnels and VLANs are replayed to two flowpatrols at once, one with
 * one thread and one with four: the same flows, packets, bytes and callbacks. And two threads survive an interface that goes away.
 * In network namespaces of their own; needs root, iproute2 and tcpreplay.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { CAPTURES } from './support/golden.ts';
import { CLI } from './support/run-cli.ts';
import { asRoot, createVeth, isRoot, LISTENER, SENDER, type Veth } from './support/veth.ts';

const REPLAYED = [
  'demo.pcap',
  'windows-network.pcap',
  'http-dns.pcap',
  'ipv6.pcap',
  'vlan-mpls.pcap',
  'ssh-icmp.pcap',
  'fragments-ipv4.pcap',
  'fragments-ipv6.pcap',
  'gtp.pcap',
];
const THREADS = 4;
let veth: Veth;
const replay = (): string => {
  const captures = REPLAYED.map((name) => CAPTURES + name);
  return veth.ip(...veth.inside('tcpreplay', '--quiet', '--preload-pcap', '--pps', '10000', '--intf1', SENDER, ...captures));
};

interface Patrol {
  readonly program: ChildProcess;
  readonly said: string[];
  /** Resolves with the first line not heard yet that has this text. */
  hear(text: string): Promise<string>;
  /** Its summary. What the kernel holds by now is still read. */
  end(): Promise<string>;
}

function listen(threads: number, ...args: string[]): Patrol {
  const all = [CLI, '-i', LISTENER, '--no-web', '--capture-threads', String(threads), '--no-scripts', ...args];
  const program = spawn('ip', veth.inside(process.execPath, ...all), { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  let heard = 0;
  let wake = (): void => undefined;
  let over = false;
  const ended = once(program, 'close');
  createInterface({ input: program.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    said.push(line);
    wake();
  });
  void ended.then(() => {
    over = true;
    wake();
  });
  return {
    program,
    said,
    async hear(text) {
      for (;;) {
        while (heard < said.length) {
          const line = said[heard++] as string;
          if (line.includes(text)) return line;
        }
        assert.ok(!over, `it ended without '${text}':\n${said.join('\n')}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async end() {
      program.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      assert.equal(code, 0, said.join('\n'));
      return said.join('\n');
    },
  };
}

type Line = Record<string, string | number>;
const linesOf = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
const keyOf = (line: Line): string =>
  ['proto.l4_id', 'vlan', 'cli.ip', 'cli.port', 'srv.ip', 'srv.port'].map((field) => line[field]).join(' ');

/** What the flow is and counts, by its key; the protocol is left out. */
const figures = (flows: readonly Line[]): string[] =>
  flows.map((flow) => `${keyOf(flow)}: ${flow.packets} packets, ${flow.bytes} bytes, statuses ${flow.status_map}`).sort();

/** How often each flow got a callback that does not depend on how visits and packets interleave. */
const calls = (events: readonly Line[]): string[] =>
  events
    .filter(({ callback }) => callback !== 'statusChanged')
    .map((event) => `${keyOf(event)}: ${event.callback}`)
    .sort();

/** Packets by the thread that numbered the flow. */
function packetsByThread(flows: readonly Line[]): number[] {
  const packets = new Array<number>(THREADS).fill(0);
  for (const flow of flows) {
    const thread = (Number(flow.hash_entry_id) - 1) % THREADS;
    packets[thread] = (packets[thread] as number) + Number(flow.packets);
  }
  return packets;
}

describe('capture threads', { concurrency: false }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'flowpatrol-threads-'));
    if (isRoot) veth = createVeth('threads');
  });
  after(() => {
    if (isRoot) veth.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('four see the flows and make the calls of one, and lose nothing', async (test) => {
    if (!asRoot(import.meta.url)) return;
    const file = (kind: string, threads: number): string => join(folder, `${kind}-${threads}.jsonl`);
    const patrols = [1, THREADS].map((threads) =>
      listen(threads, '--export-flows', file('flows', threads), '--export-events', file('events', threads)),
    );
    for (const patrol of patrols) await patrol.hear('capturing');
    replay();
    for (const patrol of patrols) assert.match(await patrol.end(), /^Losses: nothing lost$/m);

    const one = linesOf(file('flows', 1));
    const four = linesOf(file('flows', THREADS));
    assert.ok(one.length > 400, `${one.length} flows`);
    assert.deepEqual(figures(four), figures(one));
    assert.deepEqual(calls(linesOf(file('events', THREADS))), calls(linesOf(file('events', 1))));
    assert.equal(new Set(four.map((flow) => flow.hash_entry_id)).size, four.length, 'numbers of flows are unique');
    assert.ok(
      packetsByThread(four).every((packets) => packets > 0),
      `packets by thread: ${packetsByThread(four)}`,
    );

    // nDPI keeps caches across flows, and each thread has its own
    const protocols = new Map(one.map((flow) => [keyOf(flow), flow['proto.ndpi']]));
    const others = four.filter((flow) => protocols.get(keyOf(flow)) !== flow['proto.ndpi']);
    test.diagnostic(`${others.length} of ${four.length} flows have another protocol with ${THREADS} threads`);
    assert.ok(others.length <= four.length / 20, others.map((flow) => `${keyOf(flow)}: ${flow['proto.ndpi']}`).join('\n'));
  });

  it('say that what is no network interface has one thread', async () => {
    if (!asRoot(import.meta.url)) return;
    const demo = `${CAPTURES}demo.pcap`;
    const patrol = listen(2, '-i', demo);
    assert.match(await patrol.hear('--capture-threads'), / is for network interfaces: one thread reads -i \S+demo\.pcap"/);
    await patrol.hear('capturing');
    await patrol.end();
  });

  it('two go on when the interface goes away and comes back', async () => {
    if (!asRoot(import.meta.url)) return;
    const flows = join(folder, 'returned.jsonl');
    const patrol = listen(2, '--export-flows', flows);
    await patrol.hear('capturing');
    replay();
    veth.unplug();
    await patrol.hear('the interface is lost');
    veth.plug();
    await patrol.hear('the interface is back');
    replay();
    const summary = await patrol.end();
    assert.match(summary, /^Losses: nothing lost$/m);
    assert.equal(patrol.said.filter((line) => line.includes('the interface is lost')).length, 1, summary);

    const packets = (lines: readonly Line[]): number => lines.reduce((sum, flow) => sum + Number(flow.packets), 0);
    const once = packets(linesOf(join(folder, 'flows-1.jsonl')));
    assert.equal(packets(linesOf(flows)), 2 * once);
  });
});
