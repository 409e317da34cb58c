/**
 * Live capture: captures are replayed into one end of a veth pair, flowpatrol listens at the other one, and must say of them
 * what it says of the files. All of it in a network namespace of its own; no packet leaves it.
 *
 * Needs root, iproute2 and tcpreplay.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { CAPTURES } from './support/golden.ts';
import { exportCapture } from './support/run-capture.ts';
import { CLI } from './support/run-cli.ts';
import { asRoot, createVeth, isRoot, LISTENER, SENDER, type Veth } from './support/veth.ts';

const PACKETS_PER_SECOND = 10_000;
const LOOPS = 5;
/** All Ethernet, all packets at least 14 bytes. */
const REPLAYED = [
  'demo.pcap',
  'windows-network.pcap',
  'http-dns.pcap',
  'ipv6.pcap',
  'vlan-mpls.pcap',
  'ssh-icmp.pcap',
  'fragments-ipv4.pcap',
];
/** Until then kernel and program have done what they do in milliseconds. */
const PATIENCE_MS = 20_000;

let veth: Veth;
let folder = '';
before(() => {
  if (!isRoot) return;
  assert.equal(spawnSync('tcpreplay', ['--version']).error, undefined, 'the live test needs tcpreplay: apt-get install tcpreplay');
  folder = mkdtempSync(join(tmpdir(), 'flowpatrol-live-'));
  veth = createVeth('live');
});
after(() => {
  if (!isRoot) return;
  veth.remove();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

interface LinkStatistics {
  readonly stats64: { readonly rx: { readonly packets: number; readonly dropped: number } };
}

/** Packets that the listening end has received and dropped. */
function received(): { packets: number; dropped: number } {
  const [link] = JSON.parse(veth.ip('-n', veth.namespace, '-s', '-j', 'link', 'show', 'dev', LISTENER)) as LinkStatistics[];
  assert.ok(link !== undefined);
  return link.stats64.rx;
}

/** Threads of a process with this niceness (proc(5), field 19 of stat). */
const threadsAt = (pid: number, nice: number): number =>
  readdirSync(`/proc/${pid}/task`).filter((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]) === nice;
  }).length;

/** Packets and bytes of flow lines by their two ends: records of one conversation are added up. */
function conversations(lines: readonly string[], times = 1): Map<string, { packets: number; bytes: number }> {
  const all = new Map<string, { packets: number; bytes: number }>();
  for (const line of lines) {
    const flow = JSON.parse(line) as Record<string, string | number>;
    const ends = ['cli', 'srv'].map((side) => `${flow[`${side}.ip`]} ${flow[`${side}.port`]}`).sort();
    const key = [flow['proto.l4_id'], flow.vlan, ...ends].join(' ');
    const sums = all.get(key) ?? { packets: 0, bytes: 0 };
    sums.packets += Number(flow.packets) * times;
    sums.bytes += Number(flow.bytes) * times;
    all.set(key, sums);
  }
  return new Map([...all].sort(([x], [y]) => (x < y ? -1 : 1)));
}

describe('live capture', () => {
  it('counts every packet that comes, and its flows are those of the files', async () => {
    if (!asRoot(import.meta.url)) return;
    const file = join(folder, 'flows.jsonl');
    const program = spawn('ip', veth.inside(process.execPath, CLI, '-i', LISTENER, '--no-web', '--no-scripts', '--export-flows', file), {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const ended = once(program, 'exit');
    const said: string[] = [];
    const { promise: capturing, resolve, reject } = Promise.withResolvers<void>();
    createInterface({ input: program.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('capturing')) resolve();
    });
    void ended.then(() => reject(new Error(`the program ended:\n${said.join('\n')}`)));
    await capturing;
    assert.equal(threadsAt(program.pid as number, getPriority(0) - 5), 1, 'the thread that captures comes before all others');

    const captures = REPLAYED.map((name) => `${CAPTURES}${name}`);
    const before = received();
    const replay = spawnSync(
      'ip',
      veth.inside('tcpreplay', '--intf1', SENDER, '--preload-pcap', '--loop', `${LOOPS}`, '--pps', `${PACKETS_PER_SECOND}`, ...captures),
      { encoding: 'utf8' },
    );
    assert.equal(replay.status, 0, replay.stderr);
    const runs = captures.map((capture) => exportCapture(capture));
    const sent = LOOPS * runs.reduce((sum, { counters }) => sum + (counters.packets ?? 0), 0);
    const deadline = performance.now() + PATIENCE_MS;
    while (received().packets - before.packets < sent)
      assert.ok(performance.now() < deadline, `the kernel received ${received().packets} of ${sent}`);
    assert.equal(received().dropped, before.dropped);

    program.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null], said.join('\n'));
    const summary = said.join('\n');
    assert.match(summary, /nothing lost/);
    const row = said.find((line) => line.trimStart().startsWith(LISTENER)) ?? '';
    const [, , packets = ''] = row.trim().split(/ {2,}/);
    assert.equal(Number(packets.replace(/\D/g, '')), sent, summary);
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    assert.deepEqual(
      conversations(lines),
      conversations(
        runs.flatMap(({ flows }) => flows),
        LOOPS,
      ),
    );
  });
});
